"""The database as all of storage knows it, whichever engine keeps it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

LOCK_TIMEOUT = 10.0  # seconds a write waits for its turn at most, whatever its deadline
SCHEMES = ("postgresql://", "postgres://")

# Where a database is: the folder of an SQLite file, or the URL of a PostgreSQL database.
DatabasePlace: TypeAlias = Path | str


class Target(NamedTuple):
    """Where rows are inserted: by a statement for one, into a table's columns with their types."""

    sql: str
    table: str
    columns: Mapping[str, str]  # to Peewee's name of the type


class Load(NamedTuple):
    """How busy a database is: connections, those that threads use, and threads that wait to write.

    SQLite's are used by transactions; a statement of its own is over too soon to be seen.
    """

    connections: int
    busy: int
    writers: int


class Database(Protocol):
    """One database. Both engines are Peewee databases too, which compiles statements for them."""

    engine: str  # whose words statements are compiled to: "sqlite" or "postgresql"
    place: str  # where it is, as a person is told: without a password
    says_fail: bool  # whether an insertion says that it takes nothing back when it fails
    pages_in_one_row: bool  # whether a page is read fastest so
    has_many_writers: bool  # whether writers are held apart by the rows that they lock

    def get_sql_context(self, **options: Any) -> Any:
        """Return what compiles a query."""

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        """Execute what is no compiled statement, such as a migration's."""

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Execute a compiled statement and return its rows, all of them read."""

    def first(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        """Execute a compiled query and return its first row, or None. It changes nothing."""

    def changed(self, sql: str, values: Sequence[Any]) -> int:
        """Execute a compiled change and return how many rows it touched."""

    def change_each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a compiled change for each row of values."""

    def insert_each(self, into: Target, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows of values."""

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a compiled statement, of which few are held. Only in a snapshot."""

    def get_tables(self) -> list[str]:
        """Return the names of all tables, by what the database itself says."""

    def get_foreign_keys(self, table: str) -> list[Any]:
        """Return a table's references, column by column, each with its `dest_table`."""

    def as_list(self, values: Sequence[Any]) -> Any:
        """Return ids, hashes, texts or 64-bit integers as the driver binds a list."""

    def write(self, timeout: float, tenant: str = "") -> AbstractContextManager[None]:
        """Run a block in one write transaction, durable when the block ends. Tenants take turns.

        Raises TimeoutError after `timeout` seconds of waiting for its turn, with nothing written.
        """

    def snapshot(self) -> AbstractContextManager[None]:
        """Run a block of reads that all see the database as it was at the first of them."""

    def migrating(self) -> AbstractContextManager[object]:
        """Return the transaction in which one starter of several changes the schema."""

    def require_unserved(self) -> None:
        """Raise DatabaseError where others use it than who waits to change its schema too.

        Only in the transaction of `migrating`. A folder has a lock for that.
        """

    def alone(self) -> AbstractContextManager[object]:
        """Hold the database for a block, while no server may use it.

        Raises DatabaseError if one does.
        """

    def share(self) -> None:
        """Let this process write in turn with other processes of the same service."""

    def in_transaction(self) -> bool:
        """Return whether this thread has a transaction open."""

    def require_owner(self) -> None:
        """Raise DatabaseError where who opened it may not do what the owner of the tables may."""

    def require_rights(self, tables: Collection[str], kept: Collection[str]) -> None:
        """Raise DatabaseError where who opened it may not use all of these tables.

        To those `kept` it adds rows alone.
        """

    def mark(self) -> None:
        """Write down whose the database is, within the transaction that is open."""

    def touch(self) -> None:
        """Change what nobody reads, within the transaction that is open: so the disk is written."""

    def why_not_written(self) -> str:
        """Return why nothing may be written at all, "" where it may, as far as a look tells.

        It is not what others find at the place, or its server only lets it be read.
        """

    def rewrite(self) -> None:
        """Write the files anew without anything that was deleted."""

    def open_ahead(self, count: int) -> None:
        """Open connections for so many threads to come, as far as each has one."""

    def answer_within(self, seconds: float) -> None:
        """Take it for lost, from now on, when it leaves a statement unanswered for longer."""

    def load(self) -> Load:
        """Return how busy it is."""

    def close_all(self) -> None:
        """Close all connections."""


def is_url(place: DatabasePlace) -> bool:
    """Return whether a database is one of PostgreSQL."""
    return isinstance(place, str) and place.startswith(SCHEMES)


def shown(place: DatabasePlace) -> str:
    """Return where a database is, as a person is told: without a password."""
    if not is_url(place):
        return str(place)
    scheme, _, rest = str(place).partition("://")
    user, at, server = rest.partition("@")
    if not at:
        return f"{scheme}://{rest.split('?')[0]}"
    name = re.split("[:/?]", user)[0]
    if "/" in user or "@" in server:  # who knows which of them ends a password
        return f"{scheme}://{name}@…"
    return f"{scheme}://{name}@{server.split('?')[0]}"


def open_database(place: DatabasePlace, *, make: bool, pooler: bool = False) -> Database:
    """Open a database; if `make`, an SQLite file is made where it is missing.

    One of PostgreSQL may be behind a `pooler` that lends a connection for a transaction. Raises
    DatabaseError.
    """
    if is_url(place):
        from persona_server.storage.engine.postgresql.database import open_postgresql

        return open_postgresql(str(place), pooler=pooler)
    from persona_server.storage.engine.sqlite.database import open_sqlite

    return open_sqlite(Path(place), make=make)
