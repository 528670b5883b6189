"""Threads that serve tenants in turn, in place of a ThreadPoolExecutor's one queue."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from persona_server.telemetry.logs import LOGGER
from persona_server.transport.sharing.costs import Costs
from persona_server.transport.sharing.turns import Caller, Load, PoolLimits, Turns, Work


class _Done(Future[None]):
    """A future that is done, of which nobody waits: all that it is asked for costs nothing."""

    def add_done_callback(self, fn: Callable[[Future[None]], object]) -> None:
        fn(self)


# grpcio counts calls by what submit() returns, for a limit that this server does not set.
DONE = _Done()
DONE.set_result(None)


class FullError(Exception):
    """Too much work waits for a pool already."""


class FairPool(ThreadPoolExecutor):
    """A pool that serves tenants in turn. grpcio takes no other type; none of its threads is used.

    `caller_of` tells from the arguments of `submit` for whom they are.
    """

    def __init__(
        self, name: str, limits: PoolLimits, caller_of: Callable[[tuple[Any, ...]], Caller]
    ) -> None:
        super().__init__(1, name)
        self._caller_of = caller_of
        self._turns = Turns(limits, Costs())
        self._guard = threading.Lock()
        # What each thread waits for that has nothing to do. The last one is woken first: its part
        # of the database's cache, and of the processor's, is the warmest.
        self._idle: list[threading.Lock] = []
        self._woken = False  # whether a thread was woken, and has not looked for work yet
        self._closed = False
        self._workers = [
            threading.Thread(target=self._serve, name=f"{name}-{i}", daemon=True)
            for i in range(limits.threads)
        ]
        for thread in self._workers:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a thread do the work when its turn has come.

        Raises FullError if too much waits, and RuntimeError once the pool is closed. What is
        returned is done at once, and has no result.
        """
        self.add(Work(self._caller_of(args), partial(fn, *args, **kwargs)))
        return DONE

    def has_room(self, caller: Caller) -> bool:
        """Return whether work of a caller would be taken now."""
        with self._guard:
            return self._turns.has_room(caller)

    def load(self) -> Load:
        """Return how busy the pool is."""
        with self._guard:
            return self._turns.load()

    def add(self, work: Work) -> None:
        """Do the same for work whose caller is known."""
        with self._guard:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if not self._turns.add(work):
                raise FullError
            if self._idle and not self._woken:
                self._wake_one()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Start nothing any more. What waits is dropped; with `wait`, what runs is waited for."""
        with self._guard:
            self._closed = True
            while self._idle:
                self._wake_one()
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            for thread in self._workers:
                thread.join()

    def _serve(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        work, before = self._next(wake), time.thread_time()
        while not self._closed:
            if work is None:
                wake.acquire()
                work = self._next(wake, woken=True)
            else:
                _do(work)
                # One look at the clock for each: it costs as much as the whole queue. So what was
                # spent on the way to some work is a part of its cost.
                now = time.thread_time()
                work, before = self._next(wake, work, now - before), now

    def _next(
        self,
        wake: threading.Lock,
        ended: Work | None = None,
        seconds: float = 0.0,
        *,
        woken: bool = False,
    ) -> Work | None:
        """Return the next work, after one that has ended; None if this thread is idle now."""
        with self._guard:
            if ended is not None:
                self._turns.done(ended, seconds)
            if woken:
                self._woken = False
            work = self._turns.next()
            if work is None:
                self._idle.append(wake)
            # One at a time is woken, by who finds more to do than for itself: what is short is done
            # by those that are awake, before others have the interpreter.
            elif self._idle and not self._woken and self._turns.ready():
                self._wake_one()
        return work

    def _wake_one(self) -> None:
        """Wake the thread that has been idle for the shortest time. The guard is held."""
        self._woken = True
        self._idle.pop().release()


def _do(work: Work) -> None:
    try:
        work.run()
    except Exception:  # noqa: BLE001 (the thread is needed for others)
        LOGGER.exception("unexpected error outside of a call")
