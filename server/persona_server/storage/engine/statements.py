"""Statements compiled once: Peewee builds the text at first use, a call only binds its arguments.

Building a query at every call costs ten times its execution. Building all of them costs a fifth of
a second, which every start would wait for, and every command that opens a database.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

from peewee import EXCLUDED, Query, Value

from persona_server.storage.engine.database import Database, Target


class Param(str):
    """The name of a bind parameter of a compiled statement."""

    __slots__ = ()


class ListParam(Param):
    """The name of one that is bound to a list, or to None."""

    __slots__ = ()


def param(name: str) -> Value:
    """Return a named bind parameter for a query. No field converter touches its value."""
    return Value(Param(name), converter=False)


def list_param(name: str) -> Value:
    """Return one that is bound to a list of ids, hashes, texts or integers."""
    return Value(ListParam(name), converter=False)


class Compiled(NamedTuple):
    """The text of a statement, and how a call's arguments become the values it is bound to.

    `params` are their names in order of appearance; a constant of the query is bound under its
    place's number beside the named parameters. `lists` are the names of those bound to a list.
    """

    sql: str
    params: tuple[str, ...]
    constants: dict[str, Any]
    lists: frozenset[str]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Statement:
    """One query of one database, compiled when it is first used."""

    def __init__(self, database: Database, query: Query) -> None:
        self._database = database
        self._rows = database.rows
        self._first = database.first
        self._query = query

    @cached_property
    def compiled(self) -> Compiled:
        """The query as the database has it. Threads that meet here make the same."""
        sql, bound = self._database.get_sql_context().sql(self._query).query()
        params = tuple(v if isinstance(v, Param) else str(i) for i, v in enumerate(bound))
        constants = {str(i): v for i, v in enumerate(bound) if not isinstance(v, Param)}
        lists = frozenset(v for v in bound if isinstance(v, ListParam))
        return Compiled(sql, params, constants, lists, _picker(params))

    @property
    def sql(self) -> str:
        """The text of the statement."""
        return self.compiled.sql

    @property
    def params(self) -> tuple[str, ...]:
        """The names of its parameters in order of appearance."""
        return self.compiled.params

    def _bind(self, values: dict[str, Any]) -> tuple[Any, ...]:
        compiled = self.compiled
        if compiled.constants:
            values.update(compiled.constants)
        for name in compiled.lists:
            if values[name] is not None:
                values[name] = self._database.as_list(values[name])
        return compiled.pick(values)

    def all(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return every row."""
        return self._rows(self.compiled.sql, self._bind(values))

    def each(self, **values: Any) -> Iterator[tuple[Any, ...]]:
        """Yield every row, however many there are, of which few are held. Only in a snapshot."""
        return self._database.stream(self.compiled.sql, self._bind(values))

    def first(self, **values: Any) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        return self._first(self.compiled.sql, self._bind(values))

    def run(self, **values: Any) -> int:
        """Execute a change and return how many rows it touched."""
        return self._database.changed(self.compiled.sql, self._bind(values))

    def run_each(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Execute a change for each row, the tuple of its parameters in order of appearance."""
        self._database.change_each(self.compiled.sql, rows)


class InsertStatement(Statement):
    """The insertion of a row, or of many as the engine does it best."""

    def __init__(self, database: Database, model: Any, names: Sequence[str]) -> None:
        self._row = _row(model, names)
        self._table, self._names = model._meta.table_name, tuple(names)
        query = model.insert(self._row)
        super().__init__(database, query.on_conflict("FAIL") if database.says_fail else query)

    @cached_property
    def _into(self) -> Target:
        assert self.compiled.params == self._names
        columns = {field.column_name: field.field_type for field in self._row}
        return Target(self.compiled.sql, self._table, columns)

    def run_each(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert rows, each the tuple of its parameters."""
        self._database.insert_each(self._into, rows)


def insert_statement(database: Database, model: Any, names: Sequence[str]) -> Statement:
    """Return the statement that inserts a row with these parameters, in this order.

    They have the names of the columns, but the first, which is the tenant. The order must be that
    of the columns in the model.
    """
    return InsertStatement(database, model, names)


def _row(model: Any, names: Sequence[str]) -> dict[Any, Any]:
    columns = ("tenant_id", *names[1:])
    return {getattr(model, c): param(n) for c, n in zip(columns, names, strict=True)}


def upsert_statement(database: Database, model: Any, *changed: str) -> Statement:
    """Return the statement that inserts a row, or changes these columns of the one with its key."""
    fields = {name: getattr(model, name) for name in changed}
    return Statement(
        database,
        model.insert(column_params(model)).on_conflict(
            conflict_target=list(model._meta.get_primary_keys()),
            update={field: getattr(EXCLUDED, name) for name, field in fields.items()},
        ),
    )


def emptied(database: Database, key: Any) -> Statement:
    """Return the statement that deletes a tenant's rows with a key from `first` on."""
    model = key.model
    mine = (model.tenant_id == param("tenant")) & (key >= param("first"))
    return Statement(database, model.delete().where(mine))


def column_params(model: Any) -> dict[Any, Any]:
    """Return a row of parameters with the names of its columns, the tenant's but "tenant"."""
    columns = {field.column_name: field for field in model._meta.sorted_fields}
    return {f: param("tenant" if c == "tenant_id" else c) for c, f in columns.items()}


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """Return the function that picks these values in order, as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)  # ten times a comprehension's speed, and every call binds
    return lambda values: tuple([values[name] for name in names])
