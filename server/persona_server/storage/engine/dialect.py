"""The few words of SQL that SQLite says in its own way."""

from array import array
from collections.abc import Sequence
from typing import Any

import apsw
from peewee import SQL, Case, Expression, Query, Select, Value, fn

from persona_server.storage.engine.statements import param

GIVEN = SQL("given.value")  # a value of a list that was `given`
# The types of values that may be bound as NULL, for `optional`.
BYTES, TEXT, INTEGER = "blob", "text", "integer"


def one_of(column: Any, name: str = "ids") -> Expression:
    """Return the condition that a column has one of the values in the list bound to `name`."""
    values = Select((given(name),), (GIVEN,))
    condition: Expression = column.in_(values)
    return condition


def given(name: str = "ids") -> Any:
    """Return the values of the list bound to `name` as rows, which have them as `given.value`.

    A list bound to None has no rows.
    """
    return fn.carray(param(name)).alias("given")


def id_list(ids: Sequence[bytes]) -> Any:
    """Return one or more 16-byte ids (or hashes) as `one_of` takes them."""
    return apsw.carray(tuple(ids))


def integer_list(numbers: Sequence[int]) -> Any:
    """Return 64-bit integers as `one_of` takes them."""
    return apsw.carray(array("q", numbers))


def optional(name: str, condition: Any, kind: str) -> Expression:
    """Return a condition that holds for every row when `name` is bound to None.

    `kind` is the type of the value, which other engines can't tell from a bare NULL.
    """
    unless_bound: Expression = param(name).cast(kind).is_null() | condition
    return unless_bound


def contains(column: Any, part: Any) -> Expression:
    """Return the condition that a text contains another, byte for byte."""
    condition: Expression = fn.instr(column, part) > 0
    return condition


def greater(one: Any, other: Any) -> Any:
    """Return the greater of two values of a row."""
    return fn.max(one, other)


def lesser(one: Any, other: Any) -> Any:
    """Return the lesser of two values of a row."""
    return fn.min(one, other)


def last_position(column: Any, *, descending: bool = False) -> Any:
    """Return the aggregate of the last position, which is bytes; NULL of no rows."""
    return fn.min(column) if descending else fn.max(column)


def as_bytes(expression: Any) -> Any:
    """Return an expression of bytes as bytes: || makes text of two blobs, but keeps what is in it.

    Not needed within `page_in_one_row`.
    """
    return expression.cast("BLOB")


def unindexed(column: Any) -> Any:
    """Return a column of text so that rows are found by other conditions than on it."""
    return column.concat(_text(""))


def varint(number: Any) -> Any:
    """Return the bytes of a number from 128 up to 2²¹ − 1, as lengths stand on the wire."""
    low, high = number.bin_and(127).bin_or(128), (number / 128).bin_and(127).bin_or(128)
    short = fn.unhex(fn.printf(_text("%02x%02x"), low, number / 128))
    long = fn.unhex(fn.printf(_text("%02x%02x%02x"), low, high, number / 16384))
    return Case(None, [(number < 16384, short)], long)


def _text(text: str) -> Value:
    return Value(text, converter=False)


def page_in_one_row(page: Any, *beside: Any, descending: bool = False) -> Select:
    """Return the query of a page as one row: framed messages joined, last position, size.

    Behind them, what else is to be said `beside`.

    The messages are exact, NUL and invalid UTF-8 included. In one row, since the driver releases
    the interpreter's lock at every row, for which the pool's threads then fight.
    """
    rows = page.alias("page")
    framed = fn.group_concat(rows.c.framed, _text("")).cast("BLOB")
    last, size = last_position(rows.c.position, descending=descending), fn.count(SQL("*"))
    page = (framed.alias("framed"), last.alias("last"), size.alias("size"))
    return Select((rows,), (*page, *beside))


def joined(rows: Any, column: str) -> Select:
    """Return the query of the bytes in a column of ordered rows, joined; NULL of no rows."""
    whole = fn.group_concat(getattr(rows.c, column), _text("")).cast("BLOB")
    return Select((rows,), (whole,))


def rows_as_json(*columns: Any) -> Any:
    """Return the aggregate of all rows as one JSON array of arrays, in one row as a page is."""
    return fn.json_group_array(fn.json_array(*columns))


def locking(query: Query) -> Query:
    """Return a query that holds its rows until the transaction ends.

    SQLite has one writer at a time, so a write transaction holds all rows.
    """
    return query
