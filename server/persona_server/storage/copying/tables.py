"""The tables of a database as whole rows, in the order of their keys."""

import hashlib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import zip_longest
from typing import Any, NamedTuple

from peewee import SQL, Field, Model, TextField, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database, Target
from persona_server.storage.engine.dialect import by_bytes
from persona_server.storage.engine.errors import refusing_to_open
from persona_server.storage.engine.statements import Statement, param

Row = tuple[Any, ...]


class Content(NamedTuple):
    """What a table holds: how many rows, and the SHA-256 over all of them, in hex."""

    rows: int
    hash: str


class Reading:
    """What was read of a table until now."""

    def __init__(self) -> None:
        self._rows = 0
        self._hash = hashlib.sha256()

    def take(self, row: Row) -> None:
        """Read one more row."""
        self._rows += 1
        self._hash.update(repr(row).encode())

    def content(self) -> Content:
        """Return what it all comes to."""
        return Content(self._rows, self._hash.hexdigest())


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


def contents(*tables: Table) -> list[Content]:
    """Read whole tables side by side, each of another database, in its snapshot.

    Not one after the other: PostgreSQL ends a transaction that waits for a minute.
    """
    readings = [Reading() for _ in tables]
    for rows in zip_longest(*(table.rows() for table in tables)):
        for reading, row in zip(readings, rows, strict=True):
            if row is not None:
                reading.take(row)
    return [reading.content() for reading in readings]


def parents_first(database: Database) -> list[type[Model]]:
    """Return every table, none before one that it refers to.

    PostgreSQL says what refers to what to the owner of the tables alone.
    """
    models = {model._meta.table_name: model for model in tables.ALL}
    order = TopologicalSorter({name: _parents(database, name) for name in sorted(models)})
    return [models[name] for name in order.static_order()]


def _parents(database: Database, table: str) -> list[str]:
    found = {reference.dest_table for reference in database.get_foreign_keys(table)}
    return sorted(found - {table})


def _ordered(field: Field) -> Any:
    return by_bytes(field) if isinstance(field, TextField) else field
