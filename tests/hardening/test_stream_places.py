"""Who holds a stream's place: not reflection, and nobody whose token has expired."""

import queue
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from persona_server.storage.store import open_store
from persona_server.tokens import local_key
from persona_server.transport.pools import REFLECTIONS
from support.data import make_place, persona
from support.errors import problem_of, refusal_of
from support.importer import LEAN
from support.service import Service, running_service
from support.streams import begun

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
    tokens = [alone.token(f"curious-{i}", "projects:read") for i in range(REFLECTIONS)]
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
    store = open_store(service.data, make=False)
    try:
        scopes = ["personas:read", "personas:write", "projects:write", "projects:read"]
        return local_key(store).issue("brief", "tests", scopes, seconds)
    finally:
        store.close()


def test_a_stream_ends_with_its_token(alone: Service) -> None:
    place = make_place(alone.connect(token_of(alone, VALID)))
    stream = begun(place)
    assert stream.batch(1, [persona()]) == (1, 1)
    with pytest.raises(grpc.RpcError) as ended:
        next(stream.call)
    problem = problem_of(ended.value)
    assert (problem.code, problem.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    assert problem.metadata["committed_sequence"] == "1"
