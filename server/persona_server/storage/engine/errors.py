"""The drivers' errors as storage raises them: the database is busy, or it can't be used at all."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import psycopg
from peewee import PeeweeException

from persona_server import errors

# SQLSTATEs of PostgreSQL, or their first characters, that say that it can't do now what it could:
# connections lost, transactions taken back, no room for more, a wait too long, an end that is
# near, a standby, an operating system that fails.
_NOT_NOW = ("08", "40", "53", "55P03", "57P", "25006", "58")
_INTERRUPTED, _DISK_FULL, _LOCK_TIMEOUT = "57014", "53100", "55P03"
_DISTURBED = ("40001", "40P01")  # a serialization failure, a deadlock


class DatabaseError(Exception):
    """The database can't be used as it is; the text says why and what to do."""


class driver_errors_translated:  # noqa: N801 (reads as the context manager it is)
    """Turns what an engine raises into ServiceErrors; a fault of our own passes as it is.

    Drivers raise their own errors while rows are read, Peewee wraps those of execute(). A class,
    since every call enters one: a generator would cost it two microseconds.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise errors.database_unavailable("Too many writes are waiting.") from error
        if isinstance(error, apsw.Error | PeeweeException | psycopg.Error):
            refusal = _refusal_of(error)
            if refusal is not None:
                raise refusal from error


def _refusal_of(error: BaseException) -> errors.ServiceError | None:
    """Return what the first error of a chain means that says something; None if none does."""
    for cause in _chain(error):
        refusal = _by_postgresql(cause) if isinstance(cause, psycopg.Error) else _by_sqlite(cause)
        if refusal is not None:
            return refusal
    return None


def _by_sqlite(cause: BaseException) -> errors.ServiceError | None:
    if isinstance(cause, apsw.InterruptError):
        return errors.deadline_exceeded()
    if isinstance(cause, apsw.FullError):
        return errors.database_unavailable("The disk is full.")
    if isinstance(cause, apsw.BusyError | apsw.LockedError | apsw.IOError | apsw.CantOpenError):
        return errors.database_unavailable()
    return None


def _by_postgresql(cause: psycopg.Error) -> errors.ServiceError | None:
    """Return what an error means. One without a state is of the connection, or of its end."""
    state = cause.sqlstate
    if state == _INTERRUPTED:
        return errors.deadline_exceeded()
    if state in _DISTURBED:
        return errors.DisturbedError()
    if state == _DISK_FULL:
        return errors.database_unavailable("The disk is full.")
    if state == _LOCK_TIMEOUT:
        return errors.database_unavailable("Too many writes are waiting.")
    if state is None:
        lost = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
        return errors.database_unavailable() if lost else None
    return errors.database_unavailable() if state.startswith(_NOT_NOW) else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came of. Peewee wraps one more than once where it connects."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def refusing_to_open(place: object) -> Iterator[None]:
    """Turn whatever keeps a block from opening the database at a place into a DatabaseError."""
    try:
        yield
    except (OSError, apsw.Error, PeeweeException, psycopg.Error) as error:
        why = error.strerror if isinstance(error, OSError) else str(error).strip()
        raise DatabaseError(f"The database in {place} can't be used: {why}.") from error
