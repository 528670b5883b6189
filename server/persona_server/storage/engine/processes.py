"""Turns to write among the processes that have one database file.

They are locks on single bytes of a file, which the system takes from a process that ends, however
that was. Nothing else may open the file: closing any descriptor of it would give them up.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from persona_server.storage.engine.folder import open_private

PAUSE = 0.0005  # seconds between two tries: a turn is mostly a write to the disk, and lasts longer
_QUEUE, _TURN = range(2)


class Processes:
    """The turns of this process; of its own threads one at a time may ask to write."""

    def __init__(self, path: Path) -> None:
        self._file = open_private(path)

    @contextmanager
    def hold(self, timeout: float) -> Iterator[None]:
        """Hold the turn to write for a block. Raises TimeoutError after so many seconds.

        Who is next holds the queue while it waits. So who gives the turn back stands behind it, and
        can't take the turn again and again, as it could at one lock.
        """
        until = time.monotonic() + timeout
        self._wait(_QUEUE, until)
        try:
            self._wait(_TURN, until)
        finally:
            self._release(_QUEUE)
        try:
            yield
        finally:
            self._release(_TURN)

    def _wait(self, byte: int, until: float) -> None:
        while not self._take(byte):
            if time.monotonic() >= until:
                raise TimeoutError
            time.sleep(PAUSE)

    def _take(self, byte: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):  # what a system says of a lock that is taken
            return False
        return True

    def _release(self, byte: int) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)
