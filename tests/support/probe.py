"""What the tests of storage see, and damage, behind the back of the store: here of SQLite.

Another engine brings a probe of its own with these methods. SQL that a test passes is standard,
with a question mark for each value.
"""

from typing import Any

import apsw
import peewee

from persona_server.storage.store import Store

REFUSALS = (apsw.ConstraintError, peewee.IntegrityError)


class Probe:
    """One database, looked at through this thread's connection."""

    def __init__(self, store: Store) -> None:
        self._database = store.database

    def _ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._database.execute_sql(sql, values).fetchall()
        return found

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in order."""
        return [row[1] for row in self._ask(f"PRAGMA table_info({table})")]

    def rows(self, table: str, *columns: str, **equal: Any) -> list[tuple[Any, ...]]:
        """Return these columns, or all, of the rows that have these values, in no order."""
        where = " AND ".join(f"{column} = ?" for column in equal) or "1 = 1"
        sql = f"SELECT {', '.join(columns) or '*'} FROM {table} WHERE {where}"  # noqa: S608 (ours)
        return self._ask(sql, *equal.values())

    def values(self, table: str, column: str, **equal: Any) -> list[Any]:
        """Return one column of the rows that have these values, in no order."""
        return [row[0] for row in self.rows(table, column, **equal)]

    def count(self, table: str, **equal: Any) -> int:
        """Return how many rows have these values."""
        return int(self.rows(table, "count(*)", **equal)[0][0])

    def change(self, sql: str, *values: Any) -> None:
        """Change what no repository would."""
        self._database.execute_sql(sql, values)

    def insert(self, table: str, *rows: tuple[Any, ...]) -> None:
        """Add whole rows in one transaction."""
        marks = ", ".join("?" * len(rows[0]))
        with self._database.write(1.0):
            self._database.cursor().executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 (ours)

    def refuses(self, sql: str, *values: Any) -> bool:
        """Try a change, and return whether the database refused it for what its schema says."""
        try:
            self.change(sql, *values)
        except REFUSALS:
            return True
        return False

    def refuses_to_replace(self, table: str, row: tuple[Any, ...]) -> bool:
        """Try every way to put a row in the place of the one with its key."""
        marks = ", ".join("?" * len(row))
        tries = []
        for recursive in (True, False):  # off, as on a connection of somebody else's
            self.change(f"PRAGMA recursive_triggers = {int(recursive)}")
            sql = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608 (ours)
            tries.append(self.refuses(sql, *row))
        return all(tries)

    def leave_references_unchecked(self) -> None:
        """Let rows refer to what is not there, from now on and for this connection."""
        self.change("PRAGMA foreign_keys = 0")

    def checks_references(self) -> bool:
        """Return whether rows must refer to what is there, and all of them do."""
        on = self._ask("PRAGMA foreign_keys") == [(1,)]
        return on and self._ask("PRAGMA foreign_key_check") == []

    def deletes_with_a_parent(self, table: str) -> bool:
        """Return whether rows of a table may go or change together with what they refer to."""
        keys = self._ask(f"PRAGMA foreign_key_list({table})")
        return any(key[6] != "NO ACTION" for key in keys)

    def in_transaction(self) -> bool:
        """Return whether this thread's connection has a transaction open."""
        open_one: bool = self._database.connection().in_transaction
        return open_one or bool(self._database.in_transaction())
