"""Serving by what is public of grpcio alone: all is served, nobody stops the service, and it stops.

`pytest --public-grpcio` runs every test so; these run always.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from support.attacks import silent
from support.attacks.frames import Connection
from support.data import Place, make_place, persona
from support.errors import refusal_of
from support.importer import LEAN
from support.service import Service, running_service
from support.streams import begun
from support.waiting import LIMIT, eventually

GET = "/persona.v1.PersonaService/GetPersona"
WATCH = "/grpc.health.v1.Health/Watch"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
WAITING = 14 + 100  # Watches for whose messages threads wait, and that wait for a thread


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path / "data", *LEAN, "--public-grpcio") as service:
        yield service


def served(service: Service) -> Place:
    """Make calls of every kind but Watch, in a new group."""
    place = make_place(service.connect(service.token("good")))
    stream = begun(place)
    assert stream.batch(1, [persona()]) == (1, 1)
    stream.end()
    made = place.create(persona())
    assert place.get(made.id) == made
    assert [one for chunk in place.export() for one in chunk.personas] == place.walk()
    with grpc.insecure_channel(service.grpc) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=LIMIT).status == SERVING
    return place


def over(connections: list[Connection], number: int) -> None:
    """Wait until so many calls of connections are over."""

    def found() -> bool:
        silent.pump_for(connections, 0.05)
        return sum(len(one.over) for one in connections) >= number

    eventually(found)


def test_calls_of_every_kind_are_served_until_it_stops(public: Service) -> None:
    place = served(public)
    assert refusal_of(lambda: place.get(place.group)).reason == "PERSONA_NOT_FOUND"
    assert refusal_of(lambda: place.create(persona(full_name=""))).reason == "INVALID_FIELD"
    with grpc.insecure_channel(public.grpc) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=2 * LIMIT)
        assert next(watch).status == SERVING
        assert public.stop() == 0
        assert next(watch).status == NOT_SERVING


def test_a_call_whose_message_does_not_come_is_cancelled(public: Service) -> None:
    token = public.token("silent")
    with silent.connected(public.grpc, 1) as connections:
        silent.headers_only(connections[0], GET, token, 1)
        over(connections, 1)

    def codes() -> list[str]:
        return [line["code"] for line in public.log if line.get("tenant") == "silent"]

    eventually(lambda: codes() == ["CANCELLED"])


def test_calls_that_find_no_room_are_refused_and_stop_nothing(public: Service) -> None:
    """Threads wait for the messages of some, and others for a thread: the rest can't wait too."""
    with silent.connected(public.grpc, 2) as connections:
        for connection in connections:
            silent.headers_only(connection, WATCH, None, 90)
        over(connections, 180 - WAITING)
        served(public)
        assert public.stop() == 0
