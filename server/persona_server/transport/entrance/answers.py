"""What was answered and not yet taken: bytes that a client makes the server keep by not reading."""

import threading
import time

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.transport.rpc import Rpc

MOST = 40 << 20  # bytes in all, over all workers
EACH = 16 << 20  # of one connection
TENANT = 32 << 20  # of one tenant
LEAST = 8 << 20  # that a worker has of each, however many there are
CALL_BYTES = 4_096  # what a call itself counts for, beside its answer
SMALL = 64 << 10  # an answer that is sent whatever waits already
SECONDS = 30.0  # how long an answer is kept for its reader
SHORT_SECONDS = 0.25  # and how long at least, when there is no room for others


class Answers:
    """The answers that are on their way, by connection and by tenant."""

    def __init__(self, workers: int = 1) -> None:
        """Keep what one of so many workers may."""
        self._most, self._each, self._of_one = (
            max(limit // workers, LEAST) for limit in (MOST, EACH, TENANT)
        )
        self._lock = threading.Lock()
        self._kept: dict[Rpc, float] = {}  # since when, the oldest first
        self._of_peer: dict[str, int] = {}
        self._of_tenant: dict[str, int] = {}
        self._total = 0

    @property
    def bytes(self) -> int:
        """How many bytes of answers nobody has taken yet."""
        return self._total

    def require_room(self, rpc: Rpc) -> None:
        """Refuse a call of who does not read what it has asked for. Raises QUOTA_EXCEEDED."""
        if self._total >= self._most:
            self.tick(time.monotonic())
        if not self._has_room(rpc, 0):
            raise _too_much()

    def take_room(self, rpc: Rpc) -> None:
        """Count a call's only answer until the call is over. Raises QUOTA_EXCEEDED for a large one.

        A write is answered all the same: its caller must know. Answers of a stream wait for their
        reader one by one, see streams.py.
        """
        if rpc.method.streams_in or rpc.method.streams_out:
            return
        peer, tenant, size, now = rpc.peer, rpc.tenant, _size(rpc), time.monotonic()
        with self._lock:
            writes = rpc.method.has_request_id
            if size > SMALL and not writes and not self._has_room(rpc, size):
                raise _too_much()
            self._kept[rpc] = now
            self._total += size
            self._of_peer[peer] = self._of_peer.get(peer, 0) + size
            self._of_tenant[tenant] = self._of_tenant.get(tenant, 0) + size

    def over(self, rpc: Rpc) -> None:
        """Count a call's answer no more, if it had one."""
        if rpc not in self._kept:
            return
        size = _size(rpc)
        with self._lock:
            del self._kept[rpc]
            self._total -= size
            _take(self._of_peer, rpc.peer, size)
            _take(self._of_tenant, rpc.tenant, size)

    def _has_room(self, rpc: Rpc, size: int) -> bool:
        if self._total + size < self._each:  # nearly always, and then nobody has more
            return True
        return (
            self._total + size < self._most
            and self._of_peer.get(rpc.peer, 0) + size < self._each
            and self._of_tenant.get(rpc.tenant, 0) + size < self._of_one
        )

    def tick(self, now: float) -> int:
        """End the calls whose answers wait too long; return how many."""
        late = self._late(now)
        for rpc in late:
            rpc.cancel()
        return len(late)

    def _late(self, now: float) -> list[Rpc]:
        late: list[Rpc] = []
        with self._lock:
            before = now - (SHORT_SECONDS if self._total >= self._most else SECONDS)
            for rpc, since in self._kept.items():
                if since >= before:
                    break
                late.append(rpc)
        return late


def _too_much() -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_QUOTA_EXCEEDED,
        "Too many answers are waiting to be read. Read them first, then retry.",
        metadata={"quota": "unread_bytes"},
        retry_after=1.0,
    )


def _size(rpc: Rpc) -> int:
    """Return what the only answer of a call counts for."""
    return rpc.answer_bytes + CALL_BYTES


def _take(counts: dict[str, int], key: str, size: int) -> None:
    left = counts.pop(key) - size
    if left:
        counts[key] = left
