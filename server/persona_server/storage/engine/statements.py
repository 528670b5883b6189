"""Statements compiled once: Peewee builds the text at start, a call only binds its arguments.

Building a query at every call costs ten times its execution.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from peewee import SQL, Expression, Query, Select, Value, fn


class Param(str):
    """The name of a hole in a compiled statement."""

    __slots__ = ()


def hole(name: str) -> Value:
    """Return a named hole for a query. No field converter touches what is bound to it."""
    return Value(Param(name), converter=False)


def optional(name: str, condition: Expression, kind: str) -> Expression:
    """Return a condition that holds for every row when `name` is bound to None.

    `kind` is the SQL type of the value, which PostgreSQL can't tell from a bare NULL.
    """
    return hole(name).cast(kind).is_null() | condition


class Statement:
    """One compiled query of one database."""

    def __init__(self, database: Any, query: Query) -> None:
        # This thread's connection, kept open. Peewee's execute_sql would cost as much as a Get.
        self._connection = database.connection
        self.sql, bound = database.get_sql_context().sql(query).query()
        # A constant of the query is bound under its place's number beside the named holes.
        self.holes = tuple(v if type(v) is Param else str(i) for i, v in enumerate(bound))
        self._constants = {str(i): v for i, v in enumerate(bound) if type(v) is not Param}
        self._pick = _picker(self.holes)

    def _bind(self, values: dict[str, Any]) -> tuple[Any, ...]:
        if self._constants:
            values.update(self._constants)
        return self._pick(values)

    def all(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return every row. The cursor is read to its end: an open one would hold a snapshot."""
        cursor = self._connection().execute(self.sql, self._bind(values))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        rows = self.all(**values)
        return rows[0] if rows else None

    def run(self, **values: Any) -> int:
        """Execute a change and return how many rows it touched."""
        connection = self._connection()
        connection.execute(self.sql, self._bind(values))
        return int(connection.changes())


def concatenated(column: Any) -> Any:
    """Return the aggregate that joins blobs, exactly, NUL and invalid UTF-8 included (SQLite)."""
    return fn.group_concat(column, Value("", converter=False)).cast("BLOB")


def one_row(database: Any, page: Any) -> Statement:
    """Return a page's statement that answers one row: framed messages joined, last position, count.

    apsw releases the GIL at every row, and the pool's threads then fight for it.
    """
    rows = page.alias("page")
    columns = (concatenated(rows.c.framed), fn.max(rows.c.position), fn.count(SQL("*")))
    return Statement(database, Select((rows,), columns))


def given(name: str = "ids") -> Select:
    """Return the query of the values in the array bound to a hole: `column.in_(given())`."""
    return Select((fn.carray(hole(name)).alias("given"),), (SQL("given.value"),))


def insertion(database: Any, model: Any, row: Any) -> Statement:
    """Return the statement that inserts a row, in the order of the fields of a named tuple.

    They have the names of the columns, but the first, which is the tenant.
    """
    columns = ("tenant_id", *row._fields[1:])
    holes = {getattr(model, c): hole(f) for c, f in zip(columns, row._fields, strict=True)}
    return Statement(database, model.insert(holes))


def many(database: Any, statement: Statement, rows: Iterable[tuple[Any, ...]]) -> None:
    """Execute a statement for each row, given as the tuple of its holes in order of appearance."""
    cursor = database.cursor()
    cursor.executemany(statement.sql, rows)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return the function that picks these values in order, as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)  # ten times a comprehension's speed, and every call binds
    return lambda values: tuple([values[name] for name in names])
