"""The drivers' errors as storage raises them: by the table of faults, or as one sentence."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import apsw
import psycopg
from google.protobuf.message import DecodeError
from peewee import PeeweeException

from persona_server import patience
from persona_server.errors import is_unavailable
from persona_server.storage.engine.faults import (
    BUSY,
    DAMAGE,
    LATE,
    OURS,
    QUEUE,
    Fault,
    of_postgresql,
    of_sqlite,
)

_DRIVERS = (apsw.Error, PeeweeException, psycopg.Error)
_UNREADABLE = (DecodeError, UnicodeDecodeError)  # stored bytes that are not what was stored


class DatabaseError(Exception):
    """The database can't be used as it is; the text says why and what to do."""


class driver_errors_translated:  # noqa: N801 (reads as the context manager it is)
    """Turns what an engine raises into ServiceErrors; a fault of our own passes as it is.

    `until_deadline` is whether the turn to write is waited for until the caller's time is over, so
    that one that has not come is late. Drivers raise their own errors while rows are read, Peewee
    wraps those of execute(). A class, since every call enters one: a generator would cost it two
    microseconds.
    """

    __slots__ = ("_until_deadline",)

    def __init__(self, *, until_deadline: bool = False) -> None:
        self._until_deadline = until_deadline

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        fault = fault_of(error)
        if (fault is QUEUE and self._until_deadline) or (fault is BUSY and patience.is_over()):
            fault = LATE
        if fault is not None and fault.refusal is not None:
            refusal = fault.refusal()
            refusal.fault = fault.kind
            raise refusal from error


@contextmanager
def faults_kept_apart() -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Let what is of one tenant alone keep no other one waiting.

    Each tenant's work stands in a context that what this returns makes. The first fault of any is
    raised when all have had their turn; that the database is not available is raised at once.
    """
    faults: list[Exception] = []

    @contextmanager
    def apart() -> Iterator[None]:
        try:
            with driver_errors_translated():
                yield
        except Exception as error:
            if is_unavailable(error):
                raise
            faults.append(error)

    yield apart
    if faults:
        raise faults[0]


def fault_of(error: BaseException) -> Fault | None:
    """Return what an error says of the database; None where it says nothing of it.

    Of a chain of errors the first counts that is no fault of ours.
    """
    if isinstance(error, TimeoutError):
        return QUEUE
    if isinstance(error, _UNREADABLE):
        return DAMAGE
    if not isinstance(error, _DRIVERS):
        return None
    found = (_fault_of_driver(cause) for cause in _chain(error))
    return next((fault for fault in found if fault is not OURS), OURS)


def _fault_of_driver(cause: BaseException) -> Fault:
    if isinstance(cause, apsw.Error):
        return of_sqlite(cause)
    return of_postgresql(cause) if isinstance(cause, psycopg.Error) else OURS


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
    except (OSError, *_DRIVERS, *_UNREADABLE) as error:
        if fault_of(error) is DAMAGE:
            raise DatabaseError(
                f"The database in {place} is damaged ({_text(error)}): have `persona doctor` look "
                "at it, or restore a backup."
            ) from error
        if isinstance(error.__cause__ or error, psycopg.errors.InsufficientPrivilege):
            raise DatabaseError(
                f"The role of {place} may not do what is needed there ({_text(error)}): name the "
                "owner of the tables, or let that one say `persona migrate --grant-to ROLE`."
            ) from error
        raise DatabaseError(f"The database in {place} can't be used: {_text(error)}.") from error


def _text(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    # libpq's hints are lines of their own, behind a tab.
    lines = (line for line in str(error).splitlines() if not line.startswith("\t"))
    return ("; ".join(lines).strip() or type(error).__name__) + _of_too_many_files()


def _of_too_many_files() -> str:
    """Return what is behind an error where no file can be opened: SQLite does not say so."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return "; no more files can be opened: raise the limit of open files (ulimit -n)"
    return ""
