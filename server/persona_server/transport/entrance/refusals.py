"""Refusals of calls that are not let in: sent without a thread, and slowly to who makes many."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, NoReturn

import grpc

from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance.connections import Connections, readable
from persona_server.transport.entrance.rates import Rates, network_of
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.rpc import Refusal, Rpc
from persona_server.transport.sharing.pool import DONE

A_SECOND, BURST = 100.0, 400.0  # refusals of an address that are sent at once
HELD_SECONDS = 1.0  # how long every further one waits
MOST_HELD = 1_000
_NO_SUCH_RPC = Refusal(grpc.StatusCode.UNIMPLEMENTED, "Method not found!", ())


class Inline(ThreadPoolExecutor):
    """Does at once what it is given, on gRPC's event thread: only for what never waits.

    grpcio takes no other type of pool; this one never has a thread.
    """

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it, and return a future that is done."""
        fn(*args, **kwargs)
        return DONE


INLINE = Inline(1)


class _Held(NamedTuple):
    due: float
    refusal: Refusal
    context: grpc.ServicerContext
    send: Callable[[None], None]


class Refusals:
    """Sends refusals. A client that keeps to its 100 calls at once is slowed down by what waits."""

    def __init__(self, pipeline: Pipeline, connections: Connections, metrics: Metrics) -> None:
        self._pipeline = pipeline
        self._connections = connections
        self._metrics = metrics
        self._rates = Rates(A_SECOND, BURST)
        self._held: deque[_Held] = deque()

    def handler(self, rpc: Rpc) -> Any:
        """Return what lets grpcio send the refusal of a call, whatever kind of call it is."""
        return grpc.stream_stream_rpc_method_handler(_Refused(self, rpc))

    def unknown(self) -> Any:
        """Return what lets grpcio refuse a call of an RPC that there is not."""
        return grpc.stream_stream_rpc_method_handler(_Unknown(self._connections))

    def send(self, rpc: Rpc, context: grpc.ServicerContext, send: Callable[[None], None]) -> None:
        """Send a refusal, or let it wait; never waits itself. Aborts the call."""
        peer = readable(context.peer())
        if self._connections.has_closed(peer):  # only its quota's count of calls has to know
            rpc.is_logged = False
            self._pipeline.leave(rpc)
            context.cancel()
            return
        rpc.begin(None, peer)
        if rpc.forwarded:
            self._connections.served(peer)
        offends = not rpc.forwarded and self._connections.ended_in_nothing(peer)
        refusal, now = rpc.refusal, time.monotonic()
        assert refusal is not None
        rpc.is_logged = self._rates.take(network_of(rpc.peer), now)  # the others have a metric
        self._pipeline.leave(rpc)
        if rpc.is_logged:
            abort(context, refusal)
        self._metrics.held_back.inc()
        if offends or len(self._held) >= MOST_HELD:
            abort(context, refusal)
        self._held.append(_Held(now + HELD_SECONDS, refusal, context, send))

    def tick(self, now: float) -> None:
        """Send what has waited long enough."""
        while self._held and self._held[0].due <= now:
            held = self._held.popleft()
            held.context.set_trailing_metadata(held.refusal.trailing)
            held.context.set_code(held.refusal.code)
            held.context.set_details(held.refusal.details)
            held.send(None)


class _Refused:
    """What grpcio calls for a refused call; by the attributes, at once and without reading."""

    __slots__ = ("_refusals", "_rpc")

    experimental_non_blocking = True
    experimental_thread_pool = INLINE

    def __init__(self, refusals: Refusals, rpc: Rpc) -> None:
        self._refusals = refusals
        self._rpc = rpc

    def __call__(
        self, _messages: Any, context: grpc.ServicerContext, send: Callable[[None], None]
    ) -> None:
        self._refusals.send(self._rpc, context, send)


class _Unknown:
    """What grpcio calls for a call of an RPC that there is not."""

    __slots__ = ("_connections",)

    experimental_non_blocking = True
    experimental_thread_pool = INLINE

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def __call__(
        self, _messages: Any, context: grpc.ServicerContext, _send: Callable[[None], None]
    ) -> None:
        self._connections.ended_in_nothing(readable(context.peer()))
        abort(context, _NO_SUCH_RPC)


def abort(context: grpc.ServicerContext, refusal: Refusal | None) -> NoReturn:
    """End a call with a refusal. Raises what grpcio wants raised then."""
    assert refusal is not None
    # abort_with_status() would put the status's metadata in the place of ours.
    context.set_trailing_metadata(refusal.trailing)
    context.abort(refusal.code, refusal.details)
    raise AssertionError("abort() raises")
