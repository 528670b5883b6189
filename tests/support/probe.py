"""What the tests of storage see, and damage, behind the back of the store.

What engines have in common is here, what is of SQLite alone below; `postgresql_probe.py` has the
same of PostgreSQL. SQL that a test passes is standard, with a question mark for each value.
"""

from typing import Any

import apsw
import peewee
import psycopg

from persona_server.storage.store import Store
from support.databases.postgresql_probe import PostgresqlSchema

REFUSALS = (
    apsw.ConstraintError,
    peewee.IntegrityError,
    psycopg.IntegrityError,
    psycopg.errors.DatatypeMismatch,
)


class Probe:
    """One database, looked at behind the back of its store."""

    def __init__(self, store: Store) -> None:
        self._database: Any = store.database
        of_engine: dict[str, Any] = {"sqlite": SqliteSchema, "postgresql": PostgresqlSchema}
        self._schema = of_engine[store.database.engine](self)
        self.columns = self._schema.columns
        self.refuses_to_replace = self._schema.refuses_to_replace
        self.leave_references_unchecked = self._schema.leave_references_unchecked
        self.checks_references = self._schema.checks_references
        self.deletes_with_a_parent = self._schema.deletes_with_a_parent

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        found: list[tuple[Any, ...]] = self._execute(sql, values).fetchall()
        return found

    def _execute(self, sql: str, values: tuple[Any, ...]) -> Any:
        return self._database.execute_sql(sql.replace("?", self._database.param), values)

    def rows(self, table: str, *columns: str, **equal: Any) -> list[tuple[Any, ...]]:
        """Return these columns, or all, of the rows that have these values, in no order."""
        where = " AND ".join(f"{column} = ?" for column in equal) or "1 = 1"
        sql = f"SELECT {', '.join(columns) or '*'} FROM {table} WHERE {where}"  # noqa: S608 (ours)
        return self.ask(sql, *equal.values())

    def values(self, table: str, column: str, **equal: Any) -> list[Any]:
        """Return one column of the rows that have these values, in no order."""
        return [row[0] for row in self.rows(table, column, **equal)]

    def count(self, table: str, **equal: Any) -> int:
        """Return how many rows have these values."""
        return int(self.rows(table, "count(*)", **equal)[0][0])

    def change(self, sql: str, *values: Any) -> None:
        """Change what no repository would."""
        self._execute(sql, values)

    def insert(self, table: str, *rows: tuple[Any, ...]) -> None:
        """Add whole rows in one transaction."""
        marks = ", ".join([self._database.param] * len(rows[0]))
        with self._database.write(1.0):
            self._database.cursor().executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 (ours)

    def refuses(self, sql: str, *values: Any) -> bool:
        """Try a change, and return whether the database refused it for what its schema says."""
        try:
            if not self._database.in_transaction():
                self.change(sql, *values)
                return False
            with self._database.atomic():  # PostgreSQL goes on only behind a savepoint
                self.change(sql, *values)
        except REFUSALS:
            return True
        return False

    def connection(self) -> Any:
        """Return this thread's connection."""
        return self._database.connection()

    def in_transaction(self) -> bool:
        """Return whether this thread has a transaction open."""
        return self._schema.in_transaction() or bool(self._database.in_transaction())


class SqliteSchema:
    """What SQLite says of its tables."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in order."""
        return [row[1] for row in self._probe.ask(f"PRAGMA table_info({table})")]

    def refuses_to_replace(self, table: str, row: tuple[Any, ...]) -> bool:
        """Try every way to put a row in the place of the one with its key."""
        marks = ", ".join("?" * len(row))
        tries = []
        for recursive in (True, False):  # off, as on a connection of somebody else's
            self._probe.change(f"PRAGMA recursive_triggers = {int(recursive)}")
            sql = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 (ours)
            tries.append(self._probe.refuses(sql, *row))
        return all(tries)

    def leave_references_unchecked(self) -> None:
        """Let rows refer to what is not there, from now on and for this connection."""
        self._probe.change("PRAGMA foreign_keys = 0")

    def checks_references(self) -> bool:
        """Return whether rows must refer to what is there, and all of them do."""
        on = self._probe.ask("PRAGMA foreign_keys") == [(1,)]
        return on and self._probe.ask("PRAGMA foreign_key_check") == []

    def deletes_with_a_parent(self, table: str) -> bool:
        """Return whether rows of a table may go or change together with what they refer to."""
        keys = self._probe.ask(f"PRAGMA foreign_key_list({table})")
        return any(key[6] != "NO ACTION" for key in keys)

    def in_transaction(self) -> bool:
        """Return whether the driver has a transaction open."""
        open_one: bool = self._probe.connection().in_transaction
        return open_one
