"""Messages before threads: a call takes a thread of its pool when its message is whole.

grpcio's server takes a thread for a call as soon as its headers are there, and lets it wait for the
message. No public name of it lets a message be received without one, so this uses others, which
`SUPPORTED` tells to be there. Where they are not, threads wait as grpcio has them.
"""

import inspect
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, NoReturn

import grpc
from grpc import _server
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from persona_server.errors import ServiceError
from persona_server.transport.entrance.answers import Answers, too_much
from persona_server.transport.entrance.awaited import Awaited
from persona_server.transport.entrance.connections import (
    LASTING,
    SERVED,
    UNSERVED,
    WASTED,
    Connections,
    readable,
)
from persona_server.transport.entrance.places import Places
from persona_server.transport.entrance.rates import network_of
from persona_server.transport.entrance.receipts import Receipt, Receipts
from persona_server.transport.entrance.refusals import abort
from persona_server.transport.entrance.responding import responder_of
from persona_server.transport.errors import crowded, shutting_down
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.rpc import Rpc
from persona_server.transport.sharing.callers import caller
from persona_server.transport.sharing.pool import DONE, FairPool, FullError
from persona_server.transport.sharing.turns import Work

_ARGUMENTS = ["rpc_event", "state", "behavior", "argument_thunk"]
_TOO_LONG = "MESSAGE_TOO_LARGE"  # the reason of calls whose message is


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
    `early`, or without the names of grpcio that it needs, a thread waits for the message: not for
    long, see awaited.py.
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
        self.awaited = Awaited()
        self.places = places
        self.pipeline = pipeline
        self.connections = connections
        self.receipts = receipts
        self.pool = pool

    def has_room(self, rpc: Rpc) -> bool:
        """Return whether a call may be handed over: always, where it can still be refused then."""
        return self.early or self.pool.has_room(caller(rpc))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a call in, or refuse it; never waits."""
        call: Arrival
        if self.early:
            call = args[3]
            call.arrive(fn, args)
        else:
            call = next(one for one in args if isinstance(one, Arrival))
            self.pool.add(Work(caller(call.rpc), partial(call.wait, partial(fn, *args, **kwargs))))
        return DONE


class Arrival(Receipt):
    """What grpcio calls for a call, in the pool of the attribute.

    With `answers` it waits until there is room for its own, and is told of when it has ended.
    """

    __slots__ = (
        "_answers",
        "_arguments",
        "_goes_on",
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
        answers: Answers | None = None,
    ) -> None:
        super().__init__()
        self.rpc = rpc
        self.experimental_thread_pool = intake  # where grpcio reads it from
        self._serve = serve
        self._answers = answers
        self._peer = ""
        self._goes_on = False  # whether it is served or refused, and left then

    def __call__(self, given: Any, context: grpc.ServicerContext) -> Any:
        """Serve the call with its message, or its messages as they come."""
        intake = self.experimental_thread_pool
        if intake.early:
            has_left = partial(_was_taken_back, self._arguments[2])
        else:
            has_left = partial(_has_left, context)
            self._peer = readable(context.peer())
            if not context.add_callback(self._end):  # nobody waits for an answer any more
                self._count_as_taken_back()
                return iter(())
            given = self._awaited(given, context)
            self._goes_on = True
            self._require_room(context)
        if not intake.places:
            intake.connections.served(self._peer)
        self.rpc.begin(context.time_remaining(), self._peer, has_left, context.cancel)
        return self._serve(self.rpc, given, context)

    def _awaited(self, given: Any, _context: grpc.ServicerContext) -> Any:
        """Return what is served, if a thread has to wait for that."""
        return given

    def _require_room(self, context: grpc.ServicerContext) -> None:
        """Refuse the call if its answer has no room: this thread would have to wait for that."""
        self.rpc.peer = self.rpc.forwarded or self._peer
        try:
            if self._answers is not None:
                self._answers.require_room(self.rpc)
        except ServiceError as error:
            self._abort(context, error)

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
        # Without itself: what refers to itself stays until the collector of cycles comes, and with
        # it core's memory of hundreds of calls, out of the processor's caches.
        self._arguments = (responder_of(arguments[0]), *arguments[1:3], None, *arguments[4:])
        event, state, rpc = arguments[1], arguments[2], self.rpc
        # Once: core gives up the interpreter's lock twice to tell it.
        intake, self._peer = self.experimental_thread_pool, readable(event.call.peer())
        rpc.peer = rpc.forwarded or self._peer
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
        run = partial(self._run, respond, event, state, self, given, *rest)
        self._queue(run if self._answers is None else partial(self._begin, self._answers, run))

    def _queue(self, run: Callable[[], object]) -> None:
        try:
            self.experimental_thread_pool.pool.add(Work(caller(self.rpc), run))
        except FullError:
            self._full()
        except RuntimeError:  # the pool is closed
            self._refuse(shutting_down())

    def _begin(self, answers: Answers, run: Callable[[], object]) -> None:
        """Serve the call in this thread, or give that back until there is room for its answer."""
        if answers.begin(self.rpc, partial(self._queue, run), self._give_up):
            run()
            if _was_taken_back(self._arguments[2]):  # and may have been over before it had room
                answers.over(self.rpc)
        elif _was_taken_back(self._arguments[2]) and answers.over(self.rpc):  # before it waited
            self._leave()

    def _give_up(self) -> None:
        self._refuse(too_much())

    def _full(self) -> None:
        self._refuse(crowded())

    def _refuse_counted(self, error: ServiceError) -> None:
        """Refuse a call of who makes too many, and count it, as it may be one of a storm."""
        if not self.rpc.forwarded:
            over = self._ended_in_nothing(UNSERVED)
            self.rpc.is_logged = not over
        self._refuse(error)

    def _refuse(self, error: ServiceError) -> None:
        self._goes_on = True
        respond, event, state, _, _, *rest = self._arguments

        def behaviour(_given: Any, context: grpc.ServicerContext) -> None:
            self._abort(context, error)

        self._run(respond, event, state, behaviour, lambda: b"", *rest)

    def _abort(self, context: grpc.ServicerContext, error: ServiceError) -> NoReturn:
        pipeline, rpc = self.experimental_thread_pool.pipeline, self.rpc
        rpc.begin(None, self._peer)
        pipeline.fail(rpc, error)
        pipeline.leave(rpc)
        abort(context, rpc.refusal)

    def _end(self) -> None:
        intake, rpc = self.experimental_thread_pool, self.rpc
        intake.receipts.over(self)
        if intake.places:
            intake.places.give_back(self)
        waited = self._answers is not None and self._answers.over(rpc)
        if rpc.reason == _TOO_LONG and not rpc.forwarded:
            self._ended_in_nothing(WASTED)
        if not intake.early:
            if not self._goes_on or rpc.counted:  # as it is until it was left
                self._count_as_taken_back()
            return
        # Taken back while it waited for its turn to receive; what is open to all was never counted.
        if waited or (not self._goes_on and rpc.principal is not None):
            self._leave()
        if _was_taken_back(self._arguments[2]):
            self._count_as_taken_back()

    def _count_as_taken_back(self) -> None:
        rpc = self.rpc
        if not rpc.forwarded:
            asked = self._goes_on and not rpc.method.streams_in
            self._ended_in_nothing(SERVED if asked else UNSERVED)

    def _ended_in_nothing(self, cost: float) -> bool:
        intake = self.experimental_thread_pool
        return intake.connections.ended_in_nothing(self._peer, LASTING if intake.places else cost)

    def _leave(self) -> None:
        """Leave a call that was taken back before it was served."""
        self.rpc.code = "CANCELLED"
        self.rpc.begin(None, self._peer)
        self.experimental_thread_pool.pipeline.leave(self.rpc)


def _was_taken_back(state: Any) -> bool:
    return bool(state.client == "cancelled")


def _has_left(context: grpc.ServicerContext) -> bool:
    return not context.is_active()
