"""Streams that nobody moves give their place back. Each takes the 30 s that the contract names."""

from collections.abc import Callable

import grpc
import pytest

from persona.v1 import persona_service_pb2 as pb
from support.data import make_place, persona
from support.errors import Problem, problem_of, refusal_of
from support.service import Service
from support.streams import begun
from support.waiting import eventually


@pytest.fixture(autouse=True)
def long_form(rounds: Callable[[int, int], int]) -> None:
    """These only run at full length."""
    if rounds(0, 1) == 0:
        pytest.skip("takes 30 s: make torture")


def test_a_silent_import_ends_and_can_be_resumed(own: Service) -> None:
    place = make_place(own.connect())
    stream = begun(place)
    assert stream.batch(1, [persona()]) == (1, 1)
    problem = refusal_of(lambda: next(stream.call))
    assert (problem.reason, problem.retry) == ("STREAM_IDLE", True)
    assert problem.metadata["committed_sequence"] == "1"
    assert begun(place, stream.import_id).batch(2, [persona()]) == (2, 2)


def test_an_import_that_brings_nothing_new_ends(own: Service) -> None:
    """However busy it is: batches that are on disk already keep no place."""
    place, one = make_place(own.connect(own.token("repeating"))), persona()
    stream = begun(place)
    assert stream.batch(1, [one]) == (1, 1)

    def repeat() -> Problem | None:
        try:
            assert stream.batch(1, [one]) == (1, 1)
        except grpc.RpcError as error:
            return problem_of(error)
        return None

    problem = eventually(repeat, 60)
    assert problem is not None
    assert (problem.reason, problem.retry) == ("STREAM_IDLE", True)
    assert problem.metadata["committed_sequence"] == "1"


def test_an_export_that_is_not_read_ends(own: Service) -> None:
    place = make_place(own.connect(own.token("stalled")))
    for _ in range(6):
        place.fill(90, attributes={"a": "y" * 32_000})
    call = place.caller.personas.ExportPersonas(pb.ExportPersonasRequest(**place.ids))
    next(iter(call))

    def logged() -> list[str]:
        lines = [line for line in own.log if line.get("method") == "ExportPersonas"]
        return [line["code"] for line in lines if line.get("tenant") == "stalled"]

    assert eventually(logged, 60) == ["CANCELLED"]
