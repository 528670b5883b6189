"""The few words of SQL that the engines say in their own ways."""

from collections.abc import Iterable
from typing import Any

from peewee import SQL, Case, Expression, Node, Query, Select, Value, fn

from persona_server.storage.engine.statements import list_param, param
from persona_server.storage.engine.words import Word

GIVEN = SQL("given.value")  # a value of a list that was `given`
# The types of values that may be bound as NULL, for `optional`.
BYTES = Word(sqlite=SQL("blob"), postgresql=SQL("bytea"))
TEXT = SQL("text")
INTEGER = Word(sqlite=SQL("integer"), postgresql=SQL("bigint"))
# The empty text, where the condition of a partial index is meant, which PostgreSQL must see.
NOTHING = Word(sqlite=Value("", converter=False), postgresql=SQL("''"))


def one_of(column: Any, name: str = "ids") -> Word:
    """Return the condition that a column has one of the values in the list bound to `name`."""
    return Word(
        sqlite=column.in_(Select((given(name),), (GIVEN,))),
        postgresql=column == fn.ANY(list_param(name)),
    )


def given(name: str = "ids") -> Any:
    """Return the ids in the list bound to `name` as rows, which have them as `given.value`.

    A list bound to None has no rows.
    """
    ids = list_param(name)
    return Word(
        sqlite=fn.carray(ids).alias("given"),
        postgresql=_Sequence(fn.UNNEST(_cast(ids, SQL("bytea[]"))), SQL("AS given(value)")),
    )


def id_list(ids: Iterable[bytes]) -> list[bytes]:
    """Return 16-byte ids (or hashes) as `one_of` takes them."""
    return list(ids)


def integer_list(numbers: Iterable[int]) -> list[int]:
    """Return 64-bit integers as `one_of` takes them."""
    return list(numbers)


def optional(name: str, condition: Any, kind: Any) -> Expression:
    """Return a condition that holds for every row when `name` is bound to None.

    `kind` is the type of the value, which PostgreSQL can't tell from a bare NULL.
    """
    unless_bound: Expression = _cast(param(name), kind).is_null() | condition
    return unless_bound


def contains(column: Any, part: Any) -> Word:
    """Return the condition that a text or bytes contain another, byte for byte."""
    return Word(
        sqlite=fn.instr(column, part) > 0, postgresql=fn.POSITION(_within(part, column)) > 0
    )


def exists(query: Any) -> Word:
    """Return the condition that a query finds a row, asked for each row anew, by an index.

    PostgreSQL would read what there is for the whole tenant, where it expects to be asked often.
    """
    one_by_one = fn.EXISTS(_Sequence(query, SQL("OFFSET 0")))
    return Word(sqlite=fn.EXISTS(query), postgresql=one_by_one)


def greater(one: Any, other: Any) -> Word:
    """Return the greater of two values of a row."""
    return Word(sqlite=fn.max(one, other), postgresql=fn.GREATEST(one, other))


def lesser(one: Any, other: Any) -> Word:
    """Return the lesser of two values of a row."""
    return Word(sqlite=fn.min(one, other), postgresql=fn.LEAST(one, other))


def last_position(column: Any, *, descending: bool = False) -> Word:
    """Return the aggregate of the last position of ordered rows, which is bytes; NULL of no rows.

    PostgreSQL before 18 has no maximum of bytes.
    """
    every, size = fn.ARRAY_AGG(column), fn.COUNT(SQL("*")).cast("integer")
    return Word(
        sqlite=fn.min(column) if descending else fn.max(column),
        postgresql=_Sequence(SQL("("), every, SQL(")["), size, SQL("]")),
    )


def least_bytes(column: Any) -> Word:
    """Return the aggregate of the least bytes in a column; NULL of no rows."""
    return Word(sqlite=fn.min(column), postgresql=_by_digits(fn.MIN, column))


