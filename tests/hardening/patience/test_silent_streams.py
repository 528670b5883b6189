"""Streams that nobody moves give their place back, and say so; so do connections of who is gone.

In the short form the server's limit is five seconds; in the long one it is the 30 s of its default.
"""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_service_pb2_grpc import PersonaServiceStub
from persona_server.transport.entrance import delivery
from support.attacks import silent
from support.attacks.frames import PING, message, request
from support.data import make_place, persona, uid
from support.errors import Problem, problem_of, refusal_of
from support.importer import LEAN
from support.service import Service, running_service
from support.streams import begun
from support.waiting import eventually

CHECK = "/grpc.health.v1.Health/Check"
STREAMS = 8  # of a tenant, by default


@pytest.fixture(scope="module")
def idle(rounds: Callable[[int, int], int]) -> int:
    """The server's limit, in seconds."""
    return rounds(5, 30)


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory, idle: int) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("silent") / "data"
    with running_service(data, *LEAN, "--stream-idle-seconds", str(idle)) as service:
        yield service


# A window that does not grow: what is not read stays at the server.
OPTIONS = (("grpc.max_receive_message_length", 8 << 20), ("grpc.http2.bdp_probe", 0))


class Exports:
    """A group whose export is more than a connection takes unread, of a tenant of its own."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._tenant = uid()
        self._before = 0
        token = service.token(self._tenant)
        self._stub = PersonaServiceStub(grpc.insecure_channel(service.grpc, OPTIONS))
        self._metadata = (("authorization", f"Bearer {token}"),)
        self.place = make_place(service.connect(token))
        for _ in range(3):
            self.place.fill(90, attributes={"a": "y" * 32_000})

    def forget(self) -> None:
        """Leave what has ended so far out of what `ended` returns."""
        self._before = len(self._ends())

    def begin(self) -> Any:
        """Open an export."""
        request = pb.ExportPersonasRequest(**self.place.ids)
        return self._stub.ExportPersonas(request, metadata=self._metadata)

    def begun(self, number: int) -> list[Any]:
        """Open exports, and read the first chunk of each."""
        calls = [self.begin() for _ in range(number)]
        for call in calls:
            next(call)
        return calls

    def ended(self) -> list[str]:
        """Return the code of each that has ended as nobody read it, or as its reader left."""
        return self._ends()[self._before :]

    def _ends(self) -> list[str]:
        lines = [line for line in self._service.log if line.get("method") == "ExportPersonas"]
        codes = [line["code"] for line in lines if line["tenant"] == self._tenant]
        return [code for code in codes if code in ("UNAVAILABLE", "CANCELLED")]


@pytest.fixture(scope="module")
def crowd(impatient: Service) -> Exports:
    return Exports(impatient)


@pytest.fixture
def exports(crowd: Exports) -> Exports:
    crowd.forget()
    return crowd


def test_a_silent_import_ends_and_can_be_resumed(impatient: Service) -> None:
    place = make_place(impatient.connect())
    stream = begun(place)
    assert stream.batch(1, [persona()]) == (1, 1)
    problem = refusal_of(lambda: next(stream.call))
    assert (problem.reason, problem.retry) == ("STREAM_IDLE", True)
    assert problem.metadata["committed_sequence"] == "1"
    assert begun(place, stream.import_id).batch(2, [persona()]) == (2, 2)


def test_an_import_that_brings_nothing_new_ends(impatient: Service, idle: int) -> None:
    """However busy it is: batches that are on disk already keep no place."""
    place, one = make_place(impatient.connect(impatient.token("repeating"))), persona()
    stream = begun(place)
    assert stream.batch(1, [one]) == (1, 1)

    def repeat() -> Problem | None:
        try:
            assert stream.batch(1, [one]) == (1, 1)
        except grpc.RpcError as error:
            return problem_of(error)
        return None

    problem = eventually(repeat, 20 + 2 * idle)
    assert problem is not None
    assert (problem.reason, problem.retry) == ("STREAM_IDLE", True)
    assert problem.metadata["committed_sequence"] == "1"


@pytest.mark.early
def test_an_export_that_is_not_read_ends_and_resumes(exports: Exports, idle: int) -> None:
    """Whoever reads on gets what was under way, whole, and then why it ended."""
    call = exports.begin()
    chunks = [next(call)]
    assert eventually(exports.ended, 20 + 2 * idle) == ["UNAVAILABLE"]
    problem = refusal_of(lambda: chunks.extend(call))
    assert (problem.reason, problem.retry) == ("STREAM_IDLE", True)
    assert problem.code == grpc.StatusCode.UNAVAILABLE
    rest = exports.place.export(resume_token=chunks[-1].resume_token)
    found = [one.id for chunk in (*chunks, *rest) for one in chunk.personas]
    assert found == [one.id for one in exports.place.walk()]


@pytest.mark.early
def test_exports_that_are_not_read_hold_no_places(exports: Exports, idle: int) -> None:
    held = exports.begun(STREAMS)
    assert refusal_of(lambda: next(exports.begin())).reason == "TOO_MANY_STREAMS"
    eventually(lambda: len(exports.ended()) == STREAMS, 20 + 2 * idle)
    again = exports.begun(STREAMS)
    for call in (*held, *again):
        call.cancel()
    eventually(lambda: exports.ended()[STREAMS:] == ["CANCELLED"] * STREAMS)


@pytest.mark.early
def test_little_is_kept_for_readers_that_come_late(exports: Exports, idle: int) -> None:
    """Whoever finds nothing any more is told to come again all the same, without details."""
    held = exports.begun(STREAMS)
    eventually(lambda: len(exports.ended()) == STREAMS, 20 + 2 * idle)
    told = 0
    for call in held:
        with pytest.raises(grpc.RpcError) as raised:
            list(call)
        error: Any = raised.value
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        assert "again to resume" in error.details()
        told += rpc_status.from_call(error) is not None
    size = max(chunk.ByteSize() for chunk in exports.place.export())
    assert 0 < told <= delivery.MOST // size


def test_connections_without_calls_are_pinged(
    impatient: Service, rounds: Callable[[int, int], int]
) -> None:
    """Who answers stays; who is gone, which nothing else would tell, leaves its place."""
    if rounds(0, 1) == 0:
        pytest.skip("takes two minutes: make torture")
    with silent.connected(impatient.grpc, 2) as (gone, there):
        for connection in (gone, there):
            stream = connection.open(request(CHECK))
            connection.data(stream, message(b""), end=True)
            silent.all_over(connection, [stream])
        silent.pump_for([there], 62)
        pinged = there.got[PING]
        silent.pump_for([there], 62)  # both were pinged at once, and had a minute to answer
        gone.pump()  # what came before the end
        gone.pump()
        assert (pinged, gone.closed, there.closed) == (1, True, False)
