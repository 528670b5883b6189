"""Messages before threads: a call takes a thread of its pool when its message is whole.

grpcio's server takes a thread for a call as soon as its headers are there, and lets it wait for the
message. No public name of it lets a message be received without one, so this uses others, which
`SUPPORTED` tells to be there. Where they are not, threads wait as grpcio has them.
"""

import inspect
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import grpc
from grpc import _server
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from persona.v1 import errors_pb2
from persona_server import errors
from persona_server.errors import ServiceError
from persona_server.transport.entrance.connections import Connections, readable
from persona_server.transport.entrance.receipts import SECONDS, Receipt, Receipts
from persona_server.transport.entrance.refusals import abort
from persona_server.transport.errors import crowded, shutting_down
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.rpc import Rpc
from persona_server.transport.sharing.callers import caller
from persona_server.transport.sharing.pool import DONE, FairPool, FullError
from persona_server.transport.sharing.turns import Work

_TOKEN = "receive_message"  # noqa: S105 (grpcio's word for what a call still waits for)
_ARGUMENTS = ["rpc_event", "state", "behavior", "argument_thunk"]


def _supported() -> bool:
    try:
        given = list(inspect.signature(_server._unary_response_in_pool).parameters)
        state: Any = _server._RPCState()  # type: ignore[no-untyped-call]
        needed = (cygrpc.ReceiveMessageOperation, _server._possibly_finish_call, state.condition)
        return given[:4] == _ARGUMENTS and all(needed) and state.callbacks == []
    except (AttributeError, TypeError, ValueError):
        return False


SUPPORTED = _supported()


class Intake(ThreadPoolExecutor):
    """What grpcio takes for the pool of calls of one message: those go on to `pool` when it came.

    It never has a thread of its own.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        connections: Connections,
        receipts: Receipts,
        pool: FairPool,
    ) -> None:
        super().__init__(1)
        self.pipeline = pipeline
        self.connections = connections
        self.receipts = receipts
        self.pool = pool

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Receive the message of a call, and let the pool go on with it; never waits."""
        if not SUPPORTED:
            return self.pool.submit(fn, *args, **kwargs)
        behaviour: UnaryCall = args[3]
        behaviour.await_message(fn, args)
        return DONE


class UnaryCall(Receipt):
    """A call of one message: what grpcio calls for it, and the place of its message.

    `over` is called when it has ended, however that was. With one answer it is its own
    RpcMethodHandler, of whose attributes grpcio reads these.
    """

    request_streaming = response_streaming = False
    request_deserializer = response_serializer = None

    __slots__ = (
        "_arguments",
        "_goes_on",
        "_over",
        "_peer",
        "_run",
        "_serve",
        "experimental_thread_pool",
        "rpc",
    )

    def __init__(
        self,
        rpc: Rpc,
        serve: Callable[[Rpc, Any, grpc.ServicerContext], Any],
        intake: Intake,
        over: Callable[[Rpc], None],
    ) -> None:
        self.charged = 0
        self.rpc = rpc
        self.experimental_thread_pool = intake  # where grpcio reads it from
        self._serve = serve
        self._over = over
        self._peer = ""
        self._goes_on = False  # whether it is served or refused, and left then

    @property
    def unary_unary(self) -> "UnaryCall":
        """The call: see there."""
        return self

    def __call__(self, raw: bytes, context: grpc.ServicerContext) -> Any:
        """Serve the call."""
        peer = self._peer or readable(context.peer())
        self.rpc.begin(context.time_remaining(), peer, partial(_has_left, context), context.cancel)
        if not SUPPORTED:
            context.add_callback(self._end)
        return self._serve(self.rpc, raw, context)

    def await_message(self, run: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Wait without a thread; grpcio would run `run(respond, event, state, self, …)` now."""
        self._run = run
        self._arguments = arguments
        event, state, rpc = arguments[1], arguments[2], self.rpc
        # Once: core gives up the interpreter's lock twice to tell it.
        self._peer = readable(event.call.peer())
        self.payer = rpc.tenant or rpc.forwarded or self._peer.rpartition(":")[0]
        state.callbacks.append(self._end)
        self.experimental_thread_pool.receipts.add(self)

    def receive(self) -> None:
        """Let the message come."""
        _, event, state, *_ = self._arguments
        with state.condition:
            if state.client != "cancelled":
                receive = (cygrpc.ReceiveMessageOperation(0),)
                event.call.start_server_batch(receive, self._received)
                state.due.add(_TOKEN)

    def turn_away(self, *, late: bool) -> None:
        """Refuse the call, whose message has not come."""
        self._refuse(_late() if late else crowded())

    def _received(self, event: Any) -> Any:
        """Go on with a message, or without one if the client has sent none. On the event thread."""
        raw = event.batch_operations[0].message()
        if self.experimental_thread_pool.receipts.whole(self, 0 if raw is None else len(raw)):
            if raw is None:
                self._refuse(errors.invalid_field("request", "is missing"))
            else:
                self._submit(raw)
        state = self._arguments[2]
        with state.condition:
            return _server._possibly_finish_call(state, _TOKEN)

    def _submit(self, raw: bytes) -> None:
        respond, event, state, _, _, *rest = self._arguments
        self._goes_on = True
        try:
            run = partial(self._run, respond, event, state, self, lambda: raw, *rest)
            self.experimental_thread_pool.pool.add(Work(caller(self.rpc), run))
        except FullError:
            self._refuse(crowded())
        except RuntimeError:  # the pool is closed
            self._refuse(shutting_down())

    def _refuse(self, error: ServiceError) -> None:
        self._goes_on = True
        respond, event, state, _, _, *rest = self._arguments

        def behaviour(_raw: bytes, context: grpc.ServicerContext) -> None:
            pipeline, rpc = self.experimental_thread_pool.pipeline, self.rpc
            rpc.begin(None, self._peer)
            pipeline.fail(rpc, error)
            pipeline.leave(rpc)
            abort(context, rpc.refusal)

        self._run(respond, event, state, behaviour, lambda: b"", *rest)

    def _end(self) -> None:
        intake, rpc = self.experimental_thread_pool, self.rpc
        intake.receipts.over(self)
        self._over(rpc)
        if not SUPPORTED:
            return
        # Taken back while it waited for its turn to receive; what is open to all was never counted.
        if not self._goes_on and rpc.principal is not None:
            rpc.code = "CANCELLED"
            rpc.begin(None, self._peer)
            intake.pipeline.leave(rpc)
        if self._arguments[2].client == "cancelled" and not rpc.forwarded:
            intake.connections.ended_in_nothing(self._peer)


class StreamCall:
    """A call of a stream of messages: what grpcio calls for it, in the pool of the attribute."""

    __slots__ = ("_serve", "experimental_thread_pool", "rpc")

    def __init__(
        self,
        rpc: Rpc,
        serve: Callable[[Rpc, Any, grpc.ServicerContext], Any],
        pool: ThreadPoolExecutor,
    ) -> None:
        self.rpc = rpc
        self.experimental_thread_pool = pool
        self._serve = serve

    def __call__(self, messages: Any, context: grpc.ServicerContext) -> Any:
        """Serve the call, as its messages come."""
        peer, has_left = readable(context.peer()), partial(_has_left, context)
        self.rpc.begin(context.time_remaining(), peer, has_left, context.cancel)
        return self._serve(self.rpc, messages, context)


def _has_left(context: grpc.ServicerContext) -> bool:
    return not context.is_active()


def _late() -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
        f"The message was not whole {SECONDS:.0f} s after its call. Nothing was done.",
        retry_after=1.0,
    )