def greatest_bytes(column: Any) -> Word:
    """Return the aggregate of the greatest bytes in a column; NULL of no rows."""
    return Word(sqlite=fn.max(column), postgresql=_by_digits(fn.MAX, column))


def as_bytes(expression: Any) -> Any:
    """Return an expression of bytes as bytes: || makes text of two blobs, but keeps what is in it.

    Not needed within `page_in_one_row`.
    """
    return _cast(expression, BYTES)


def by_bytes(column: Any) -> Word:
    """Return a column of text as it is ordered by its bytes, whatever language a database has."""
    return Word(sqlite=column, postgresql=_Sequence(column, SQL('COLLATE "C"')))


def unindexed(column: Any) -> Any:
    """Return a column of text so that rows are found by other conditions than on it."""
    return column.concat(_text(""))


def varint(number: Any) -> Word:
    """Return the bytes of a number from 128 up to 2²¹ − 1, as lengths stand on the wire."""
    low, high = number.bin_and(127).bin_or(128), (number / 128).bin_and(127).bin_or(128)
    is_short = number < 16384

    def in_hex(form: str, *digits: Any) -> Any:
        return fn.unhex(fn.printf(_text(form), *digits))

    def in_bytes(value: Any, size: int) -> Any:
        padded = fn.LPAD(fn.TO_HEX(value), SQL(str(2 * size)), SQL("'0'"))
        return fn.DECODE(padded, SQL("'hex'"))

    return Word(
        sqlite=Case(
            None,
            [(is_short, in_hex("%02x%02x", low, number / 128))],
            in_hex("%02x%02x%02x", low, high, number / 16384),
        ),
        postgresql=Case(
            None,
            [(is_short, in_bytes(low * 256 + number / 128, 2))],
            in_bytes(low * 65536 + high * 256 + number / 16384, 3),
        ),
    )


def page_in_one_row(page: Any, *beside: Any, descending: bool = False) -> Select:
    """Return the query of a page as one row: framed messages joined, last position, size.

    Behind them, what else is to be said `beside`.

    The messages are exact, NUL and invalid UTF-8 included. In one row, since SQLite's driver
    releases the interpreter's lock at every row, for which the pool's threads then fight.
    """
    rows = page.alias("page")
    framed = _joined(rows.c.framed)
    last, size = last_position(rows.c.position, descending=descending), fn.count(SQL("*"))
    page = (framed.alias("framed"), last.alias("last"), size.alias("size"))
    return Select((rows,), (*page, *beside))


def joined(rows: Any, column: str) -> Select:
    """Return the query of the bytes in a column of ordered rows, joined; NULL of no rows."""
    return Select((rows,), (_joined(getattr(rows.c, column)),))


def locking(query: Query) -> Any:
    """Return a query that holds its rows until the transaction ends.

    SQLite has one writer at a time, so a write transaction holds all rows.
    """
    return Word(sqlite=query, postgresql=_Sequence(query, SQL("FOR NO KEY UPDATE")))


class _Sequence(Node):
    """Parts of SQL, one behind the other."""

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def __sql__(self, ctx: Any) -> Any:
        for part in self._parts:
            ctx.sql(part).literal(" ")
        return ctx


def _cast(value: Any, kind: Any) -> Any:
    return fn.CAST(_Sequence(value, SQL("AS"), kind))


def _within(part: Any, column: Any) -> Any:
    return _Sequence(part, SQL("IN"), column)


def _by_digits(aggregate: Any, column: Any) -> Any:
    return fn.DECODE(aggregate(fn.ENCODE(column, SQL("'hex'"))), SQL("'hex'"))


def _joined(column: Any) -> Word:
    return Word(
        sqlite=fn.group_concat(column, _text("")).cast("BLOB"),
        postgresql=fn.STRING_AGG(column, SQL("''::bytea")),
    )


def _text(text: str) -> Value:
    return Value(text, converter=False)
