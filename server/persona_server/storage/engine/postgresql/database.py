"""The database: one of PostgreSQL through psycopg."""

import contextlib
import math
import os
import socket
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import psycopg
from peewee import PostgresqlDatabase as PeeweeDatabase
from psycopg import conninfo

from persona_server import patience
from persona_server.storage.engine.database import Load, Target, shown
from persona_server.storage.engine.errors import DatabaseError, refusing_to_open
from persona_server.storage.engine.postgresql import presence
from persona_server.storage.engine.postgresql.adapting import adapt
from persona_server.storage.engine.postgresql.connection import CompiledStatements, Connection
from persona_server.storage.engine.postgresql.copying import FEWEST, copy
from persona_server.storage.engine.postgresql.pool import Pool
from persona_server.storage.engine.postgresql.roles import grant, require_owner, require_rights
from persona_server.storage.engine.postgresql.sessions import (
    OwnSessions,
    PooledSessions,
    Sessions,
)
from persona_server.storage.engine.postgresql.turns import WriteTurns
from persona_server.storage.engine.postgresql.urls import parts_of
from persona_server.storage.engine.postgresql.watch import Watch

OLDEST = 15_00_00  # of the server
CONNECT_SECONDS = 2  # and for each of the first answers
STREAMED = 50  # rows that are fetched at once: an answer kept for retries can have 3 MiB
APPLICATION = "persona/"  # and host and process: the name of a connection
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresqlDatabase(PeeweeDatabase):
    """One PostgreSQL database, its connections borrowed for a statement or a transaction."""

    engine = "postgresql"
    says_fail = False
    pages_in_one_row = False
    has_many_writers = True
    _state: Any  # Peewee's, of each thread: the connection that it holds

    def __init__(self, url: str, *, pooler: bool = False) -> None:
        super().__init__(url, prefer_psycopg3=True, autoconnect=True)
        self.place = shown(url)
        self._url = url
        self._sessions: Sessions = PooledSessions() if pooler else OwnSessions()
        self._pool = Pool(self._connect)
        self._alone: Connection | None = None  # what keeps out others
        self._turns = WriteTurns()
        self._watch = Watch()

    def get_context_options(self) -> dict[str, Any]:
        """Return what a query is compiled with: the words of this engine too."""
        return {**super().get_context_options(), "engine": self.engine}

    def _connect(self) -> Connection:
        """Return a connection for the pool: by it the database is in use."""
        connection = self._open()
        try:
            if self._alone:
                presence.require(self._alone)
            else:
                with self._watch.at_most(connection, CONNECT_SECONDS):
                    self._sessions.use(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open(self) -> Connection:
        given = parts_of(self._url)
        given["options"] = f"{self._sessions.options} {given.get('options') or ''}".strip()
        defaults: dict[str, Any] = {
            "application_name": _own_name(),
            "client_encoding": "utf8",
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": 30,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,  # milliseconds
        }
        text = conninfo.make_conninfo("", **(defaults | given))
        connection = Connection.connect(text, autocommit=True)
        try:
            with self._watch.at_most(connection, CONNECT_SECONDS):
                self._sessions.set_up(connection)
        except BaseException:
            connection.close()
            raise
        adapt(connection)
        connection.compiled = CompiledStatements(connection, prepares=self._sessions.prepares)
        return connection

    def _set_server_version(self, connection: Connection) -> None:
        self.server_version = connection.info.server_version

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Execute a compiled statement and return its rows."""
        if self._state.conn is not None:
            return self._rows(self._state.conn, sql, values)
        connection = self._pool.take()
        try:
            return self._rows(connection, sql, values)
        finally:
            self._pool.give_back(connection)

    def _rows(
        self, connection: Connection, sql: str, values: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        with self._watch.over(connection):
            return connection.compiled.rows(sql, values)

    def first(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Execute a compiled query and return its first row."""
        rows = self.rows(sql, values)
        return rows[0] if rows else None

    def changed(self, sql: str, values: Sequence[Any]) -> int:
        """Execute a compiled change and return how many rows it touched."""
        with self._held() as connection, self._watch.over(connection):
            return connection.compiled.changed(sql, values)

    def change_each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a compiled change for each row of values."""
        with self._held() as connection, self._watch.over(connection):
            connection.cursor().executemany(sql, rows)

    def insert_each(self, into: Target, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of values."""
        given = list(rows)
        if len(given) < FEWEST:
            self.change_each(into.sql, given)
            return
        with self._held() as connection, self._watch.over(connection):
            copy(connection, into, given)

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a compiled statement, fetched a few at a time. Only in a snapshot."""
        with self._state.conn.cursor("stream", binary=True) as cursor:
            cursor.itersize = STREAMED
            yield from cursor.execute(sql, values)

    def execute_sql(self, sql: str, params: Any = None) -> psycopg.Cursor[Any]:
        """Execute what is no compiled statement."""
        with self._held() as connection, self._watch.over(connection):
            connection.compiled.forget()
            return connection.execute(sql, params or None)

    def as_list(self, values: Sequence[Any]) -> Any:
        """Return ids, hashes, texts or 64-bit integers as the driver binds a list."""
        numbers = bool(values) and isinstance(values[0], int)
        return array("q", values) if numbers else list(values)

    @contextlib.contextmanager
    def _held(self) -> Iterator[Connection]:
        """Hold a connection for a block: this thread's own, if it has one."""
        if not self._state.closed:
            yield self._state.conn
            return
        connection = self._pool.take()
        self._state.set_connection(connection)
        try:
            yield connection
        finally:
            self._state.reset()
            self._pool.give_back(connection)

    def begin(self, how: str | None = None) -> None:
        """Begin a transaction, as `atomic` is told."""
        connection: Connection = self._state.conn
        connection.is_gone = patience.caller()
        with self._watch.over(connection):
            self._sessions.begin(connection, how or BEGIN)

    def commit(self) -> None:
        """Keep what the transaction has done."""
        connection: Connection = self._state.conn
        with self._watch.over(connection, commits=True):
            connection.compiled.command("COMMIT")

    def rollback(self) -> None:
        """Take the transaction back. Without its connection PostgreSQL does so by itself."""
        connection: Connection = self._state.conn
        with (
            contextlib.suppress(psycopg.OperationalError),
            self._watch.at_most(connection, CONNECT_SECONDS, connection.is_gone),
        ):
            connection.compiled.command("ROLLBACK")

    def share(self) -> None:
        """Do nothing: writers of all processes are held apart by the rows that they lock."""

    @contextlib.contextmanager
    def write(self, timeout: float, tenant: str = "") -> Iterator[None]:
        """Run a block in one write transaction, durable when the block ends.

        Writers of one tenant come one after the other, in this process by their turn and among all
        by the tenant's row, which they lock first (`Tenants.hold`). Raises TimeoutError after
        `timeout` seconds of waiting for its turn, with nothing written.
        """
        if self.in_transaction():
            raise RuntimeError("a nested transaction would silently be a savepoint")
        how = f"{BEGIN}; SET LOCAL lock_timeout = {max(1, int(timeout * 1000))}"
        with (
            self._turns.hold(timeout, tenant),
            self._held(),
            self.atomic(how),
            patience.ended_by_failure(),
        ):
            patience.require()
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Run a block of reads that all see the database as it was at the first of them."""
        if self.in_transaction():
            raise RuntimeError("a snapshot within a transaction would see what is not committed")
        with self._held(), self.atomic(SNAPSHOT), patience.ended_by_failure():
            yield

    @contextlib.contextmanager
    def migrating(self) -> Iterator[None]:
        """Run a block in the transaction in which one starter of several changes the schema."""
        with self._held() as connection, self.atomic():
            connection.execute(f"SELECT pg_advisory_xact_lock({presence.MIGRATING})")
            yield

    def require_unserved(self) -> None:
        """Raise DatabaseError where others use it, within the transaction of `migrating`."""
        if presence.is_used(self._state.conn):
            raise self._used()

    def grant(self, role: str, tables: Collection[str], kept: Collection[str]) -> None:
        """Give a role the rights of a server on these tables; in those `kept` it only adds rows."""
        with self.migrating():
            grant(self._state.conn, role, tables, kept)

    def require_owner(self) -> None:
        """Raise DatabaseError where the role may not do what the owner of the tables may."""
        with self._held() as connection:
            require_owner(connection)

    def require_rights(self, tables: Collection[str], kept: Collection[str]) -> None:
        """Raise DatabaseError where the role may not use all of these tables.

        To those `kept` it adds rows alone.
        """
        with self._held() as connection:
            require_rights(connection, tables, kept)

    def mark(self) -> None:
        """Do nothing: no other program has tables of these names in this one's schema."""

    def touch(self) -> None:
        """Take a number for the transaction, which its end then writes down.

        And lock a row, if anybody lets it: that is refused where nothing may be written.
        """
        self.rows("SELECT pg_current_xact_id()::text", ())
        self.rows("SELECT 1 FROM secret LIMIT 1 FOR UPDATE SKIP LOCKED", ())

    def why_not_written(self) -> str:
        """Return why nobody may write: it is a standby, or set to be read only."""
        found = self.first("SELECT current_setting('transaction_read_only')", ())
        return "the database can only be read" if found == ("on",) else ""

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Run a block while nobody else of this service is connected.

        None of this process's connections may be borrowed when it begins or ends. Raises
        DatabaseError, also at the end where others could have come in meanwhile.
        """
        with refusing_to_open(self.place):
            connection = self._open()
        with contextlib.closing(connection):
            self._pool.close_idle()  # by which it is in use
            if not presence.exclude(connection):
                raise self._used()
            self._alone = connection
            try:
                yield
                self._require_kept_out(connection)
            finally:
                self._alone = None
                self._pool.close_idle()  # by which it would not be in use
                with contextlib.suppress(psycopg.Error):  # it was lost
                    presence.admit(connection)

    def _used(self) -> DatabaseError:
        return DatabaseError(f"A server or another command is using {self.place}. Stop it first.")

    def _require_kept_out(self, connection: Connection) -> None:
        """Raise DatabaseError where the connection that keeps out others was lost."""
        try:
            presence.require(connection)
        except psycopg.Error:
            raise DatabaseError(
                f"The connection that kept others from {self.place} was lost: a server may have "
                "used it meanwhile. See that none runs and say the same again; make a copy anew."
            ) from None

    def rewrite(self) -> None:
        """Write the tables anew without anything that was deleted. Nobody can use them meanwhile.

        What it takes is the owner's right, and as much room on the disk again. The planner's
        samples are of the rows that are left; those before were a catalog's rows, written anew too.
        """
        with self._held() as connection:
            connection.execute("ANALYZE")
            connection.execute("VACUUM FULL")

    def open_ahead(self, count: int) -> None:
        """Open connections for so many threads to come, which share them."""
        self._pool.open_ahead(count)

    def answer_within(self, seconds: float) -> None:
        """Take a connection for lost that leaves a statement unanswered for longer."""
        self._watch.longest = seconds

    def load(self) -> Load:
        """Return how busy it is, by this process."""
        busy = self._pool.busy
        return Load(busy + self._pool.idle, busy, self._turns.waiting)

    def close_all(self) -> None:
        """Close the connections that nobody uses; one that a call uses ends with the process."""
        self._watch.close()
        self._pool.close_idle()


def _own_name() -> str:
    return f"{APPLICATION}{socket.gethostname()[:32]}/{os.getpid()}"


def open_postgresql(url: str, *, pooler: bool) -> PostgresqlDatabase:
    """Open a database that is there. Raises DatabaseError for one that can't be used."""
    database = PostgresqlDatabase(url, pooler=pooler)
    database.answer_within(CONNECT_SECONDS)  # a pooler may have none behind it that answers
    ((version,),) = database.rows("SHOW server_version_num", ())
    ((encoding,),) = database.rows("SHOW server_encoding", ())
    database.answer_within(math.inf)  # what commands do takes its time
    if int(version) < OLDEST:
        raise DatabaseError(f"PostgreSQL 15 or newer is needed; {database.place} is older.")
    if encoding != "UTF8":
        raise DatabaseError(f"{database.place} is not of the encoding UTF8. Make one that is.")
    return database
