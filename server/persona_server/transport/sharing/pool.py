"""Threads that serve tenants in turn, in place of a ThreadPoolExecutor's one queue."""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from persona_server.errors import ServiceError, deadline_exceeded, quota_exceeded
from persona_server.logs import LOGGER
from persona_server.transport import arrivals
from persona_server.transport.sharing.costs import Costs
from persona_server.transport.sharing.turns import Caller, Limits, Turns, Work
from persona_server.transport.sharing.use import Use

# grpcio counts calls by what submit() returns, for a limit that this server does not set.
_TAKEN: Future[None] = Future()
_TAKEN.set_result(None)


class FairPool(ThreadPoolExecutor):
    """A pool that serves tenants in turn. grpcio takes no other type; none of its threads is used.

    `caller_of` tells from the arguments of `submit` for whom they are.
    """

    def __init__(
        self,
        name: str,
        limits: Limits,
        use: Use,
        caller_of: Callable[[tuple[Any, ...]], Caller],
    ) -> None:
        super().__init__(1, name)
        self._name = name
        self._limits = limits
        self._use = use
        self._caller_of = caller_of
        self._turns = Turns(limits, Costs())
        self._guard = threading.Lock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._idle = 0  # threads that wait to be woken
        self._woken = 0  # threads that were, and have not looked for work yet
        self._closed = False
        self._refusals: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._refuser: threading.Thread | None = None
        self._workers = [
            threading.Thread(target=self._serve, name=f"{name}-{i}", daemon=True)
            for i in range(limits.threads)
        ]
        for thread in self._workers:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Let a thread do the work when its turn has come.

        What may not wait is done at once, by a thread that does nothing else, and within it
        `arrival().turned_away` says why: then it must only refuse. Raises RuntimeError once the
        pool is closed. What is returned is done at once, and has no result.
        """
        work = Work(self._caller_of(args), partial(fn, *args, **kwargs))
        work.refusal = self.take(work)
        if work.refusal is not None:
            self._refuse(work)
        return _TAKEN

    def take(self, work: Work) -> ServiceError | None:
        """Take work, or return why it is refused. Raises RuntimeError once the pool is closed."""
        tenant = work.caller.tenant
        if tenant and (refusal := self._use.arrive(tenant)):
            return refusal
        if self._add(work):
            return None
        self._depart(work)
        return quota_exceeded("waiting_calls", self._limits.waiting_each, 1.0)

    def _add(self, work: Work) -> bool:
        with self._guard:
            if self._closed:
                raise RuntimeError("the pool is closed")
            taken = self._turns.add(work)
            if not taken:
                for late in self._turns.expired():
                    self._depart(late)
                    late.refusal = deadline_exceeded()
                    self._refuse(late)
                taken = self._turns.add(work)
            if self._idle:
                self._wake_one()
        return taken

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Start nothing any more. What waits is dropped; with `wait`, what runs is waited for."""
        with self._guard:
            self._closed = True
        for _ in self._workers:
            self._wake.put(None)
        self._refusals.put(None)
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
                self._depart(work)
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

    def _depart(self, work: Work) -> None:
        if work.caller.tenant:
            self._use.depart(work.caller.tenant)

    def _refuse(self, work: Work) -> None:
        if self._refuser is None:
            self._refuser = threading.Thread(
                target=self._turn_away, name=f"{self._name}-refusing", daemon=True
            )
            self._refuser.start()
        self._refusals.put(work)

    def _turn_away(self) -> None:
        while work := self._refusals.get():
            _run(work)


def _measured(work: Work) -> float:
    """Do work; return its seconds of CPU."""
    started = time.thread_time()
    _run(work)
    return time.thread_time() - started


def _run(work: Work) -> None:
    try:
        arrivals.serving(work.at, work.caller.principal, work.refusal)
        work.run()
    except Exception:  # noqa: BLE001 (the thread is needed for others)
        LOGGER.exception("unexpected error outside of a call")
