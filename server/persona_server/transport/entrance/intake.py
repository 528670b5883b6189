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
from persona_server.transport.entrance.connections import (
    SERVED,
    UNSERVED,
    Connections,
    readable,
)
from persona_server.transport.entrance.places import Places
from persona_server.transport.entrance.rates import network_of
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
    """What grpcio takes for a pool: calls go on to `pool`, those of one message when it has come.

    It never has a thread of its own. `places` are those that a call needs to be let in. If not
    `early`, or without the names of grpcio that it needs, a thread waits for the message.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        connections: Connections,
        receipts: Receipts,
        pool: FairPool,
        places: Places | None = None,
        *,
        early: bool,
    ) -> None:
        super().__init__(1)
        self.early = early and SUPPORTED
        self.places = places
        self.pipeline = pipeline
        self.connections = connections
        self.receipts = receipts
        self.pool = pool

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a call in, or refuse it; never waits."""
        call: _Call
        if self.early:
            call = args[3]
            call.arrive(fn, args)
        else:
            call = next(one for one in args if isinstance(one, _Call))
            self.pool.add(Work(caller(call.rpc), partial(call.wait, partial(fn, *args, **kwargs))))
        return DONE


class _Call(Receipt):
    """What grpcio calls for a call, in the pool of the attribute.

    `over` is called when it has ended, however that was.
    """

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
        super().__init__()
        self.rpc = rpc
        self.experimental_thread_pool = intake  # where grpcio reads it from
        self._serve = serve
        self._over = over
        self._peer = ""
        self._goes_on = False  # whether it is served or refused, and left then

    def __call__(self, given: Any, context: grpc.ServicerContext) -> Any:
        """Serve the call with its message, or its messages as they come."""
        if not self.experimental_thread_pool.early:
            if not context.add_callback(self._end):
                return iter(())  # nobody waits for an answer any more
            self._goes_on = True
        peer = self._peer or readable(context.peer())
        self.rpc.begin(context.time_remaining(), peer, partial(_has_left, context), context.cancel)
        return self._serve(self.rpc, given, context)

    def wait(self, run: Callable[[], Any]) -> None:
        """Let grpcio wait for the message in this thread, and serve the call if one comes."""
        run()
        if not self._goes_on and self.rpc.principal is not None:
            self._leave()

    def arrive(self, run: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Let the call in without a thread; grpcio would run `run(respond, event, state, self, …)`.

        On the event thread.
        """
        self._run = run
        self._arguments = arguments
        event, state, rpc = arguments[1], arguments[2], self.rpc
        # Once: core gives up the interpreter's lock twice to tell it.
        intake, self._peer = self.experimental_thread_pool, readable(event.call.peer())
        self.payer = rpc.tenant or rpc.forwarded or network_of(self._peer)
        state.callbacks.append(self._end)
        if intake.connections.has_closed(self._peer):
            rpc.is_logged = False
            event.call.cancel()
        elif intake.places and not intake.places.take(self):
            self._refuse_counted(intake.places.refusal())
        else:
            self.let_in()

    def let_in(self) -> None:
        """Called when there is a place for the call."""
        raise NotImplementedError

    def _submit(self, given: Callable[[], Any]) -> None:
        respond, event, state, _, _, *rest = self._arguments
        self._goes_on = True
        try:
            run = partial(self._run, respond, event, state, self, given, *rest)
            self.experimental_thread_pool.pool.add(Work(caller(self.rpc), run))
        except FullError:
            self._full()
        except RuntimeError:  # the pool is closed
            self._refuse(shutting_down())

    def _full(self) -> None:
        self._refuse(crowded())

    def _refuse_counted(self, error: ServiceError) -> None:
        """Refuse a call of who makes too many, and count it, as it may be one of a storm."""
        if not self.rpc.forwarded:
            over = self.experimental_thread_pool.connections.ended_in_nothing(self._peer)
            self.rpc.is_logged = not over
        self._refuse(error)

    def _refuse(self, error: ServiceError) -> None:
        self._goes_on = True
        respond, event, state, _, _, *rest = self._arguments

        def behaviour(_given: Any, context: grpc.ServicerContext) -> None:
            pipeline, rpc = self.experimental_thread_pool.pipeline, self.rpc
            rpc.begin(None, self._peer)
            pipeline.fail(rpc, error)
            pipeline.leave(rpc)
            abort(context, rpc.refusal)

        self._run(respond, event, state, behaviour, lambda: b"", *rest)

    def _end(self) -> None:
        intake, rpc = self.experimental_thread_pool, self.rpc
        intake.receipts.over(self)
        if intake.places:
            intake.places.give_back(self)
        self._over(rpc)
        if not intake.early:
            return
        # Taken back while it waited for its turn to receive; what is open to all was never counted.
        if not self._goes_on and rpc.principal is not None:
            self._leave()
        if self._arguments[2].client == "cancelled" and not rpc.forwarded:
            asked = self._goes_on and not rpc.method.streams_in
            intake.connections.ended_in_nothing(self._peer, SERVED if asked else UNSERVED)

    def _leave(self) -> None:
        """Leave a call that was taken back before it was served."""
        self.rpc.code = "CANCELLED"
        self.rpc.begin(None, self._peer)
        self.experimental_thread_pool.pipeline.leave(self.rpc)


class UnaryCall(_Call):
    """A call of one message, and the place of that.

    With one answer it is its own RpcMethodHandler, of whose attributes grpcio reads these.
    """

    __slots__ = ()

    request_streaming = response_streaming = False
    request_deserializer = response_serializer = None

    @property
    def unary_unary(self) -> "UnaryCall":
        """The call: see there."""
        return self

    def let_in(self) -> None:
        """Wait for the message without a thread."""
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
        if late:
            self._refuse(_late())
        elif self.rpc.principal is None:
            self._refuse_counted(crowded())
        else:
            self._refuse(crowded())

    def _received(self, event: Any) -> Any:
        """Go on with a message, or without one if the client has sent none. On the event thread."""
        raw, state = event.batch_operations[0].message(), self._arguments[2]
        whole = self.experimental_thread_pool.receipts.whole(self, 0 if raw is None else len(raw))
        # No thread for what was taken back: a storm of such calls would keep all of them busy.
        if whole and state.client != "cancelled":
            if raw is None:
                self._refuse(errors.invalid_field("request", "is missing"))
            else:
                self._submit(lambda: raw)
        with state.condition:
            return _server._possibly_finish_call(state, _TOKEN)


class StreamCall(_Call):
    """A call of a stream of messages, which takes a thread at once."""

    __slots__ = ()

    def let_in(self) -> None:
        """Let a thread take it."""
        self._submit(self._arguments[4])

    def _full(self) -> None:
        self._refuse_counted(crowded())


def _has_left(context: grpc.ServicerContext) -> bool:
    return not context.is_active()


def _late() -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
        f"The message was not whole {SECONDS:.0f} s after its call. Nothing was done.",
        retry_after=1.0,
    )
