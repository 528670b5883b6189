"""R14: work ends by its deadline, or when its caller has left, and 250 ms later at most."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from persona.v1 import library_service_pb2 as pb
from persona.v1.persona_service_pb2 import CreatePersonaRequest
from persona.v1.response_pb2 import RatingAnswer
from support.answers import answer, record
from support.data import Place, make_place, persona, uid
from support.dbfile import connection
from support.importer import LEAN
from support.service import Service, running_service
from support.waiting import eventually

QUESTIONS, SIMULATIONS = 1_000, 30  # half a second of work
DEADLINE, MARGIN = 0.03, 0.25  # seconds
QUEUED = 0.5
SOON = 2.0  # seconds within which the log has a call that has come
pytestmark = pytest.mark.alone  # a quarter of a second is little beside others


class Slow:
    """A service whose heavy reads take long."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.caller = service.connect()
        self.place: Place = make_place(self.caller)
        peers = self.place.fill(6)
        self.one = self.place.create(persona()).id
        for number in range(SIMULATIONS):
            people = [peer.id for peer in peers] if not number else []
            for who in (*people, self.one):
                record(self.caller, uid(), *_answers(who, number))

    def rpc(self, name: str) -> tuple[Any, Any]:
        """Return an RPC and its request."""
        ids = self.place.ids
        requests: dict[str, Any] = {
            "GetReliability": pb.GetReliabilityRequest(**ids, persona_id=self.one),
            "PromotePersona": pb.PromotePersonaRequest(**ids, persona_id=self.one),
        }
        return getattr(self.caller.library, name), requests[name]

    def ended(self, name: str, call: Callable[[], None]) -> dict[str, Any]:
        """Make a call of an RPC, which its caller leaves at once; return the log's line of it.

        It is made again if there is none soon: the server may not have had it by then.
        """
        start = len(self.service.log)

        def line() -> dict[str, Any] | None:
            lines = self.service.log[start:]
            return next((entry for entry in lines if entry.get("method") == name), None)

        def made() -> dict[str, Any] | None:
            call()
            until = time.monotonic() + SOON
            eventually(lambda: line() or time.monotonic() > until)
            return line()

        return eventually(made) or {}


def _answers(who: str, number: int) -> list[Any]:
    return [
        answer(
            who,
            question_key=f"q{i}",
            rating=RatingAnswer(value=1 + (i + number) % 5, min=1, max=5),
        )
        for i in range(QUESTIONS)
    ]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    with running_service(tmp_path_factory.mktemp("slow") / "data", *LEAN) as service:
        yield Slow(service)


DEAR = ("GetReliability", "PromotePersona")


@pytest.mark.parametrize("name", DEAR)
def test_work_ends_with_its_deadline(slow: Slow, name: str) -> None:
    rpc, request = slow.rpc(name)

    def call() -> None:
        with pytest.raises(grpc.RpcError) as late:
            rpc(request, timeout=DEADLINE)
        assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED

    ended = slow.ended(name, call)
    assert ended["code"] == "DEADLINE_EXCEEDED"
    assert ended["duration_ms"] <= (DEADLINE + MARGIN) * 1000


@pytest.mark.parametrize("name", DEAR)
def test_work_ends_when_its_caller_has_left(slow: Slow, name: str) -> None:
    rpc, request = slow.rpc(name)
    start = len(slow.service.log)

    def call() -> None:
        future = rpc.future(request, timeout=60)
        with pytest.raises(grpc.FutureTimeoutError):
            future.result(timeout=DEADLINE)
        future.cancel()

    ended = slow.ended(name, call)
    assert ended["code"] == "CANCELLED"
    assert ended["duration_ms"] <= (DEADLINE + MARGIN) * 1000
    said = slow.service.log[start:]
    assert not [line for line in said if line.get("level") != "info"]  # it is nobody's fault


def test_a_deadline_that_passes_in_the_queue_of_writers_is_told(tmp_path: Path) -> None:
    """The first waits for another process, the second behind it for its turn."""
    with running_service(tmp_path / "data", *LEAN) as service:
        place = make_place(service.connect())
        with connection(service.data) as beside:
            beside.execute("BEGIN IMMEDIATE")
            start = len(service.log)
            request = CreatePersonaRequest(**place.ids, persona=persona())
            calls = [
                place.caller.personas.CreatePersona.future(request, timeout=QUEUED)
                for _ in range(2)
            ]
            for call in calls:
                with pytest.raises(grpc.RpcError):
                    call.result()
                assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            lines = eventually(lambda: _pair(service.log[start:]))
            beside.execute("ROLLBACK")
        for line in lines:
            assert (line["code"], line["reason"]) == ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")
            assert line["duration_ms"] <= (QUEUED + MARGIN) * 1000
        assert place.count() == 0


def _pair(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [line for line in lines if line.get("method") == "CreatePersona"]
    return found if len(found) == 2 else []
