"""Threads that serve tenants in turn, in place of a ThreadPoolExecutor's one queue."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from persona_server.telemetry.logs import LOGGER
from persona_server.transport import arrivals
from persona_server.transport.sharing.costs import Costs
from persona_server.transport.sharing.turns import Caller, Limits, Turns, Work

# grpcio counts calls by what submit() returns, for a limit that this server does not set.
DONE: Future[None] = Future()
DONE.set_result(None)


class FullError(Exception):
    """Too much work waits for a pool already."""


class FairPool(ThreadPoolExecutor):
    """A pool that serves tenants in turn. grpcio takes no other type; none of its threads is used.

    `caller_of` tells from the arguments of `submit` for whom they are.
    """

    def __init__(
        self, name: str, limits: Limits, caller_of: Callable[[tuple[Any, ...]], Caller]
    ) -> None:
        super().__init__(1, name)
        self._caller_of = caller_of
        self._turns = Turns(limits, Costs())
        self._guard = threading.Lock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._idle = 0  # threads that wait to be woken
        self._woken = 0  # threads that were, and have not looked for work yet
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
        work = Work(self._caller_of(args), partial(fn, *args, **kwargs))
        with self._guard:
            if self._closed:
                raise RuntimeError("the pool is closed")
            if not self._turns.add(work):
                raise FullError
            if self._idle:
                self._wake_one()
        return DONE

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Start nothing any more. What waits is dropped; with `wait`, what runs is waited for."""
        with self._guard:
            self._closed = True
        for _ in self._workers:
            self._wake.put(None)
        super().shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            for thread in self._workers:
                thread.join()

    def _serve(self) -> None:
        work = self._next()
        while not self._closed:
            if work is None:
                self._wake.get()
                work = self._next(woken=True)
            else:
                seconds = _measured(work)
                work = self._next(work, seconds)

    def _next(
        self, ended: Work | None = None, seconds: float = 0.0, *, woken: bool = False
    ) -> Work | None:
        """Return the next work, after one that has ended; None if this thread is idle now."""
        with self._guard:
            if ended is not None:
                self._turns.done(ended, seconds)
            self._woken -= woken
            # Those that were woken are on their way: what waits for them is left to them.
            work = self._turns.next() if len(self._turns) > self._woken else None
            if work is None:
                self._idle += 1
                return None
            # What an end has made room for may be more than this thread can do.
            if self._idle and len(self._turns) > self._woken and self._turns.ready():
                self._wake_one()
        return work

    def _wake_one(self) -> None:
        """Wake an idle thread. The guard is held."""
        self._idle -= 1
        self._woken += 1
        self._wake.put(None)


def _measured(work: Work) -> float:
    """Do work; return its seconds of CPU."""
    started = time.thread_time()
    try:
        arrivals.serving(work.at)
        work.run()
    except Exception:  # noqa: BLE001 (the thread is needed for others)
        LOGGER.exception("unexpected error outside of a call")
    return time.thread_time() - started
