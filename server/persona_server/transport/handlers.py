"""grpcio's front: an RPC of any kind as a handler of its server. Here alone a call is aborted."""

from collections.abc import Callable, Generator, Iterator
from typing import Any, NoReturn
from urllib.parse import unquote

import grpc

from persona_server.transport.methods import Method
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.pools import Pools
from persona_server.transport.rpc import ClientGone, Refusal, Rpc
from persona_server.transport.streams import Streams


class Handlers:
    """Makes handlers. They have no serializers: bytes in, bytes out."""

    def __init__(self, pipeline: Pipeline, pools: Pools, streams: Streams) -> None:
        self._pipeline = pipeline
        self._pools = pools
        self._streams = streams

    def handler(self, method: Method, serve: Callable[..., Any]) -> Any:
        """Return the handler of an RPC that a service's method answers."""
        if method.streams_in:
            return self.stream_stream(
                method, lambda rpc, requests: serve(rpc.authenticated(), requests)
            )
        if method.streams_out:
            return self._unary_stream(method, serve)
        return self._unary_unary(method, serve)

    def _unary_unary(self, method: Method, serve: Callable[..., bytes]) -> Any:
        unary = self._pipeline.unary

        def behaviour(raw: bytes, context: grpc.ServicerContext) -> bytes:
            rpc = _rpc(method, context)
            answer = unary(rpc, raw, serve)
            if answer is None:
                _refuse(context, rpc.refusal)
            return answer

        return grpc.unary_unary_rpc_method_handler(self._pools.bind(behaviour, method.pool))

    def _unary_stream(self, method: Method, serve: Callable[..., Iterator[bytes]]) -> Any:
        def answers(rpc: Rpc, raw: bytes) -> Iterator[bytes]:
            yield from serve(rpc.authenticated(), self._pipeline.request(rpc, raw))

        return grpc.unary_stream_rpc_method_handler(self._streaming(method, answers))

    def stream_stream(
        self, method: Method, serve: Callable[[Rpc, Iterator[Any]], Iterator[bytes]]
    ) -> Any:
        """Return the handler of a client's stream; `serve` takes the call as the pipeline has it.

        Where the RPC is open, nobody is authenticated.
        """

        def answers(rpc: Rpc, messages: Iterator[bytes]) -> Iterator[bytes]:
            with self._streams.reader(messages) as reader:
                yield from serve(rpc, (self._pipeline.request(rpc, raw) for raw in reader))

        return grpc.stream_stream_rpc_method_handler(self._streaming(method, answers))

    def _streaming(
        self, method: Method, serve: Callable[[Rpc, Any], Iterator[bytes]]
    ) -> Callable[..., Any]:
        """The same pipeline for as long as a stream lives; `serve` takes what came in, raw."""

        def answers(
            rpc: Rpc, raw: Any, context: grpc.ServicerContext
        ) -> Generator[bytes, None, None]:
            yield from self._streams.watched(rpc.tenant, context.cancel, serve(rpc, raw))
            if not context.is_active():  # grpcio may take a cancelled stream for one at its end
                raise ClientGone

        def behaviour(raw: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
            rpc = _rpc(method, context)
            yield from self._pipeline.stream(rpc, answers(rpc, raw, context))
            if rpc.refusal is not None:
                _refuse(context, rpc.refusal)

        return self._pools.bind(behaviour, method.pool)


def _rpc(method: Method, context: grpc.ServicerContext) -> Rpc:
    peer = unquote(context.peer().partition(":")[2])  # such as "ipv6:%5B::1%5D:50051"
    return Rpc(method, context.invocation_metadata() or (), context.time_remaining(), peer)


def _refuse(context: grpc.ServicerContext, refusal: Refusal | None) -> NoReturn:
    assert refusal is not None
    # abort_with_status() would put the status's metadata in the place of ours.
    context.set_trailing_metadata(refusal.trailing)
    context.abort(refusal.code, refusal.details)
    raise AssertionError("abort() raises")
