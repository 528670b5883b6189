"""How far a copy is, written with what was copied, so that it goes on where it was ended."""

from ast import literal_eval
from typing import Any

from peewee import Model, TextField

from persona_server.storage.engine.database import Database
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.statements import Statement, param, upsert_statement

TABLE = "unfinished_copy"
_SOURCE = ""  # in place of a table's name: the mark of what is copied


class UnfinishedError(DatabaseError):
    """A database is the target of a copy that has not come to its end."""


class UnfinishedCopy(Model):
    """The last key that was copied of a table, as Python writes it."""

    name = TextField(primary_key=True)
    value = TextField()

    class Meta:
        table_name = TABLE


class Progress:
    """The table of the target that is there as long as the copy is not whole."""

    def __init__(self, target: Database) -> None:
        self._target = target
        found = UnfinishedCopy.select(UnfinishedCopy.value)
        self._find = Statement(target, found.where(UnfinishedCopy.name == param("name")))
        self._put = upsert_statement(target, UnfinishedCopy, "value")

    def begin(self, mark: str) -> None:
        """Make the table, in a write transaction, for the copy of a source with this mark."""
        self._target.execute_sql(
            f"CREATE TABLE {TABLE} (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)"
        )
        self._put.run(name=_SOURCE, value=mark)

    def mark(self) -> str | None:
        """Return the mark of the source whose copy is unfinished; None if there is none."""
        return self._value(_SOURCE) if is_unfinished(self._target) else None

    def after(self, table: str) -> tuple[Any, ...] | None:
        """Return the key up to which a table is copied; None before its first rows."""
        found = self._value(table)
        return None if found is None else tuple(literal_eval(found))

    def reached(self, table: str, key: tuple[Any, ...]) -> None:
        """Keep the last key that was copied, in the transaction of its row."""
        self._put.run(name=table, value=repr(key))

    def end(self) -> None:
        """Drop the table, in a write transaction: the copy is whole."""
        self._target.execute_sql(f"DROP TABLE {TABLE}")

    def _value(self, name: str) -> str | None:
        row = self._find.first(name=name)
        return None if row is None else str(row[0])


def is_unfinished(database: Database) -> bool:
    """Return whether a database is the target of a copy that has not come to its end."""
    return TABLE in database.get_tables()


def require_finished(database: Database) -> None:
    """Raise UnfinishedError for a database that is the target of an unfinished copy."""
    if is_unfinished(database):
        raise UnfinishedError(
            f"{database.place} is an unfinished copy, or one that differs. "
            "Run the same `persona copy` again."
        )
