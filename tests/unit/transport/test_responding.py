"""Answers without grpcio's own detours: the call ends whatever is raised."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from persona_server.telemetry.logs import LOGGER
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance import responding
from persona_server.transport.entrance.calls import UnaryCall
from persona_server.transport.entrance.connections import Connections
from persona_server.transport.entrance.interceptor import EntranceInterceptor
from persona_server.transport.entrance.refusals import Refusals
from persona_server.transport.methods import Method
from persona_server.transport.options import MOST_CONNECTIONS
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.pools import Pools
from persona_server.transport.rpc import Rpc

METHOD = Method("test.Service", "Do", "read", None, Empty)


def serve(_rpc: Rpc, raw: bytes, context: grpc.ServicerContext) -> bytes:
    """Do as the message says."""
    if raw == b"abort":
        context.set_trailing_metadata((("why", "it was said"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "said so")
    if raw == b"fail":
        raise ValueError("of our own")
    return raw + raw


@pytest.fixture
def call() -> Iterator[Any]:
    pipeline, metrics = Pipeline(()), Metrics()
    connections = Connections(metrics, MOST_CONNECTIONS)
    pools = Pools(pipeline, connections, early=True)
    entrance = EntranceInterceptor(pipeline, Refusals(pipeline, connections, metrics))
    intake = pools.intake("read")
    entrance.add_open(METHOD, intake, lambda rpc: UnaryCall(rpc, serve, intake))
    server = grpc.server(pools["read"], interceptors=[entrance])
    entrance.register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel.unary_unary(METHOD.path)
    server.stop(1.0).wait()
    pools.shutdown()


def test_the_version_of_grpcio_has_the_names() -> None:
    assert responding.SUPPORTED


def test_an_answer_is_sent(call: Any) -> None:
    assert call(b"ab", timeout=10) == b"abab"


def test_an_abort_is_the_status_that_was_said(call: Any) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        call(b"abort", timeout=10)
    error: Any = raised.value
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "said so")
    assert ("why", "it was said") in [tuple(each) for each in error.trailing_metadata()]


def test_a_fault_of_ours_ends_the_call_and_is_logged(
    call: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOGGER, "handlers", [caplog.handler])
    monkeypatch.setattr(LOGGER, "propagate", False)
    with pytest.raises(grpc.RpcError) as raised:
        call(b"fail", timeout=10)
    error: Any = raised.value
    assert error.code() is grpc.StatusCode.UNKNOWN
    assert "of our own" not in str(error.details())
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "of our own"
    ]
