"""Counters that all workers see: one file in memory, in which each writes figures of its own.

No figure has two writers, so that nobody waits for a lock where calls come in, and a killed worker
leaves none held. Who asks for a tenant's use adds up the figures of all workers.
"""

import fcntl
import hashlib
import mmap
import os
import tempfile
import threading
import time
from typing import NamedTuple

TENANTS = 16_384  # that have a row; others are counted by each worker for itself
CALLS, BYTES, CONCURRENT, STREAMS = range(4)  # the figures of a worker in a tenant's row
_FIGURES = 4
_WORD = 8  # bytes
# Words; the first is the last id that was made, the last how many rows are taken, and those between
# them are the database's condition. A word of each worker follows: how often it has beaten.
_HEAD = 8
_KEY = 4  # words: two of whose row it is, since when, and as which it was taken
_PROBES = 64  # rows that are looked at for a tenant's
_MICROS = 1_000_000
_ROWS, _JOBS = range(2)  # bytes of the file that stand for locks


class Shape(NamedTuple):
    """How the file is laid out for so many workers."""

    workers: int

    @property
    def row(self) -> int:
        """How many words a row has: whose it is and since when, and the figures of each worker."""
        return _KEY + self.workers * _FIGURES

    @property
    def rows(self) -> int:
        """At which word the rows begin."""
        return _HEAD + self.workers

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return (self.rows + TENANTS * self.row) * _WORD


def make_file(workers: int) -> int:
    """Return the descriptor of a file without a name for so many workers, to be inherited."""
    if hasattr(os, "memfd_create"):  # which needs no folder that can be written
        descriptor = os.memfd_create("persona-counters")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, Shape(workers).size)
    return descriptor


class Counters:
    """The file as one worker has it, or the parent, which writes no figure of its own."""

    def __init__(self, descriptor: int, workers: int, number: int) -> None:
        self._descriptor = descriptor
        self._shape = Shape(workers)
        self._number = number
        self._words = memoryview(mmap.mmap(descriptor, self._shape.size)).cast("q")
        self._rows: dict[str, int | None] = {}
        self._lock = threading.Lock()

    @property
    def last_id(self) -> memoryview:
        """The one word of the last id that was made; it is only touched in a turn to write."""
        return self._words[:1]

    @property
    def condition(self) -> memoryview:
        """The words of what was met of the database, each set and cleared by any worker."""
        return self._words[1 : _HEAD - 1]

    def beat(self) -> None:
        """Show that this worker still runs; its caller sees to it that one thread does."""
        self._words[_HEAD + self._number] += 1

    def beats(self, number: int) -> int:
        """Return how often the workers at a place have beaten."""
        return self._words[_HEAD + number]

    def runs_jobs(self) -> bool:
        """Return whether this worker is the one that runs the jobs of all.

        It is the first that asked; when it has ended, however that was, the next that asks.
        """
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _JOBS)
        except (BlockingIOError, PermissionError):  # what a system says of a lock that is taken
            return False
        return True

    def add(self, tenant: str, figure: int, number: int) -> None:
        """Add to a figure of this worker; its caller sees to it that one thread does."""
        row = self._row(tenant)
        if row is not None:
            self._words[row + self._place(self._number, figure)] += number

    def elsewhere(self, tenant: str, figure: int) -> int:
        """Return the sum of a figure over all other workers."""
        row = self._row(tenant)
        if row is None:
            return 0
        others = (n for n in range(self._shape.workers) if n != self._number)
        return sum(self._words[row + self._place(n, figure)] for n in others)

    def since(self, tenant: str) -> float:
        """Return when a tenant was first counted, on the monotonic clock: now if it is not."""
        row = self._row(tenant)
        return time.monotonic() if row is None else self._words[row + 2] / _MICROS

    def rank(self, tenant: str) -> int:
        """Return as which a tenant was first counted by any worker, from 0."""
        row = self._row(tenant)
        return TENANTS if row is None else self._words[row + 3]

    def forget(self, number: int) -> None:
        """Count nothing any more that a worker had open: it has ended."""
        for row in range(self._shape.rows, len(self._words), self._shape.row):
            for figure in (CONCURRENT, STREAMS):
                if self._words[row + self._place(number, figure)]:
                    self._words[row + self._place(number, figure)] = 0

    @staticmethod
    def _place(number: int, figure: int) -> int:
        return _KEY + number * _FIGURES + figure

    def _row(self, tenant: str) -> int | None:
        """Return where a tenant's row begins; None if there is no room for one."""
        try:
            return self._rows[tenant]
        except KeyError:
            with self._lock:  # since locks of a file are a process's, not a thread's
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX, 1, _ROWS)
                try:
                    found = self._rows[tenant] = self._found_or_taken(tenant)
                finally:
                    fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _ROWS)
            return found

    def _found_or_taken(self, tenant: str) -> int | None:
        digest = hashlib.sha256(tenant.encode(errors="replace")).digest()
        high, low = (int.from_bytes(digest[i : i + _WORD], signed=True) for i in (0, _WORD))
        for probe in range(_PROBES):
            row = self._shape.rows + (low + probe) % TENANTS * self._shape.row
            key = self._words[row], self._words[row + 1]
            if key == (0, 0):
                self._words[row], self._words[row + 1] = high, low
                self._words[row + 2] = int(time.monotonic() * _MICROS)
                self._words[row + 3] = self._words[_HEAD - 1]
                self._words[_HEAD - 1] += 1
            if key in ((0, 0), (high, low)):
                return row
        return None
