"""Pages of personas that were listed lately, each good for one version of its group.

Every change of a group raises its version in the same transaction, and each call reads the version
before it looks here. So a page that is found is never older than the call, whichever process wrote:
nothing has to be told to anybody. A page may be newer than its version, if the group changed
between the two reads, as one read without the cache may be.
"""

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

_BESIDE = 300  # bytes that an entry takes beside its key and its answer
_LARGEST = 4  # an answer takes at most this part of the room, so that none drives out all others


class Key(NamedTuple):
    """Who asks for what: a tenant, and the request as bytes."""

    tenant: str
    request: bytes


class PageCache:
    """Answers in at most `most_bytes` of memory; those asked for longest ago leave first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.keeps = most_bytes > 0  # else nothing need be looked up
        self._lock = Lock()
        self._entries: OrderedDict[Key, tuple[int, bytes]] = OrderedDict()
        self.bytes = self.hits = self.misses = 0

    def get(self, key: Key, version: int) -> bytes | None:
        """Return the answer of a version of the group; None if it has to be read."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] != version:
                self.misses += 1
                return None
            self._entries.move_to_end(key)
            self.hits += 1
            return entry[1]

    def put(self, key: Key, version: int, answer: bytes) -> None:
        """Keep an answer that was read after this version, in place of one of an older version."""
        size = _size(key, answer)
        if size * _LARGEST > self._most_bytes:
            return
        with self._lock:
            before = self._entries.get(key)
            if before is not None:
                if before[0] > version:
                    return
                self.bytes -= _size(key, before[1])
            self._entries[key] = (version, answer)
            self._entries.move_to_end(key)
            self.bytes += size
            while self.bytes > self._most_bytes:
                oldest, (_, dropped) = self._entries.popitem(last=False)
                self.bytes -= _size(oldest, dropped)


def _size(key: Key, answer: bytes) -> int:
    return len(answer) + len(key.request) + len(key.tenant) + _BESIDE
