"""The driver's errors as storage raises them: the database is busy, or it can't be used at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
from peewee import PeeweeException

from persona_server import errors


class DatabaseError(Exception):
    """The database can't be used as it is; the text says why and what to do."""


class driver_errors_translated:  # noqa: N801 (reads as the context manager it is)
    """Turns what the engine raises into ServiceErrors; a fault of our own passes as it is.

    apsw raises its own errors while rows are read, Peewee wraps those of execute(). A class, since
    every call enters one: a generator would cost it two microseconds.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise errors.database_unavailable("Too many writes are waiting.") from error
        if isinstance(error, apsw.Error | PeeweeException):
            refusal = _refusal_of(error)
            if refusal is not None:
                raise refusal from error


def _refusal_of(error: BaseException) -> errors.ServiceError | None:
    """Return what the first error of a chain means that says something; None if none does."""
    for cause in _chain(error):
        if isinstance(cause, apsw.InterruptError):
            return errors.deadline_exceeded()
        if isinstance(cause, apsw.FullError):
            return errors.database_unavailable("The disk is full.")
        if isinstance(cause, apsw.BusyError | apsw.LockedError | apsw.IOError | apsw.CantOpenError):
            return errors.database_unavailable()
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came of. Peewee wraps one more than once where it connects."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def refusing_to_open(folder: Path) -> Iterator[None]:
    """Turn whatever keeps a block from opening the database in a folder into a DatabaseError."""
    try:
        yield
    except (OSError, apsw.Error, PeeweeException) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise DatabaseError(f"The database in {folder} can't be used: {why}.") from error
