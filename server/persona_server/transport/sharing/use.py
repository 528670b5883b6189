"""What each tenant uses just now, held against its quota."""

import math
import threading
import time
from collections.abc import Callable

from persona_server.errors import quota_exceeded
from persona_server.quotas import Quota
from persona_server.transport.sharing.counters import BYTES, CALLS, CONCURRENT, Counters

_MOST = 10_000  # tenants whose use is remembered


class _Bucket:
    """Tokens that come at a rate; a second's worth may be saved up. It may go into debt.

    What other processes take is taken here too, when this one looks next.
    """

    __slots__ = ("_at", "_elsewhere", "_level")

    def __init__(self, rate: float, age: float, elsewhere: int, now: float) -> None:
        """Begin with what the others, who have taken `elsewhere` in `age` seconds, have left.

        Where that is less than nothing it is full: they took it at a rate that was higher, and at
        today's it might be paid off in days.
        """
        level = min(rate + age * rate - elsewhere, rate)
        self._level = level if level >= 0 else rate
        self._at, self._elsewhere = now, elsewhere

    def take(self, count: float, rate: float, now: float, least: float, elsewhere: int) -> float:
        """Take some if there are `least` or more; return how many there were.

        `elsewhere` is how many other processes have ever taken.
        """
        level = self._level + (now - self._at) * rate - (elsewhere - self._elsewhere)
        level = min(level, rate)
        self._level = level - count if level >= least else level
        self._at, self._elsewhere = now, elsewhere
        return level


class _Use:
    """What one tenant uses."""

    __slots__ = ("bytes", "calls", "concurrent")

    def __init__(self, calls: _Bucket, bytes_: _Bucket) -> None:
        self.calls = calls
        self.bytes = bytes_
        self.concurrent = 0


class Use:
    """The use of all tenants: this object is the one place where it is counted.

    A few methods that say what happens, each for a tenant's name. Several processes tell each other
    by `counters`: quotas hold for all together, but for what each finds out a moment later.
    """

    def __init__(self, quota_of: Callable[[str], Quota], counters: Counters | None = None) -> None:
        """`quota_of` must not wait: it is asked where all calls come in."""
        self._quota_of = quota_of
        self._counters = counters
        self._lock = threading.Lock()
        self._uses: dict[str, _Use] = {}

    def arrive(self, tenant: str) -> None:
        """Count a call that has come, until `depart`. Raises QUOTA_EXCEEDED, and counts it not."""
        quota, now = self._quota_of(tenant), time.monotonic()
        rate, counters = quota.calls_per_second, self._counters
        with self._lock:
            use = self._uses.get(tenant) or self._new(tenant, quota, now)
            concurrent, elsewhere = use.concurrent, 0
            if counters:
                concurrent += counters.elsewhere(tenant, CONCURRENT)
                elsewhere = counters.elsewhere(tenant, CALLS)
            if concurrent >= quota.concurrent_calls:
                raise quota_exceeded("concurrent_calls", quota.concurrent_calls, 1.0)
            level = use.calls.take(1, rate, now, 1, elsewhere)
            if level >= 1:
                use.concurrent += 1
                if counters:
                    counters.add(tenant, CALLS, 1)
                    counters.add(tenant, CONCURRENT, 1)
        if level < 1:
            raise quota_exceeded("calls_per_second", rate, (1 - level) / rate)

    def depart(self, tenant: str) -> None:
        """Count a call no more that had arrived."""
        with self._lock:
            self._uses[tenant].concurrent -= 1
            if self._counters:
                self._counters.add(tenant, CONCURRENT, -1)

    def transfer(self, tenant: str, size: int, *, refusable: bool) -> float:
        """Count bytes of a message or an answer. Raises QUOTA_EXCEEDED if that may be refused.

        It is refused if those before it have used up the quota; a large one is paid off later.
        Returns in how many seconds those before it are.
        """
        quota, now = self._quota_of(tenant), time.monotonic()
        rate, counters = quota.bytes_per_second, self._counters
        least = 0 if refusable else -math.inf
        with self._lock:
            use = self._uses.get(tenant) or self._new(tenant, quota, now)
            elsewhere = counters.elsewhere(tenant, BYTES) if counters else 0
            level = use.bytes.take(size, rate, now, least, elsewhere)
            if counters and level >= least:
                counters.add(tenant, BYTES, size)
        if refusable and level < 0:
            raise quota_exceeded("bytes_per_second", rate, -level / rate)
        return max(-level / rate, 0.0)

    def _new(self, tenant: str, quota: Quota, now: float) -> _Use:
        if len(self._uses) >= _MOST:
            self._forget()
        calls = self._bucket(tenant, CALLS, quota.calls_per_second, now)
        bytes_ = self._bucket(tenant, BYTES, quota.bytes_per_second, now)
        use = self._uses[tenant] = _Use(calls, bytes_)
        return use

    def _bucket(self, tenant: str, figure: int, rate: float, now: float) -> _Bucket:
        counters = self._counters
        if counters is None:
            return _Bucket(rate, 0.0, 0, now)
        return _Bucket(rate, now - counters.since(tenant), counters.elsewhere(tenant, figure), now)

    def _forget(self) -> None:
        """Let those go that have no call under way: at most a second's worth is given away."""
        for tenant, use in list(self._uses.items()):
            if not use.concurrent:
                del self._uses[tenant]
