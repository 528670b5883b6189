"""Writes lines to a descriptor from a thread of its own, so that nobody else waits for its reader.

A pipe that nobody reads takes 64 KB and then holds up whoever writes to it, for good: a collector
that hangs, or a Ctrl-S at a terminal, must not do that to calls, scrapes or the end of the process.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence

MOST_BYTES = 4 << 20  # that wait to be written
MOST_LINES = 20_000
_CHUNK = 64 << 10  # bytes written at a time


class LineWriter:
    """A bounded queue of lines, and the one thread that writes them.

    What finds no room is lost; `lost` counts it, and when there is room again, the line that
    `told(how many)` makes is written in its place.
    """

    def __init__(self, descriptor: int, told: Callable[[int], bytes]) -> None:
        self.lost = 0
        self._descriptor = descriptor
        self._told = told
        self._untold = 0
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._writing = False
        self._started = False
        self._changed = threading.Condition()  # on a lock held for memory alone, never for a write

    def offer(self, lines: Sequence[bytes]) -> None:
        """Take lines to be written. Never waits, and never fails."""
        with self._changed:
            for line in lines:
                self._take(line)
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="log", daemon=True).start()
            self._changed.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until all is written, so long at most; return whether it is."""
        with self._changed:
            return self._changed.wait_for(self._idle, seconds)

    def _take(self, line: bytes) -> None:
        if len(self._lines) >= MOST_LINES or self._bytes + len(line) > MOST_BYTES:
            self.lost += 1
            self._untold += 1
        else:
            self._lines.append(line)
            self._bytes += len(line)

    def _waiting(self) -> bool:
        return bool(self._lines or self._untold)

    def _idle(self) -> bool:
        return not (self._waiting() or self._writing)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._waiting)
                chunk = self._next()
                self._writing = True
            self._write(chunk)
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _next(self) -> bytes:
        """Return what to write next, with how many lines were lost since the last time."""
        taken, size = [], 0
        while self._lines and size < _CHUNK:
            taken.append(self._lines.popleft())
            size += len(taken[-1])
        self._bytes -= size
        if self._untold:
            taken.append(self._told(self._untold))
            self._untold = 0
        return b"".join(taken)

    def _write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # another process that shares the descriptor made it so
                select.select((), (self._descriptor,), ())
            except OSError:  # it is gone, and there is nobody to be told
                return
