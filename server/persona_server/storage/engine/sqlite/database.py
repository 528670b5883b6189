"""The database: an SQLite file through apsw, opened with the settings that durability needs."""

import contextlib
import shutil
import threading
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import apsw
from playhouse.apsw_ext import APSWDatabase

from persona_server import errors, patience
from persona_server.storage.engine.database import Load, Target
from persona_server.storage.engine.fairlock import FairLock
from persona_server.storage.engine.folder import (
    FILE_NAME,
    FileIdentity,
    file_identity,
    has_database,
    lock_file,
    make_private,
    require_database,
)
from persona_server.storage.engine.processes import Processes
from persona_server.storage.engine.sqlite.connecting import (
    BUSY_TIMEOUT,
    CAN_SHRINK,
    WRITERS_CACHE,
    require_sqlite,
    set_up,
)
from persona_server.storage.engine.sqlite.looking import APPLICATION_ID, looking_at, require_ours

LEAST_ROOM = 1 << 20  # bytes


class SqliteDatabase(APSWDatabase):  # type: ignore[misc]
    """One SQLite file, a connection for each thread that reads, and one for all that write.

    A connection forgets the pages that it has in memory once another one has written. If each
    thread had its own to write, a batch would read again what the one before had just written.
    """

    engine = "sqlite"
    # Where inserting fires a trigger, SQLite copies each page before it changes it, to take the
    # statement back alone if something aborts it. With many indexes that cost as much as the row.
    says_fail = True
    pages_in_one_row = True
    has_many_writers = False

    def __init__(self, path: Path) -> None:
        require_sqlite()
        super().__init__(str(path), timeout=BUSY_TIMEOUT, autoconnect=True)
        self.path = path
        self.place = str(path)
        self._turn = FairLock()
        self._writer: apsw.Connection | None = None  # of whose turn it is
        self._journals_in_memory = False  # whether the writer keeps those of statements there
        self._file: FileIdentity | None = None  # of the file, once it is open
        self._log: FileIdentity | None = None  # of the log, while the file is in its place
        self._connections: list[apsw.Connection] = []
        self._spare: list[apsw.Connection] = []
        self._busy: set[int] = set()  # threads with a transaction
        self._connections_lock = threading.Lock()

    def get_context_options(self) -> dict[str, Any]:
        """Return what a query is compiled with: the words of this engine too."""
        return {**super().get_context_options(), "engine": self.engine}

    # This thread's connection, kept open. Peewee's execute_sql would cost as much as a Get.

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Execute a compiled statement and return its rows.

        The cursor is read to its end: an open one would hold a snapshot.
        """
        rows: list[tuple[Any, ...]] = self.connection().execute(sql, values).fetchall()
        return rows

    def first(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Execute a compiled query and return its first row.

        No other is asked for: the driver would give up the interpreter's lock once more.
        """
        cursor = self.connection().execute(sql, values)
        row: tuple[Any, ...] | None = next(cursor, None)
        cursor.close()
        return row

    def changed(self, sql: str, values: Sequence[Any]) -> int:
        """Execute a compiled change and return how many rows it touched."""
        connection = self.connection()
        connection.execute(sql, values)
        return int(connection.changes())

    def change_each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a compiled change for each row of values."""
        self.connection().cursor().executemany(sql, rows)

    def insert_each(self, into: Target, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of values."""
        self.change_each(into.sql, rows)

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a compiled statement as SQLite finds them. Only in a snapshot."""
        yield from self.connection().execute(sql, values)

    def as_list(self, values: Sequence[Any]) -> Any:
        """Return ids, hashes, texts or 64-bit integers as the driver binds a list."""
        numbers = bool(values) and isinstance(values[0], int)
        return apsw.carray(array("q", values) if numbers else tuple(values))

    def share(self) -> None:
        """Let this process write in turn with others that have the same file."""
        self._turn = FairLock(Processes(self._beside(".turns")))

    def open_ahead(self, count: int) -> None:
        """Open connections for threads to come, which then need no file descriptor any more."""
        opened = [self._open() for _ in range(count + 1)]  # the last one writes
        with self._connections_lock:
            self._spare += opened

    def _connect(self) -> apsw.Connection:
        with self._connections_lock:
            if self._spare:
                return self._spare.pop()
        return self._open()

    def _open(self) -> apsw.Connection:
        connection: apsw.Connection = super()._connect()
        set_up(connection, self.path.name)
        # On the disk whose room is looked at: that of the system's temporary files may be small, or
        # memory. It counts for the whole process, and what SQLite writes there has no name.
        connection.pragma("temp_store_directory", str(self.path.parent))
        with self._connections_lock:
            self._file = self._file or file_identity(self.path)
            self._connections.append(connection)
        return connection

    @contextlib.contextmanager
    def write(self, timeout: float, tenant: str = "") -> Iterator[None]:
        """Run a block in one write transaction, durable when the block ends. Tenants take turns.

        Raises TimeoutError after `timeout` seconds of waiting for its turn, with nothing written.
        """
        if self.in_transaction():
            raise RuntimeError("a nested transaction would silently be a savepoint")
        with (
            self._turn.hold(timeout, tenant),
            self._as_writer(),
            self._in_use(),
            self.atomic("IMMEDIATE"),
            patience.ended_by_failure(),
        ):
            patience.require()
            if file_identity(self.path) != self._file:  # what is written there is lost
                raise errors.database_unavailable("The database is not where it was.")
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Run a block of reads that all see the database as it was at the first of them."""
        if self.in_transaction():
            raise RuntimeError("a snapshot within a transaction would see what is not committed")
        with self._in_use(), self.atomic("DEFERRED"), patience.ended_by_failure():
            yield

    @contextlib.contextmanager
    def _as_writer(self) -> Iterator[None]:
        """Give this thread, whose turn it is, the connection of all writers for a block."""
        own = self._state.conn
        if self._writer is None:
            self._writer = self._connect()
            self._writer.pragma("cache_size", -WRITERS_CACHE)
        self._state.set_connection(self._writer)
        try:
            self._keep_journals(in_memory=patience.caller() is not None)
            yield
        finally:
            if own is None:
                self._state.reset()
            else:
                self._state.set_connection(own)

    def _keep_journals(self, *, in_memory: bool) -> None:
        """Keep what takes a statement of the writer back in memory or, by default, in files.

        A statement of a call changes few pages: the terms of an import are on the most. One of a
        job or a command may change any number.
        """
        if self._journals_in_memory != in_memory:
            self.connection().pragma("temp_store", "MEMORY" if in_memory else "DEFAULT")
            self._journals_in_memory = in_memory

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        thread = threading.get_ident()
        self._busy.add(thread)
        try:
            yield
        finally:
            self._busy.discard(thread)

    def answer_within(self, seconds: float) -> None:
        """Do nothing: what takes long is this process's own work, or the disk's."""

    def load(self) -> Load:
        """Return how busy it is, in this process."""
        return Load(len(self._connections), len(self._busy), self._turn.waiting)

    def migrating(self) -> AbstractContextManager[object]:
        """Return the transaction in which one starter of several changes the schema."""
        transaction: AbstractContextManager[object] = self.atomic("EXCLUSIVE")
        return transaction

    def require_unserved(self) -> None:
        """Do nothing: who keeps servers away has the lock on the folder."""

    def mark(self) -> None:
        """Write into the file that it is persona-service's, within the transaction that is open."""
        connection = self.connection()
        if connection.pragma("application_id") != APPLICATION_ID:
            connection.pragma("application_id", APPLICATION_ID)

    def touch(self) -> None:
        """Change a number in the file that nobody reads, within the transaction that is open.

        A disk with less room than a call may take counts as full, so that it is not for some calls.
        """
        if shutil.disk_usage(self.path.parent).free < LEAST_ROOM:
            raise apsw.exception_for(apsw.SQLITE_FULL)
        connection = self.connection()
        connection.pragma("user_version", (int(connection.pragma("user_version")) + 1) % (1 << 31))

    def why_not_written(self) -> str:
        """Return why nobody may write: the file that is open is not the one at its path."""
        if file_identity(self.path) != self._file:
            return "the file of the database is not where it was"
        self._log = file_identity(self._beside("-wal"))
        return ""

    def require_owner(self) -> None:
        """Do nothing: who may write the file may do all."""

    def require_rights(self, tables: Collection[str], kept: Collection[str]) -> None:
        """Do nothing, likewise."""

    def alone(self) -> AbstractContextManager[object]:
        """Hold the folder for a block. Raises DatabaseError if a server has it."""
        return lock_file(self.path.parent)

    def rewrite(self) -> None:
        """Write the file anew without anything that was deleted, and empty the log.

        Takes twice its room on the disk, for a copy and the log, and must be alone: see `alone`.
        """
        connection = self.connection()
        connection.execute(f"{CAN_SHRINK}; VACUUM").fetchall()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def can_shrink(self) -> bool:
        """Return whether room can be given back without writing the file anew."""
        return bool(self.connection().pragma("auto_vacuum") == 2)

    def shrink(self, pages: int) -> bool:
        """Give back so many pages that hold nothing, within the transaction that is open.

        Return whether there are more.
        """
        connection = self.connection()
        connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
        return bool(connection.pragma("freelist_count"))

    def checkpoint(self) -> None:
        """Bring what the log has into the file, as far as nobody is in the way."""
        self.connection().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close_all(self) -> None:
        """Close the connections of all threads; the last one checkpoints the log.

        One that a call beyond its grace still uses is left to the end of the process.
        """
        with self._connections_lock:
            for connection in self._connections:
                with contextlib.suppress(apsw.ThreadingViolationError):
                    connection.close()
            self._connections.clear()
            self._spare.clear()
        if self._log and self.why_not_written():
            self._set_log_aside()

    def _set_log_aside(self) -> None:
        """Move this database's log away from another file that lies in its place.

        SQLite would read it into that file, which it does not belong to. It is kept, for what the
        log alone has belongs to the file that was here.
        """
        if self.path.exists() and file_identity(self._beside("-wal")) == self._log:
            for ending in ("-wal", "-shm"):
                with contextlib.suppress(OSError):
                    self._beside(ending).rename(self._beside(f"{ending}.of-another-file"))

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(f"{self.path.name}{ending}")


def open_sqlite(folder: Path, *, make: bool) -> SqliteDatabase:
    """Open the database in a folder, made where it is missing if `make`. Raises DatabaseError."""
    if make:
        make_private(folder)
    else:
        require_database(folder)
    if has_database(folder):  # before it is set up, which would change it
        with looking_at(folder / FILE_NAME) as connection:
            require_ours(connection, folder / FILE_NAME)
    return SqliteDatabase(folder / FILE_NAME)
