"""What was answered and not yet taken: bytes that a client makes the server keep by not reading.

A call whose answer would find no room is not served before there is some: it waits, without a
thread, until its client has read what it was answered before.
"""

import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple, TypeVar

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.transport.rpc import Rpc
from persona_server.transport.sharing.costs import Costs

MOST = 40 << 20  # bytes in all, over all workers
EACH = 16 << 20  # of one connection
TENANT = 32 << 20  # of one tenant
LEAST = 8 << 20  # that a worker has of each, however many there are
OVER = 8 << 20  # by which an answer may be over it, since it is larger than was expected
CALL_BYTES = 4_096  # what a call itself counts for, beside its answer
SMALL = 64 << 10  # an answer that is sent whatever waits already
SECONDS = 30.0  # how long an answer is kept for its reader, and how long a call waits for room
SHORT_SECONDS = 0.25  # and how long at least, when there is no room for others
WAITING, WAITING_TENANT = 5_000, 2_500  # calls that wait for room: in all, and of one tenant
_LOOKS = 8  # connections whose calls are looked at whenever an answer was read

Key = TypeVar("Key")


class Waiter(NamedTuple):
    """A call that waits for room. Both are called without a lock, and must not wait."""

    rpc: Rpc
    since: float
    go_on: Callable[[], None]
    give_up: Callable[[], None]


