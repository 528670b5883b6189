"""A service of several workers, of which a test chooses the one that it talks to."""

import os
import signal
from typing import Any

from persona.v1 import project_service_pb2 as projects_pb
from support.data import uid
from support.service import OPTIONS, Caller, Service
from support.waiting import eventually

COUNT = 2
FLAGS = ("--workers", str(COUNT))
_LIST = "/persona.v1.ProjectService/ListProjects"
# Else channels of this process share a connection.
_OWN = (*OPTIONS, ("grpc.use_local_subchannel_pool", 1))


def pid_of(service: Service, number: int) -> int:
    """Return the process that is a worker now."""
    lines = [line for line in service.log if line["message"] == "worker listening"]
    return int([line["pid"] for line in lines if line["worker"] == number][-1])


def caller_of(service: Service, number: int, token: str) -> Caller:
    """Return stubs whose connection leads to this worker: the kernel chooses, so try again."""

    def tried() -> Caller | None:
        caller = Caller(service.grpc, token, _OWN)
        if serving(service, caller, token) == number:
            return caller
        caller.close()
        return None

    found = eventually(tried)
    assert found is not None
    return found


def serving(service: Service, caller: Caller, token: str) -> int:
    """Return the worker that a connection leads to."""
    request_id = uid()
    metadata = [("authorization", f"Bearer {token}"), ("x-request-id", request_id)]
    call: Any = caller.channel.unary_unary(_LIST)
    call(projects_pb.ListProjectsRequest().SerializeToString(), metadata=metadata)

    def lines() -> list[dict[str, Any]]:
        return [line for line in service.log if line.get("request_id") == request_id]

    return int(eventually(lines)[0]["worker"])


def kill(service: Service, number: int) -> None:
    """End a worker as a power switch would, and wait until the parent has seen it."""
    ended = len(ends(service))
    os.kill(pid_of(service, number), signal.SIGKILL)
    eventually(lambda: len(ends(service)) > ended)


def ends(service: Service) -> list[dict[str, Any]]:
    """Return what the log says of workers that have ended by themselves."""
    return [line for line in service.log if "ended by itself" in line["message"]]
