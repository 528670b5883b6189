"""The entrance: what a call may hold before anybody knows who makes it, and before its message."""

import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from persona.v1 import persona_service_pb2 as pb
from persona_server.transport.entrance.receipts import SECONDS
from support.attacks import silent
from support.attacks.beside import resident
from support.data import make_place, persona
from support.errors import refusal_of
from support.service import Service
from support.waiting import LIMIT, eventually

GET = "/persona.v1.PersonaService/GetPersona"
CREATE = "/persona.v1.PersonaService/CreatePersona"
LIST = "/persona.v1.PersonaService/ListPersonas"
IMPORT = "/persona.v1.PersonaService/ImportPersonas"
CHECK = "/grpc.health.v1.Health/Check"
SERVING = health_pb2.HealthCheckResponse.SERVING
MEGABYTES = 1 << 20


@pytest.fixture
def health(own: Service) -> Iterator[Any]:
    with grpc.insecure_channel(own.grpc) as channel:
        yield health_pb2_grpc.HealthStub(channel)


def answers(own: Service, health: Any) -> bool:
    """Return whether a read, a write and health are answered."""
    place = make_place(own.connect(own.token("good")))
    made = place.create(persona())
    assert health.Check(health_pb2.HealthCheckRequest(), timeout=LIMIT).status == SERVING
    return place.get(made.id) == made


def test_calls_without_a_token_are_refused_before_their_message(own: Service, health: Any) -> None:
    with silent.connected(own.grpc, 1) as (connection,):
        for path in (GET, CREATE, IMPORT):
            silent.all_over(connection, silent.headers_only(connection, path, None, 30))
        assert answers(own, health)


@pytest.mark.early
def test_calls_whose_message_does_not_come_hold_no_thread(own: Service, health: Any) -> None:
    token = own.token("silent")
    with silent.connected(own.grpc, 1) as (connection,):
        begun = time.monotonic()
        streams = silent.headers_only(connection, GET, token, 20)
        streams += silent.headers_only(connection, CREATE, token, 20)
        silent.pump_for([connection], 0.5)
        assert answers(own, health)
        silent.all_over(connection, streams)
        assert SECONDS - 0.5 < time.monotonic() - begun < 3 * SECONDS

    def ended() -> bool:
        """Return whether all of these ended, some for their message, the others in its wait."""
        codes = [line["code"] for line in own.log if line.get("tenant") == "silent"]
        late, waited = codes.count("DEADLINE_EXCEEDED"), codes.count("RESOURCE_EXHAUSTED")
        return late + waited == len(codes) == 40 and late > 0

    eventually(ended)
    with urllib.request.urlopen(own.metrics) as page:
        assert b"persona_calls_without_message_total 0.0" not in page.read()


@pytest.mark.early
def test_health_is_not_held_by_calls_without_a_message(own: Service, health: Any) -> None:
    with silent.connected(own.grpc, 4) as connections:
        for connection in connections:
            silent.headers_only(connection, CHECK, None, 90)
        silent.pump_for(connections, 0.5)
        assert answers(own, health)


def test_watchers_of_an_address_are_bounded(own: Service, health: Any) -> None:
    watches = [health.Watch(health_pb2.HealthCheckRequest()) for _ in range(4)]
    assert [next(watch).status for watch in watches] == [SERVING] * 4
    fifth = health.Watch(health_pb2.HealthCheckRequest())
    problem = refusal_of(lambda: next(fifth))
    assert (problem.reason, problem.retry) == ("TOO_MANY_STREAMS", True)
    for watch in watches:
        watch.cancel()

    def let_in() -> bool:
        """Whether there is a place again, for the tests to come too."""
        another = health.Watch(health_pb2.HealthCheckRequest())
        try:
            return bool(next(another).status == SERVING)
        except grpc.RpcError:
            return False
        finally:
            another.cancel()

    eventually(let_in)


def test_health_keeps_no_name(own: Service, health: Any) -> None:
    unknown = health_pb2.HealthCheckRequest(service="no.Such")
    watch = health.Watch(unknown)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()
    long = health_pb2.HealthCheckRequest(service="x" * 4_000_000)
    before = resident(own.process.pid)
    for _ in range(20):
        assert refusal_of(lambda: health.Check(long)).reason == "INVALID_FIELD"
        assert refusal_of(lambda: next(health.Watch(long))).reason == "INVALID_FIELD"
    assert resident(own.process.pid) < before + 60 * MEGABYTES


@pytest.mark.parametrize("known", [False, True])
def test_messages_that_never_end_are_bounded_in_bytes(
    own: Service, health: Any, known: bool
) -> None:
    before = resident(own.process.pid)
    token = own.token() if known else None
    with silent.connected(own.grpc, 40) as connections:
        silent.hold_messages(connections, CREATE, token, 5, 4 << 20, 3.0)
        assert resident(own.process.pid) < before + 100 * MEGABYTES
        assert answers(own, health)


def test_answers_that_nobody_reads_are_bounded_in_bytes(own: Service, health: Any) -> None:
    place = make_place(own.connect(own.token("unread")))
    for _ in range(10):
        place.fill(90, attributes={"a": "y" * 30_000})
    body = pb.ListPersonasRequest(**place.ids, page_size=90).SerializeToString()
    before = resident(own.process.pid)
    with silent.connected(own.grpc, 5, window=0) as connections:
        silent.unread(connections, LIST, own.token("unread"), 60, 3.0, body=body)
        assert resident(own.process.pid) < before + 100 * MEGABYTES
        assert answers(own, health)
