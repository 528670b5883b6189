"""Whose turn to write it is, tenant by tenant, so that who waits holds no connection."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from persona_server.storage.engine.fairlock import FairLock


class WriteTurns:
    """A fair lock for each tenant that is written now."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[FairLock, int]] = {}  # with how many hold it or wait for it

    @contextmanager
    def hold(self, timeout: float, tenant: str) -> Iterator[None]:
        """Hold a tenant's turn for a block. Raises TimeoutError after `timeout` seconds."""
        lock = self._enter(tenant)
        try:
            with lock.hold(timeout):
                yield
        finally:
            self._leave(tenant)

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        with self._guard:
            return sum(users - 1 for _, users in self._locks.values())

    def _enter(self, tenant: str) -> FairLock:
        with self._guard:
            lock, users = self._locks.get(tenant) or (FairLock(), 0)
            self._locks[tenant] = lock, users + 1
            return lock

    def _leave(self, tenant: str) -> None:
        with self._guard:
            lock, users = self._locks[tenant]
            if users == 1:
                del self._locks[tenant]
            else:
                self._locks[tenant] = lock, users - 1
