"""Whose turn it is: work waits in a lane for each tenant, and the least served tenant is next."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from persona_server.transport.sharing.costs import COSTLY, Costs

_LANES = 256  # that are remembered of tenants that ask for nothing


class Caller(NamedTuple):
    """For whom work is done: the tenant, "" if nobody needs to say, and its RPC."""

    tenant: str = ""
    rpc: str = ""


class Work:
    """Something to do for a caller. `at` is when it came, on the clock of time.perf_counter()."""

    __slots__ = ("at", "caller", "costly", "estimate", "lane", "run")

    def __init__(self, caller: Caller, run: Callable[[], object]) -> None:
        self.at = time.perf_counter()
        self.caller = caller
        self.run = run
        self.estimate = 0.0
        self.costly = False
        self.lane: Lane


class Lane:
    """What one tenant waits for, and how many seconds of CPU it was served."""

    __slots__ = ("costly", "light", "running", "running_costly", "served")

    def __init__(self, served: float) -> None:
        self.light: deque[Work] = deque()
        self.costly: deque[Work] = deque()
        self.running = 0
        self.running_costly = 0
        self.served = served

    @property
    def waiting(self) -> int:
        """How much waits."""
        return len(self.light) + len(self.costly)


class PoolLimits(NamedTuple):
    """How many threads serve, how many of them costly work, and how much work may wait."""

    threads: int
    costly: int
    waiting: int = 10_000
    waiting_each: int = 2_500

    @property
    def each(self) -> int:
        """How many threads one tenant may hold: another always finds some."""
        return max(1, self.threads - max(1, self.threads // 4))

    @property
    def costly_each(self) -> int:
        """How many of them for costly work."""
        return max(1, self.costly - 1)


class Load(NamedTuple):
    """How busy a pool is: its threads, those at work, and the calls that wait for one."""

    threads: int
    busy: int
    waiting: int


class Turns:
    """The work that waits for the threads of one pool. Not safe for threads: its pool locks it.

    Turns are by start-time fair queueing, in seconds of CPU: work is charged at its start by what
    such work has cost before, and corrected at its end. A tenant that comes anew has as much behind
    it as the one that was served last, so that nobody saves up turns.
    """

    def __init__(self, limits: PoolLimits, costs: Costs) -> None:
        self._limits = limits
        self._each = limits.each
        self._free = min(limits.waiting, limits.waiting_each)  # so much may wait, whosever it is
        self._costs = costs
        self._lanes: dict[str, Lane] = {}
        self._backlog: dict[str, Lane] = {}  # those with something that waits
        self._waiting = 0
        self._running_costly = 0
        self._served = 0.0  # by the lane that was served last

    def add(self, work: Work) -> bool:
        """Take work, or return False: too much waits already."""
        tenant = work.caller.tenant
        lane = self._lanes.get(tenant)
        if lane is None:
            lane = self._lane(tenant)
        if not self._has_room(lane):
            return False
        if tenant not in self._backlog:
            self._backlog[tenant] = lane
            if not lane.running:
                lane.served = max(lane.served, self._served)
        work.lane = lane
        work.estimate = self._costs.of(work.caller)
        work.costly = work.estimate >= COSTLY
        (lane.costly if work.costly else lane.light).append(work)
        self._waiting += 1
        return True

    def has_room(self, caller: Caller) -> bool:
        """Return whether work of a caller would be taken."""
        return self._has_room(self._lanes.get(caller.tenant) or self._lane(caller.tenant))

    def ready(self) -> bool:
        """Return whether some work may start now."""
        if not self._waiting:  # nearly always
            return False
        return any(self._queue(lane) is not None for lane in self._backlog.values())

    def next(self) -> Work | None:
        """Return the work whose turn it is, which starts now; None if none may."""
        best: Lane | None = None
        queue: deque[Work] | None = None
        for lane in self._backlog.values():
            if best is None or lane.served < best.served:
                found = self._queue(lane)
                if found is not None:
                    best, queue = lane, found
        if best is None or queue is None:
            return None
        work = queue.popleft()
        self._start(best, work)
        return work

    def load(self) -> Load:
        """Return how busy the pool is."""
        busy = sum(lane.running for lane in self._lanes.values())
        return Load(self._limits.threads, busy, self._waiting)

    def done(self, work: Work, seconds: float) -> None:
        """Take note that work has ended, and what it has cost."""
        lane = work.lane
        lane.running -= 1
        if work.costly:
            lane.running_costly -= 1
            self._running_costly -= 1
        lane.served += seconds - work.estimate
        self._costs.learn(work.caller, seconds)

    def _has_room(self, lane: Lane) -> bool:
        limits = self._limits
        return self._waiting < self._free or (
            self._waiting < limits.waiting and lane.waiting < limits.waiting_each
        )

    def _start(self, lane: Lane, work: Work) -> None:
        self._waiting -= 1
        if not lane.light and not lane.costly:
            del self._backlog[work.caller.tenant]
        lane.running += 1
        if work.costly:
            lane.running_costly += 1
            self._running_costly += 1
        self._served = max(self._served, lane.served)
        lane.served += work.estimate

    def _queue(self, lane: Lane) -> deque[Work] | None:
        """Return which work of a lane may start, the older one first."""
        if lane.running >= self._each:
            return None
        light, costly = lane.light, lane.costly
        if not costly or not self._may_cost(lane):
            return light or None
        return costly if not light or costly[0].at < light[0].at else light

    def _may_cost(self, lane: Lane) -> bool:
        """Return whether costly work of a lane may start."""
        limits = self._limits
        return self._running_costly < limits.costly and lane.running_costly < limits.costly_each

    def _lane(self, tenant: str) -> Lane:
        if len(self._lanes) >= _LANES:
            self._forget()
        lane = self._lanes[tenant] = Lane(self._served)
        return lane

    def _forget(self) -> None:
        """Let lanes go that are like new ones."""
        for tenant, lane in list(self._lanes.items()):
            if not lane.waiting and not lane.running and lane.served <= self._served:
                del self._lanes[tenant]
