"""Quotas of a tenant hold over all workers together."""

from collections.abc import Iterator

import grpc
import pytest

from support.data import Place, make_place, persona
from support.errors import Problem, refusal_of
from support.importer import LEAN
from support.operating.workers import COUNT, FLAGS, caller_of, kill
from support.service import Service, running_service
from support.streams import begun
from support.waiting import eventually

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
LIMITS = ("--quota-bytes-per-second", "20000", "--quota-streams", "1")


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("quotas") / "data"
    limits = (*LIMITS, "--quota-concurrent-calls", "2")
    with running_service(data, *FLAGS, *LEAN, *limits) as service:
        yield service


def places_of(service: Service, tenant: str) -> list[Place]:
    """Return one group, as each worker shows it."""
    token = service.token(tenant)
    callers = [caller_of(service, number, token) for number in range(COUNT)]
    made = make_place(callers[0])
    return [Place(caller, made.project, made.group) for caller in callers]


def assert_exceeded(problem: Problem, quota: str, limit: str) -> None:
    assert (problem.code, problem.retry) == (EXHAUSTED, True)
    assert problem.metadata == {"quota": quota, "limit": limit}


def test_bytes_a_second(crew: Service) -> None:
    first, second = places_of(crew, "bytes")
    first.fill(200, digital_habits="x" * 500)  # some seconds' worth
    assert_exceeded(refusal_of(second.count), "bytes_per_second", "20000")
    other = places_of(crew, "calm")[1]
    assert other.count() == 0


def test_streams(crew: Service) -> None:
    first, second = places_of(crew, "streams")
    stream = begun(first)
    assert_exceeded(refusal_of(lambda: begun(second)), "streams", "1")
    stream.end()
    eventually(lambda: not _is_refused(second))


def test_calls_at_once_and_what_a_killed_worker_had_open(crew: Service) -> None:
    first, second = places_of(crew, "open")
    held = [begun(first)]
    second.create(persona())
    kill(crew, 0)  # with a stream open, which would be one of two calls and the only stream
    eventually(lambda: not _is_refused(second))
    held[0].drop()


def _is_refused(place: Place) -> bool:
    try:
        stream = begun(place)
    except grpc.RpcError as error:
        if error.code() != EXHAUSTED:
            raise
        return True
    stream.end()
    return False
