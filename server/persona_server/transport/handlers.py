"""grpcio's front: an RPC of any kind as handlers of its server, one for each call."""

from collections.abc import Callable, Generator, Iterator
from typing import Any

import grpc

from persona_server.services.call import Call
from persona_server.transport.entrance.calls import StreamCall, UnaryCall
from persona_server.transport.entrance.delivery import Delivery
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.entrance.rates import network_of
from persona_server.transport.entrance.refusals import abort
from persona_server.transport.methods import Method
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.pools import Pools
from persona_server.transport.rpc import ClientGone, Rpc
from persona_server.transport.streams import Streams

# What makes the handler of a call that was let in. Handlers have no serializers: bytes in and out.
MakeHandler = Callable[[Rpc], Any]


class Handlers:
    """Makes what makes handlers. `early` is that of Delivery."""

    def __init__(
        self, pipeline: Pipeline, pools: Pools, streams: Streams, guards: Guards, *, early: bool
    ) -> None:
        self._pipeline = pipeline
        self._pools = pools
        self._streams = streams
        self._answers = guards.answers
        self._delivery = Delivery(guards.unread, early=early)

    def handler(self, method: Method, serve: Callable[..., Any]) -> MakeHandler:
        """Return the handlers of an RPC that a service's method answers."""
        if method.streams_in:
            return self.stream_stream(
                method, lambda rpc, requests: serve(rpc.authenticated(), requests), self._streams
            )
        if method.streams_out:
            return self._unary_stream(method, serve)
        return self._unary_unary(method, serve)

    def _unary_unary(self, method: Method, serve: Callable[[Call, Any], bytes]) -> MakeHandler:
        unary = self._pipeline.unary
        pool = self._pools.intake(method.pool)

        def answered(rpc: Rpc, raw: bytes, context: grpc.ServicerContext) -> bytes:
            answer = unary(rpc, raw, serve)
            if answer is None:
                abort(context, rpc.refusal)
            context.set_trailing_metadata(rpc.trailing)
            return answer

        room = self._answers
        return lambda rpc: UnaryCall(rpc, answered, pool, room)

    def _unary_stream(self, method: Method, serve: Callable[..., Iterator[bytes]]) -> MakeHandler:
        def answers(rpc: Rpc, raw: bytes) -> Iterator[bytes]:
            yield from serve(rpc.authenticated(), self._pipeline.request(rpc, raw))

        pool = self._pools.intake(method.pool)
        streaming = self._streaming(answers, self._streams)
        room = self._answers
        return lambda rpc: UnaryCall(rpc, streaming, pool, room).streaming()

    def stream_stream(
        self,
        method: Method,
        serve: Callable[[Rpc, Iterator[Any]], Iterator[bytes]],
        streams: Streams,
    ) -> MakeHandler:
        """Return the handlers of a client's stream; `serve` takes the call as the pipeline has it.

        Where the RPC is open, nobody is authenticated. Each takes one of the places of `streams`.
        """

        def answers(rpc: Rpc, messages: Iterator[bytes]) -> Iterator[bytes]:
            with streams.reader(messages, rpc, rpc.progressed_at) as reader:
                yield from serve(rpc, (self._pipeline.request(rpc, raw) for raw in reader))

        pool = self._pools.intake(method.pool)
        streaming = self._streaming(answers, streams)
        room = self._answers
        return lambda rpc: grpc.stream_stream_rpc_method_handler(
            StreamCall(rpc, streaming, pool, room)
        )

    def _streaming(
        self, serve: Callable[[Rpc, Any], Iterator[bytes]], streams: Streams
    ) -> Callable[[Rpc, Any, grpc.ServicerContext], Iterator[bytes]]:
        """The same pipeline for as long as a stream lives; `serve` takes what came in, raw."""

        def answers(
            rpc: Rpc, raw: Any, context: grpc.ServicerContext
        ) -> Generator[bytes, None, None]:
            yield from streams.watched(
                rpc.tenant or network_of(rpc.peer),
                context.cancel,
                serve(rpc, raw),
                rpc,
            )
            if not context.is_active():  # grpcio may take a cancelled stream for one at its end
                raise ClientGone

        def streaming(rpc: Rpc, raw: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
            sent = self._pipeline.stream(rpc, answers(rpc, raw, context))
            yield from self._delivery.send(rpc, sent, context, streams)
            if rpc.refusal is not None:
                abort(context, rpc.refusal)
            context.set_trailing_metadata(rpc.trailing)

        return streaming
