"""What the tests of storage see, and damage, of a PostgreSQL database alone."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.probe import Probe

_KEY = (
    "SELECT a.attname FROM pg_index i JOIN pg_attribute a "
    "ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
    "WHERE i.indisprimary AND i.indrelid = to_regclass(?)"
)
_REFERENCES = (
    "SELECT conrelid::regclass::text, conname, confdeltype, confupdtype, convalidated "
    "FROM pg_constraint WHERE contype = 'f'"
)


class PostgresqlSchema:
    """What PostgreSQL says of its tables."""

    def __init__(self, probe: "Probe") -> None:
        self._probe = probe

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns, in order."""
        sql = (
            "SELECT column_name FROM information_schema.columns WHERE table_name = ? "
            "ORDER BY ordinal_position"
        )
        return [name for (name,) in self._probe.ask(sql, table)]

    def refuses_to_replace(self, table: str, row: tuple[Any, ...]) -> bool:
        """Try every way to put a row in the place of the one with its key."""
        marks, columns = ", ".join("?" * len(row)), self.columns(table)
        key = ", ".join(name for (name,) in self._probe.ask(_KEY, table))
        every = ", ".join(f"{name} = excluded.{name}" for name in columns)
        insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 (ours)
        replace = f"{insert} ON CONFLICT ({key}) DO UPDATE SET {every}"
        return all(self._probe.refuses(sql, *row) for sql in (insert, replace))

    def leave_references_unchecked(self) -> None:
        """Let rows refer to what is not there, from now on."""
        for table, name, *_ in self._probe.ask(_REFERENCES):
            self._probe.change(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def checks_references(self) -> bool:
        """Return whether rows must refer to what is there, and all of them do."""
        found = self._probe.ask(_REFERENCES)
        return bool(found) and all(validated for *_, validated in found)

    def deletes_with_a_parent(self, table: str) -> bool:
        """Return whether rows of a table may go or change together with what they refer to."""
        found = [row for row in self._probe.ask(_REFERENCES) if row[0] == table]
        return any((on_delete, on_update) != ("a", "a") for _, _, on_delete, on_update, _ in found)

    def in_transaction(self) -> bool:
        """Return whether the driver has a transaction open: Peewee knows of all."""
        return False