class Answers:
    """The answers that are on their way, by connection and by tenant, and who waits for room."""

    def __init__(self, workers: int = 1) -> None:
        """Keep what one of so many workers may."""
        self._most, self._each, self._of_one = (
            max(limit // workers, LEAST) for limit in (MOST, EACH, TENANT)
        )
        self._lock = threading.Lock()
        self._held: dict[Rpc, int] = {}  # bytes: of answers, and expected of calls that are served
        self._since: dict[Rpc, float] = {}  # when an answer was made, the oldest first
        self._of_peer: dict[str, int] = {}
        self._of_tenant: dict[str, int] = {}
        self._total = 0
        self._expected = Costs(0.0)  # bytes, of the kinds of calls that have long answers
        self._queues: dict[str, dict[Rpc, Waiter]] = {}  # by connection, the next one first
        self._waiting: dict[str, int] = {}  # by tenant

    @property
    def bytes(self) -> int:
        """How many bytes of answers nobody has taken yet."""
        return self._total

    @property
    def waiting(self) -> int:
        """How many calls wait for room for their answer."""
        return sum(self._waiting.copy().values())

    def require_room(self, rpc: Rpc) -> None:
        """Refuse a call of who does not read what it has asked for. Raises QUOTA_EXCEEDED."""
        if self._total >= self._most:
            self.tick(time.monotonic())
        if not self._has_room(rpc, 0):
            raise too_much()

    def begin(self, rpc: Rpc, go_on: Callable[[], None], give_up: Callable[[], None]) -> bool:
        """Return whether a call is to be served now.

        Else `go_on` is called when there is room for its answer, or `give_up` when that takes too
        long or too many wait. Neither is called once `over` was.
        """
        size = int(self._expected.of(_kind(rpc)))
        if size <= SMALL and self._total < self._each:  # nearly always
            return True
        with self._lock:
            # What is short may overtake what is long.
            may_pass = size <= SMALL or rpc.peer not in self._queues
            if may_pass and self._has_room(rpc, size):
                self._hold(rpc, size)
                return True
            waits = self._wait(Waiter(rpc, time.monotonic(), go_on, give_up))
        if not waits:
            give_up()
        return False

    def take_room(self, rpc: Rpc) -> None:
        """Count a call's only answer until the call is over. Raises QUOTA_EXCEEDED for a large one.

        That is for one which is far larger than such answers were before. A write is answered all
        the same: its caller must know. Answers of a stream wait for their reader one by one, see
        streams.py.
        """
        if rpc.method.streams_in or rpc.method.streams_out:
            return
        size, now = rpc.answer_bytes + CALL_BYTES, time.monotonic()
        kind = _kind(rpc)
        if size > SMALL or self._expected.of(kind):
            self._expected.learn(kind, size)
        with self._lock:
            more = size - self._held.get(rpc, 0)
            writes = rpc.method.has_request_id
            if size > SMALL and not writes and not self._has_room(rpc, more - OVER):
                raise too_much()
            self._hold(rpc, more)
            self._since[rpc] = now
        if rpc.has_left():  # and may have been over before
            self.over(rpc)

    def over(self, rpc: Rpc) -> bool:
        """Count a call no more; return whether it still waited for room."""
        if rpc not in self._held and not self._queues:
            return False
        with self._lock:
            waited = bool(self._queues) and self._leave(rpc)
            self._hold(rpc, -self._held.get(rpc, 0))
            self._since.pop(rpc, None)
            ready = self._next(rpc.peer) if self._queues else []
        for one in ready:
            one.go_on()
        return waited

    def tick(self, now: float) -> int:
        """End the calls whose answers wait too long; return how many.

        Those that wait too long for room are given up, others are looked at once more.
        """
        with self._lock:
            late = self._late(now)
            tired = self._tired(now)
            ready = self._next("") if self._queues else []
        for rpc in late:
            rpc.cancel()
        for waiter in tired:
            waiter.give_up()
        for waiter in ready:
            waiter.go_on()
        return len(late)

    # All of these are called with the lock, but for a look at whether there is room.

    def _has_room(self, rpc: Rpc, size: int) -> bool:
        if self._total + size < self._each:  # nearly always, and then nobody has more
            return True
        return (
            self._total + size < self._most
            and self._of_peer.get(rpc.peer, 0) + size < self._each
            and self._of_tenant.get(rpc.tenant, 0) + size < self._of_one
        )

    def _hold(self, rpc: Rpc, more: int) -> None:
        if not more:
            return
        _add(self._held, rpc, more)
        _add(self._of_peer, rpc.peer, more)
        _add(self._of_tenant, rpc.tenant, more)
        self._total += more

    def _late(self, now: float) -> list[Rpc]:
        before = now - (SHORT_SECONDS if self._total >= self._most else SECONDS)
        late: list[Rpc] = []
        for rpc, since in self._since.items():
            if since >= before:
                break
            late.append(rpc)
        return late

    def _wait(self, waiter: Waiter) -> bool:
        tenant, of_all = waiter.rpc.tenant, sum(self._waiting.values())
        if of_all >= WAITING or self._waiting.get(tenant, 0) >= WAITING_TENANT:
            return False
        self._queues.setdefault(waiter.rpc.peer, {})[waiter.rpc] = waiter
        _add(self._waiting, tenant, 1)
        return True

    def _leave(self, rpc: Rpc) -> bool:
        queue = self._queues.get(rpc.peer, {})
        if queue.pop(rpc, None) is None:
            return False
        if not queue:
            del self._queues[rpc.peer]
        _add(self._waiting, rpc.tenant, -1)
        return True

    def _tired(self, now: float) -> list[Waiter]:
        before = now - SECONDS
        tired = [one for queue in self._queues.values() for one in queue.values()]
        tired = [one for one in tired if one.since < before]
        for waiter in tired:
            self._leave(waiter.rpc)
        return tired

    def _next(self, peer: str) -> list[Waiter]:
        """Take out those that there is room for: of a connection, and of some others in turn."""
        ready = []
        for name in (peer, *islice(self._queues, _LOOKS)):
            while name in self._queues and (waiter := self._first(name)):
                self._leave(waiter.rpc)
                self._hold(waiter.rpc, int(self._expected.of(_kind(waiter.rpc))))
                ready.append(waiter)
            if name in self._queues:
                self._queues[name] = self._queues.pop(name)  # behind the others
        return ready

    def _first(self, peer: str) -> Waiter | None:
        """Return who is next on a connection, if there is room for it."""
        waiter = next(iter(self._queues[peer].values()))
        expected = int(self._expected.of(_kind(waiter.rpc)))
        return waiter if self._has_room(waiter.rpc, expected) else None


def too_much() -> ServiceError:
    """Return what is said to a call that finds no room for its answer."""
    return ServiceError(
        errors_pb2.ERROR_REASON_QUOTA_EXCEEDED,
        "Too many answers are waiting to be read. Read them first, then retry.",
        metadata={"quota": "unread_bytes"},
        retry_after=1.0,
    )


def _kind(rpc: Rpc) -> tuple[str, str]:
    return rpc.tenant, rpc.method.name


def _add(counts: dict[Key, int], key: Key, more: int) -> None:
    left = counts.get(key, 0) + more
    if left:
        counts[key] = left
    else:
        counts.pop(key, None)
