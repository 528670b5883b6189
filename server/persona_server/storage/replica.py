"""A replica of the database: what it has already of a group is read from it."""

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from persona.v1 import errors_pb2
from persona_server import patience
from persona_server.errors import ServiceError
from persona_server.storage.engine.database import shown
from persona_server.storage.store import Repositories, Store
from persona_server.telemetry.logs import LOGGER

T = TypeVar("T")
WAIT_SECONDS = 1.0  # for the replica, at most; then the database itself is asked
REST_SECONDS = 5.0  # after a failure, in which nobody asks it
# Reasons that say something of the replica, not of what is asked for.
_ITS_OWN = {
    errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE,
    errors_pb2.ERROR_REASON_CONCURRENT_CHANGE,  # replaying took back what stood in its way
    errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
}


class Version(NamedTuple):
    """A group, and the version in which the database itself has it."""

    project: bytes
    group: bytes
    number: int


class Replica:
    """Reads of personas of one group, where the replica has what the database itself has of it.

    Every change of a group raises its version in the same transaction. So a caller who has learnt
    the version from the database finds at the replica nothing older than the call, whoever wrote.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rests_until = 0.0

    def read(self, tenant: str, wanted: Version, read: Callable[[Repositories], T]) -> T | None:
        """Return what is read from the replica; None if it is behind, or can't be asked now.

        Raises DEADLINE_EXCEEDED.
        """
        if time.monotonic() < self._rests_until:
            return None
        try:
            with patience.at_most(WAIT_SECONDS), self._store.reading(tenant) as repositories:
                head = repositories.groups.head(wanted.project, wanted.group)
                if head.set_id is None or head.version < wanted.number:
                    return None
                return read(repositories)
        except ServiceError as error:
            if error.reason in _ITS_OWN:
                self._rest(error)
        except Exception as error:  # noqa: BLE001 (whatever it is, the database itself has all)
            self._rest(error)
        patience.require()
        return None

    def _rest(self, error: Exception) -> None:
        self._rests_until = time.monotonic() + REST_SECONDS
        extra = {"place": self._store.database.place}
        LOGGER.warning("the replica could not be read", extra=extra, exc_info=error)

    def close(self) -> None:
        """Close every connection."""
        self._store.close()


def replica_at(url: str, *, pooler: bool) -> Replica:
    """Return the replica at a URL, which is not asked before it is needed: it may be down.

    Raises DatabaseError for a URL that can't be read.
    """
    from persona_server.storage.engine.postgresql.database import PostgresqlDatabase
    from persona_server.storage.engine.postgresql.urls import parts_of

    parts_of(url)
    return Replica(Store(PostgresqlDatabase(url, pooler=pooler), shown(url)))
