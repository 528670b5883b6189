"""Who holds a stream's place: not reflection, and nobody whose token has expired."""

import itertools
import queue
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from persona_server.identity.principal import LEEWAY
from persona_server.identity.tokens import local_key
from persona_server.storage.store import open_store
from persona_server.transport.pools import MAX_REFLECTIONS
from support.data import make_place, persona
from support.errors import Problem, problem_of, refusal_of
from support.importer import LEAN
from support.service import Service, running_service
from support.streams import begun
from support.waiting import eventually

STREAMS = 8  # of a tenant, by default
VALID = 4  # seconds


class Reflection:
    """An open stream of reflection, which answers one question after the other."""

    def __init__(self, service: Service, token: str) -> None:
        self._channel = grpc.insecure_channel(service.grpc)
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(self._channel)
        metadata = (("authorization", f"Bearer {token}"),)
        requests = iter(self._requests.get, None)
        self.call = stub.ServerReflectionInfo(requests, metadata=metadata, timeout=60)

    def ask(self) -> int:
        """Return how many services there are."""
        self._requests.put(reflection_pb2.ServerReflectionRequest(list_services=""))
        return len(next(self.call).list_services_response.service)

    def close(self) -> None:
        self._channel.close()
        self._requests.put(None)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("places") / "data", *LEAN) as service:
        yield service


def test_reflection_takes_no_place_of_imports(alone: Service) -> None:
    tokens = [alone.token(f"curious-{i}", "projects:read") for i in range(MAX_REFLECTIONS)]
    held = [Reflection(alone, token) for token in tokens]
    assert all(stream.ask() > 3 for stream in held)
    late = Reflection(alone, alone.token("late", "projects:read"))
    problem = refusal_of(late.ask)
    assert (problem.reason, problem.retry) == ("TOO_MANY_STREAMS", True)
    place = make_place(alone.connect())
    imports = [begun(place) for _ in range(STREAMS)]
    assert all(stream.ask() > 3 for stream in held)
    for stream in imports:
        stream.end()
    for reflecting in (*held, late):
        reflecting.close()


def token_of(service: Service, seconds: int) -> str:
    store = open_store(service.place, make=False)
    try:
        scopes = ["personas:read", "personas:write", "projects:write", "projects:read"]
        return local_key(store).issue("brief", "tests", scopes, seconds)
    finally:
        store.close()


def test_a_stream_ends_with_its_token(alone: Service, rounds: Callable[[int, int], int]) -> None:
    """However busy it is; a token is taken for LEEWAY longer than it says, as ever."""
    if rounds(0, 1) == 0:
        pytest.skip("takes a minute: make torture")
    place = make_place(alone.connect(token_of(alone, VALID)))
    stream, sequences = begun(place), itertools.count(1)

    def refused() -> Problem | None:
        try:
            stream.batch(next(sequences), [persona()])
        except grpc.RpcError as error:
            return problem_of(error)
        return None

    problem = eventually(refused, VALID + LEEWAY + 5)
    assert problem is not None
    assert problem.code == grpc.StatusCode.UNAUTHENTICATED
    assert int(problem.metadata["committed_sequence"]) == next(sequences) - 2
