"""A gateway of the tests' own, and a gRPC server that goes wrong to put behind it."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message
from prometheus_client.parser import text_string_to_metric_families

from persona.v1 import persona_service_pb2 as personas
from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as projects
from persona.v1.persona_pb2 import Persona
from support.ports import free_port
from support.waiting import LIMIT

# What gRPC's own errors may hold and no client may see.
SECRET = "dial tcp 127.0.0.1:5432: /etc/passwd in sqlite3.OperationalError"


class Gateway:
    """A persona-gateway process."""

    def __init__(
        self,
        grpc_address: str,
        *flags: str,
        environment: dict[str, str] | None = None,
        build: Path | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [build or program(), "--listen", "127.0.0.1:0", "--grpc", grpc_address, *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        self.base = f"http://{json.loads(self.first_line)['listening']}"

    def memory(self, what: str) -> int:
        """Return a figure of the process in bytes: VmRSS (now) or VmHWM (the most so far)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(rf"{what}:\s+(\d+) kB", status)
        assert match
        return int(match[1]) << 10

    def order(self, text: str) -> None:
        """Say a line to it, as the server does."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def figures(self) -> Callable[..., float]:
        """Order its figures; return what looks one up by its name and labels."""
        self.order("figures")
        assert self.process.stdout is not None
        page = json.loads(self.process.stdout.readline())["figures"]
        found = {
            (one.name, *sorted(one.labels.items())): one.value
            for family in text_string_to_metric_families(page)
            for one in family.samples
        }
        return lambda name, **given: found[f"persona_gateway_{name}", *sorted(given.items())]

    def stop(self) -> tuple[int, list[dict[str, Any]]]:
        """Close its stdin; return its exit code and its log."""
        _, log = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, [json.loads(line) for line in log.splitlines()]


def program() -> str:
    """Return the path of the gateway: beside this Python, else on PATH."""
    beside = Path(sys.executable).parent / "persona-gateway"
    found = str(beside) if beside.is_file() else shutil.which("persona-gateway")
    assert found, "persona-gateway is not built: make setup"
    return found


@contextlib.contextmanager
def gateway(
    grpc_address: str, *flags: str, environment: dict[str, str] | None = None
) -> Iterator[Gateway]:
    """Run a gateway for the length of a block."""
    running = Gateway(grpc_address, *flags, environment=environment)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()


class Backend:
    """A gRPC server that does what a test asks of it by the ids and filters of a request."""

    def __init__(self) -> None:
        self.metadata: list[tuple[str, str]] = []  # of the last GetProject
        self.called = threading.Event()
        self.calls = 0  # of GetProject
        self.remaining = 0.0  # seconds that the last CreateProject had
        self.released = threading.Event()
        self.pages = 0  # how many ListPersonas has given
        self.dies_at: int | None = None  # the page at which the whole server ends
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        for service, methods in self._services().items():
            handler = grpc.method_handlers_generic_handler(service, methods)
            self._server.add_generic_rpc_handlers((handler,))
        # Of ports that are given to whoever asks for any, another test would have it after a stop.
        self.address = f"127.0.0.1:{free_port()}"
        self._server.add_insecure_port(self.address)
        self._server.start()

    def _services(self) -> dict[str, dict[str, Any]]:
        get, create, page, export = (
            projects.GetProjectRequest.FromString,
            projects.CreateProjectRequest.FromString,
            personas.ListPersonasRequest.FromString,
            personas.ExportPersonasRequest.FromString,
        )
        unary, stream = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        return {
            "persona.v1.ProjectService": {
                "GetProject": unary(self._get, get, _bytes),
                "CreateProject": unary(self._create, create, _bytes),
            },
            "persona.v1.PersonaService": {
                "ListPersonas": unary(self._page, page, _bytes),
                "ExportPersonas": stream(self._export, export, _bytes),
            },
        }

    def stop(self) -> None:
        """End it, and whatever waits in it; its port stays nobody's."""
        self.released.set()
        self._server.stop(0).wait()

    def _get(self, request: Any, context: Any) -> Message:
        """Fail bare with the code that the id names; for "wait", wait for `released`."""
        self.metadata = [(key, value) for key, value in context.invocation_metadata()]
        self.called.set()
        self.calls += 1
        if request.project_id in grpc.StatusCode.__members__:
            _abort(context, grpc.StatusCode[request.project_id])
        if request.project_id == "wait":
            self.released.wait(30)
        return projects.GetProjectResponse(project=project_pb2.Project(id=request.project_id))

    def _create(self, request: Any, context: Any) -> Message:
        self.remaining = context.time_remaining()
        return projects.CreateProjectResponse(project=request.project)

    def _page(self, request: Any, context: Any) -> Message:
        """Give two personas of `age_min` KiB; break after `age_max` pages, end after `gender`.

        In the group "wait" every page but the first waits for `released`.
        """
        at = int(request.page_token or 0)
        if at == self.dies_at:
            self._server.stop(0)
        if at and request.group_id == "wait":
            self.called.set()
            self.released.wait(30)
        if request.age_max and at == request.age_max:
            _abort(context, grpc.StatusCode.UNAVAILABLE)
        self.pages += 1
        text = "x" * (max(request.age_min, 1) << 10)
        two = [Persona(id=f"{2 * at + i}", digital_habits=text) for i in (1, 2)]
        last = at + 1 == int(request.gender or 0)
        return personas.ListPersonasResponse(
            personas=two, next_page_token="" if last else str(at + 1)
        )

    def _export(self, request: Any, context: Any) -> Iterator[Message]:
        """Give `age_max` chunks, one more that is empty, and break."""
        for i in range(request.age_max):
            yield personas.ExportPersonasResponse(personas=[Persona(id=str(i))], resume_token="r")
        yield personas.ExportPersonasResponse(resume_token="r")
        _abort(context, grpc.StatusCode.INTERNAL)


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()


def _abort(context: Any, code: grpc.StatusCode) -> NoReturn:
    context.abort(code, SECRET)
    raise AssertionError("abort raises")
