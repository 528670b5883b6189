"""Streams hold a thread each: they are counted, and never in the way of what else is called."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from persona.v1 import persona_service_pb2 as pb
from persona_server.settings.loading import load
from persona_server.transport.streams import MAX_STREAMS
from support.data import Place, make_place, persona, uid
from support.errors import Problem, refusal_of
from support.service import Caller, Service, running_service
from support.streams import Import, begun
from support.waiting import eventually

TENANT_STREAMS = 8  # by default
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service without the streams of other tests."""
    with running_service(tmp_path_factory.mktemp("streams") / "data", "--rest", "off") as service:
        yield service


@pytest.fixture
def places(alone: Service) -> Iterator[Callable[[], Place]]:
    """A function that makes a group of a new tenant."""
    callers: list[Caller] = []

    def make() -> Place:
        callers.append(alone.connect(alone.token(f"t-{uid()}")))
        return make_place(callers[-1])

    yield make
    for caller in callers:
        caller.close()


def is_too_many(problem: Problem) -> bool:
    assert problem.reason == "TOO_MANY_STREAMS"
    assert problem.code == EXHAUSTED
    assert problem.retry
    return True


def admitted(start: Callable[[], object]) -> bool:
    """Start a stream, and return whether there was a place for it."""
    try:
        start()
    except grpc.RpcError as error:
        if error.code() == EXHAUSTED:
            return False
        raise
    return True


def free(place: Place) -> Import:
    """Return an import as soon as there is a place for it."""
    streams: list[Import] = []

    def tried() -> bool:
        streams.append(Import(place))
        return admitted(streams[-1].begin)

    eventually(tried)
    return streams[-1]


def all_free(place: Place) -> None:
    """Wait until a tenant has its whole number of places, and leave them."""
    held = [free(place) for _ in range(TENANT_STREAMS)]
    for stream in held:
        stream.end()


def test_the_numbers_are_the_contracts() -> None:
    assert (load({}, {}).quota_streams, MAX_STREAMS) == (TENANT_STREAMS, 16)


def test_the_ninth_of_a_tenant_is_refused_and_all_else_answers(
    places: Callable[[], Place], alone: Service
) -> None:
    place, other = places(), places()
    place.fill(3)
    held = [free(place) for _ in range(TENANT_STREAMS)]
    assert is_too_many(refusal_of(lambda: begun(place)))
    assert is_too_many(refusal_of(place.export))
    # Unary calls of the same tenant, streams of others and health go on.
    assert len(place.walk()) == 3
    place.fill(1)
    assert place.delete_all() == 4
    assert other.export() == []
    with grpc.insecure_channel(alone.grpc) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=20)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    held.pop().end()
    held.append(free(place))
    for stream in held:
        stream.drop()
    all_free(place)


def test_the_seventeenth_of_all_is_refused(places: Callable[[], Place]) -> None:
    full, fuller, late = places(), places(), places()
    held = [free(place) for place in (full, fuller) for _ in range(TENANT_STREAMS)]
    assert is_too_many(refusal_of(lambda: begun(late)))
    assert late.page().personas == []
    held.pop().drop()
    free(late).end()
    for stream in held:
        stream.drop()


def test_a_stream_that_ends_in_an_error_gives_its_place_back(places: Callable[[], Place]) -> None:
    place, reasons = places(), []

    def refused_for_its_id() -> bool:
        reasons.append(refusal_of(lambda: Import(place).begin(import_id="x")).reason)
        return reasons[-1] == "INVALID_FIELD"

    for _ in range(TENANT_STREAMS + 2):
        eventually(refused_for_its_id)
    assert set(reasons) <= {"INVALID_FIELD", "TOO_MANY_STREAMS"}
    all_free(place)


def test_exports_that_clients_leave_give_their_places_back(places: Callable[[], Place]) -> None:
    place = places()
    for _ in range(6):
        place.fill(90, attributes={"a": "y" * 32_000})
    for _ in range(TENANT_STREAMS + 2):

        def left() -> bool:
            call = place.caller.personas.ExportPersonas(pb.ExportPersonasRequest(**place.ids))
            found = admitted(lambda: next(iter(call)))
            call.cancel()
            return found

        eventually(left)
    all_free(place)


def test_a_stopping_server_ends_streams_with_a_reason(tmp_path: Path) -> None:
    """What a client has sent is still acknowledged; then SHUTTING_DOWN, worth a retry."""
    with running_service(tmp_path / "data", "--rest", "off", "--grace", "1.2") as service:
        place = make_place(service.connect())
        stream = begun(place)
        assert stream.batch(1, [persona()]) == (1, 1)
        service.process.terminate()
        problem = refusal_of(lambda: next(stream.call))
        assert (problem.reason, problem.code) == ("SHUTTING_DOWN", grpc.StatusCode.UNAVAILABLE)
        assert problem.retry
        assert problem.metadata["committed_sequence"] == "1"
        assert service.process.wait(20) == 0


def test_a_stream_that_its_client_leaves_is_logged_as_cancelled(alone: Service) -> None:
    def codes() -> list[str]:
        lines = [line for line in alone.log if line.get("method") == "ImportPersonas"]
        return [line["code"] for line in lines if line.get("tenant") == "leaver"]

    place = make_place(alone.connect(alone.token("leaver")))

    def left() -> bool:
        begun(place).drop()
        return "CANCELLED" in eventually(codes)

    # More than once: grpcio may tell the server of the end before it tells of the cancellation.
    eventually(left)
