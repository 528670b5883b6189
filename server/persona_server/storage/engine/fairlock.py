"""A lock that is handed on in the order of asking.

SQLite's own waiting (busy_timeout) polls: beside busy writers an unlucky one starves for seconds.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class FairLock:
    """First come, first served, with a bound on the waiting."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def hold(self, timeout: float) -> Iterator[None]:
        """Hold the lock for a block. Raises TimeoutError after `timeout` seconds of waiting."""
        if not self._acquire(timeout):
            raise TimeoutError
        try:
            yield
        finally:
            self._release()

    def _acquire(self, timeout: float) -> bool:
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(max(timeout, 0)):
            return True
        with self._guard:
            if turn.is_set():  # handed over just as the wait ended
                return True
            self._waiting.remove(turn)
            return False

    def _release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False
