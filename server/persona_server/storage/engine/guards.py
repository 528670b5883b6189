"""Triggers by which SQLite itself refuses to change what must not change.

With `recursive_triggers` on, INSERT OR REPLACE fires the DELETE trigger too; the check before an
INSERT also refuses a taken key where a connection has that pragma off.
"""

from collections.abc import Sequence


def append_only(table: str, key: Sequence[str]) -> list[str]:
    """Return the statements that make a table append-only. `key` is its primary key's columns."""
    same = " AND ".join(f"{column} = NEW.{column}" for column in key)
    taken = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 (our own names)
    return [
        _refuse(table, "update", "BEFORE UPDATE"),
        _refuse(table, "delete", "BEFORE DELETE"),
        _refuse(table, "replace", "BEFORE INSERT", taken),
    ]


def immutable(table: str, columns: Sequence[str]) -> str:
    """Return the statement that refuses to update these columns of a table."""
    return _refuse(table, "immutable", f"BEFORE UPDATE OF {', '.join(columns)}")


def _refuse(table: str, name: str, event: str, when: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_{name} {event} ON {table} {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table} rows are kept as they are'); END"
    )
