"""A database whose statements and transactions are spans: what stands before it where traces are.

Without traces nothing stands there.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from persona_server.storage.engine.database import Database, Target
from persona_server.telemetry import spans


def traced(database: Database) -> Database:
    """Return a database that makes spans of what the given one does."""
    return cast("Database", _Traced(database))


class _Traced:
    """What is asked of it goes on to the database; the names of spans are OpenTelemetry's."""

    def __init__(self, database: Database) -> None:
        self._inner = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._statement(sql):
            return self._inner.rows(sql, values)

    def first(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        with self._statement(sql):
            return self._inner.first(sql, values)

    def changed(self, sql: str, values: Sequence[Any]) -> int:
        with self._statement(sql):
            return self._inner.changed(sql, values)

    def change_each(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self._statement(sql):
            self._inner.change_each(sql, rows)

    def insert_each(self, into: Target, rows: Iterable[Sequence[Any]]) -> None:
        with self._statement(into.sql):
            self._inner.insert_each(into, rows)

    def stream(self, sql: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        end = spans.begin(*self._about(sql))  # others run while its rows are taken
        try:
            yield from self._inner.stream(sql, values)
        finally:
            end()

    @contextmanager
    def write(self, timeout: float, tenant: str = "") -> Iterator[None]:
        """The span begins where the wait for the turn does, and marks when that has come."""
        with (
            spans.within("transaction", {"db.system.name": self._inner.engine}) as mark,
            self._inner.write(timeout, tenant),
        ):
            mark("begun")
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with (
            spans.within("snapshot", {"db.system.name": self._inner.engine}),
            self._inner.snapshot(),
        ):
            yield

    def _statement(self, sql: str) -> AbstractContextManager[object]:
        return spans.within(*self._about(sql))

    def _about(self, sql: str) -> tuple[str, dict[str, str]]:
        """Return a statement's name, and what is said of it: its text, which has no values."""
        operation = sql.partition(" ")[0]
        return operation, {
            "db.system.name": self._inner.engine,
            "db.operation.name": operation,
            "db.query.text": sql,
        }
