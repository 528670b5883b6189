"""What was answered and not yet taken: bytes that a client makes the server keep by not reading."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.transport.rpc import Rpc

MOST = 40 << 20  # bytes in all
EACH = 8 << 20  # of one connection
CALL_BYTES = 4_096  # what a call itself counts for, beside its answer
SECONDS = 30.0  # how long an answer is kept for its reader
SHORT_SECONDS = 0.5  # and how long at least, when there is no room for others


class _Kept(NamedTuple):
    peer: str
    size: int
    since: float
    cancel: Callable[[], object]


class Answers:
    """The answers that are on their way, by connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Rpc, _Kept] = {}  # the oldest first
        self._of: dict[str, int] = {}
        self._total = 0

    def require_room(self, rpc: Rpc) -> None:
        """Refuse a call of a connection that does not read what it has asked for.

        Raises QUOTA_EXCEEDED.
        """
        if self._total >= MOST or self._of.get(rpc.peer, 0) >= EACH:
            raise ServiceError(
                errors_pb2.ERROR_REASON_QUOTA_EXCEEDED,
                "Too many answers are waiting to be read. Read them first, then retry.",
                metadata={"quota": "unread_bytes"},
                retry_after=1.0,
            )

    def sent(self, rpc: Rpc, size: int, cancel: Callable[[], object]) -> None:
        """Count a call's answer until the call is over; `cancel` ends it, if that takes long."""
        kept = _Kept(rpc.peer, size + CALL_BYTES, time.monotonic(), cancel)
        with self._lock:
            self._kept[rpc] = kept
            self._of[kept.peer] = self._of.get(kept.peer, 0) + kept.size
            self._total += kept.size

    def over(self, rpc: Rpc) -> None:
        """Count a call's answer no more, if it had one."""
        if rpc not in self._kept:
            return
        with self._lock:
            kept = self._kept.pop(rpc)
            self._total -= kept.size
            left = self._of.pop(kept.peer) - kept.size
            if left:
                self._of[kept.peer] = left

    def tick(self, now: float) -> int:
        """End the calls whose answers wait too long; return how many."""
        late = self._late(now)
        for kept in late:
            kept.cancel()
        return len(late)

    def _late(self, now: float) -> list[_Kept]:
        late: list[_Kept] = []
        with self._lock:
            before = now - (SHORT_SECONDS if self._total >= MOST else SECONDS)
            for kept in self._kept.values():
                if kept.since >= before:
                    break
                late.append(kept)
        return late
