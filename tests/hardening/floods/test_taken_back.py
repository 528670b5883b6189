"""Calls that are taken back while they are served leave nothing that counts against others."""

import contextlib
import random

import grpc

from persona.v1 import project_service_pb2 as projects_pb
from support.data import make_project
from support.operating.health import metric
from support.service import Service
from support.waiting import eventually

CALLS = 2000


def test_answers_that_nobody_waits_for_are_not_counted(own: Service) -> None:
    """Else the room for answers would be used up, and calls refused until a restart."""
    caller, chance = own.connect(), random.Random(1)
    for _ in range(50):
        make_project(caller)
    request = projects_pb.ListProjectsRequest()
    for _ in range(CALLS):
        with contextlib.suppress(grpc.RpcError):
            caller.projects.ListProjects(request, timeout=chance.uniform(0.0003, 0.004))
        caller.projects.ListProjects.future(request).cancel()
    eventually(lambda: metric(own, "persona_answers_bytes") == 0)
    caller.close()
