"""The tables of a database as whole rows, in the order of their keys."""

import hashlib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any, NamedTuple

from peewee import SQL, Field, Model, TextField, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database, Target
from persona_server.storage.engine.dialect import by_bytes
from persona_server.storage.engine.errors import refusing_to_open
from persona_server.storage.engine.statements import Statement, param

Row = tuple[Any, ...]
MODELS: tuple[type[Model], ...] = tuple(
    each
    for each in vars(tables).values()
    if isinstance(each, type) and issubclass(each, Model) and each is not Model
)


class Content(NamedTuple):
    """What a table holds: how many rows, and the SHA-256 over all of them, in hex."""

    rows: int
    hash: str


class Table:
    """One table of one database. The order of its rows is the same on every engine."""

    def __init__(self, database: Database, model: Any) -> None:
        fields, key = model._meta.sorted_fields, model._meta.get_primary_keys()
        self._database = database
        self.name: str = model._meta.table_name
        columns = {field.column_name: field.field_type for field in fields}
        self._key = [list(columns).index(field.column_name) for field in key]
        self._bound = [f"after{number}" for number in range(len(key))]
        order = [_ordered(field) for field in key]
        every = model.select(*fields).order_by(*order)
        behind = Tuple(*order) > Tuple(*map(param, self._bound))
        self._all = Statement(database, every)
        self._behind = Statement(database, every.where(behind))
        self._count = Statement(database, model.select(fn.COUNT(SQL("*"))))
        insert = Statement(database, model.insert({f: param(f.column_name) for f in fields}))
        assert insert.params == tuple(columns)
        self._into = Target(insert.sql, self.name, columns)
        self._any = Statement(database, model.select(SQL("1")).limit(1))

    def rows(self, after: Row | None = None) -> Iterator[Row]:
        """Yield whole rows: all of them, or those behind a key. Only in a snapshot.

        Raises DatabaseError where one can't be read.
        """
        with refusing_to_open(self._database.place):
            if after is None:
                yield from self._all.each()
            else:
                yield from self._behind.each(**dict(zip(self._bound, after, strict=True)))

    def add(self, rows: list[Row]) -> None:
        """Add whole rows, in a write transaction."""
        self._database.insert_each(self._into, rows)

    def key(self, row: Row) -> Row:
        """Return the key of a row."""
        return tuple(row[place] for place in self._key)

    def count(self) -> int:
        """Return how many rows there are. Raises DatabaseError."""
        with refusing_to_open(self._database.place):
            ((found,),) = self._count.all()
        return int(found)

    def is_empty(self) -> bool:
        """Return whether there is no row."""
        return not self._any.all()

    def content(self) -> Content:
        """Read the whole table. Only in a snapshot."""
        found, count = hashlib.sha256(), 0
        for count, row in enumerate(self.rows(), 1):  # noqa: B007 (its last value is the count)
            found.update(repr(row).encode())
        return Content(count, found.hexdigest())


def parents_first(database: Database) -> list[type[Model]]:
    """Return every table, none before one that it refers to.

    PostgreSQL says what refers to what to the owner of the tables alone.
    """
    models = {model._meta.table_name: model for model in MODELS}
    order = TopologicalSorter({name: _parents(database, name) for name in sorted(models)})
    return [models[name] for name in order.static_order()]


def _parents(database: Database, table: str) -> list[str]:
    found = {reference.dest_table for reference in database.get_foreign_keys(table)}
    return sorted(found - {table})


def _ordered(field: Field) -> Any:
    return by_bytes(field) if isinstance(field, TextField) else field
