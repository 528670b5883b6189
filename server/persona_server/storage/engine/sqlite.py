"""The database: an SQLite file through apsw, opened with the settings that durability needs."""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import apsw
from peewee import PeeweeException
from playhouse.apsw_ext import APSWDatabase

from persona_server import errors
from persona_server.storage.engine.fairlock import FairLock

OLDEST_SQLITE = (3, 51, 3)  # before, a WAL reset could lose committed pages
FILE_NAME = "persona.sqlite3"
BUSY_TIMEOUT = 5.0  # seconds SQLite waits for another process
LOCK_TIMEOUT = 10.0  # seconds a write waits for its turn at most, whatever its deadline

# name → (value to set, value that must come back)
_PRAGMAS: dict[str, tuple[str, object]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("1", 1),
    "recursive_triggers": ("1", 1),
    "wal_autocheckpoint": ("1000", 1000),
    "journal_size_limit": (str(16 << 20), 16 << 20),
    "cache_size": ("-8192", -8192),
    "mmap_size": ("0", 0),
}


class DatabaseError(Exception):
    """The database can't be used as it is; the text says why and what to do."""


class SqliteDatabase(APSWDatabase):  # type: ignore[misc]
    """One SQLite file, a connection per thread kept open, and one fair lock before its writers."""

    def __init__(self, path: Path) -> None:
        if apsw_version() < OLDEST_SQLITE:
            raise DatabaseError("SQLite 3.51.3 or newer is needed; upgrade the package apsw.")
        super().__init__(str(path), timeout=BUSY_TIMEOUT, autoconnect=True)
        self.path = path
        self._turn = FairLock()
        self._connections: list[apsw.Connection] = []
        self._connections_lock = threading.Lock()

    def _connect(self) -> apsw.Connection:
        connection: apsw.Connection = super()._connect()
        _persistently(lambda: self._set_up(connection))
        with self._connections_lock:
            self._connections.append(connection)
        return connection

    def _set_up(self, connection: apsw.Connection) -> None:
        # Plans must not depend on bound values. Otherwise SQLite also prepares a statement anew at
        # every call that binds one which a partial index might be compared with: Get took 10 times
        # as long.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        # Both hold only for a file that has no table yet; before WAL, which fixes them.
        connection.execute("PRAGMA page_size = 8192; PRAGMA encoding = 'UTF-8'").fetchall()
        for name, (wanted, answer) in _PRAGMAS.items():
            connection.execute(f"PRAGMA {name} = {wanted}").fetchall()
            found = connection.execute(f"PRAGMA {name}").fetchall()
            if found != [(answer,)]:
                raise DatabaseError(f"SQLite refused {name} = {wanted} for {self.path.name}.")

    @contextlib.contextmanager
    def write(self, timeout: float) -> Iterator[None]:
        """Run a block in one write transaction, durable when the block ends.

        Raises TimeoutError after `timeout` seconds of waiting for its turn, with nothing written.
        """
        if self.in_transaction():
            raise RuntimeError("a nested transaction would silently be a savepoint")
        with self._turn.hold(timeout), self.atomic("IMMEDIATE"):
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Run a block of reads that all see the database as it was at the first of them."""
        if self.in_transaction():
            raise RuntimeError("a snapshot within a transaction would see what is not committed")
        with self.atomic("DEFERRED"):
            yield

    def close_all(self) -> None:
        """Close the connections of all threads; the last one checkpoints the log.

        One that a call beyond its grace still uses is left to the end of the process.
        """
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(apsw.ThreadingViolationError):
                    connection.close()
            self._connections.clear()


def _persistently(set_up: Callable[[], None]) -> None:
    """Run a set-up again for as long as SQLite would wait, where it does not wait itself.

    The first switch to WAL needs the file alone, and the busy timeout does not count for it: of
    processes that open a new file at once, all but one would fail.
    """
    until = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return set_up()
        except apsw.BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


class translated:  # noqa: N801 (reads as the context manager it is)
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
    cause = error if isinstance(error, apsw.Error) else error.__context__
    if isinstance(cause, apsw.FullError):
        return errors.database_unavailable("The disk is full.")
    if isinstance(cause, apsw.BusyError | apsw.LockedError | apsw.IOError | apsw.CantOpenError):
        return errors.database_unavailable()
    return None


def apsw_version() -> tuple[int, ...]:
    """Return the version of the SQLite library that apsw brought."""
    return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))


def lock_file(folder: Path) -> IO[Any]:
    """Claim a data folder for one server and return the open lock file.

    Never a lock on the database file: closing any descriptor of it would drop SQLite's own locks.
    Raises DatabaseError if another server has it.
    """
    path = folder / f"{FILE_NAME}.lock"
    path.touch(mode=0o600)
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        owner = handle.read().strip() or "unknown"
        handle.close()
        raise DatabaseError(
            f"Another server (process {owner}) is using {folder}. Stop it, or name another --data."
        ) from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def make_private(folder: Path) -> None:
    """Make a data folder that only its owner can read, and its database file likewise.

    A folder that is there already keeps its mode: it may be an operator's, or a mounted volume.
    Raises DatabaseError where that can't be.
    """
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)  # another starter may have made it
        path = folder / FILE_NAME
        path.touch(mode=0o600)
        path.chmod(0o600)
    except OSError as error:
        raise DatabaseError(f"{folder} can't be used for a database: {error.strerror}.") from error
