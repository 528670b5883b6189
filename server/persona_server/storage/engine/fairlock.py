"""A lock that is handed to tenants in turn, and to each tenant's callers in the order of asking.

SQLite's own waiting (busy_timeout) polls: beside busy writers an unlucky one starves for seconds.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from persona_server.storage.engine.processes import Processes


class FairLock:
    """Tenants in turn, each of them first come, first served, with a bound on the waiting.

    Whose turn it is then waits for that of its process, if there are `processes`.
    """

    def __init__(self, processes: Processes | None = None) -> None:
        self._processes = processes
        self._guard = threading.Lock()
        self._held = False
        self._waiting: dict[str, deque[threading.Event]] = {}  # the next tenant first

    @property
    def waiting(self) -> int:
        """How many wait for it."""
        with self._guard:
            return sum(map(len, self._waiting.values()))

    @contextmanager
    def hold(self, timeout: float, tenant: str = "") -> Iterator[None]:
        """Hold the lock for a block. Raises TimeoutError after `timeout` seconds of waiting."""
        until = time.monotonic() + timeout
        if not self._acquire(timeout, tenant):
            raise TimeoutError
        try:
            left = until - time.monotonic()
            with self._processes.hold(left) if self._processes else nullcontext():
                yield
        finally:
            self._release()

    def _acquire(self, timeout: float, tenant: str) -> bool:
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Event()
            self._waiting.setdefault(tenant, deque()).append(turn)
        if turn.wait(max(timeout, 0)):
            return True
        with self._guard:
            if turn.is_set():  # handed over just as the wait ended
                return True
            self._leave(tenant, turn)
            return False

    def _release(self) -> None:
        with self._guard:
            if not self._waiting:
                self._held = False
                return
            tenant = next(iter(self._waiting))
            queue = self._waiting.pop(tenant)
            queue.popleft().set()
            if queue:
                self._waiting[tenant] = queue  # behind the others

    def _leave(self, tenant: str, turn: threading.Event) -> None:
        queue = self._waiting[tenant]
        queue.remove(turn)
        if not queue:
            del self._waiting[tenant]
