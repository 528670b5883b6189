"""A connection, and the compiled statements that it executes with one call of libpq each.

A cursor of psycopg sends, waits and reads by turns, and gives up the interpreter's lock at each, so
that a statement took three times the CPU.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult

MOST_PREPARED = 200  # statements of a connection; each has one for every set of NULLs it binds
_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_PLACES = re.compile("%[s%]")


class Connection(psycopg.Connection[tuple[object, ...]]):
    """A connection to PostgreSQL, for one thread at a time."""

    compiled: "CompiledStatements"
    is_gone: Callable[[], bool] | None  # what says that nobody waits for its transaction any more


class CompiledStatements:
    """What a connection executes: prepared once, if it `prepares`, values and rows in binary."""

    def __init__(self, connection: Connection, *, prepares: bool) -> None:
        self._libpq = connection.pgconn
        self._adapting = Transformer(connection)
        self._prepares = prepares
        self._names: OrderedDict[tuple[str, tuple[int, ...]], bytes] = OrderedDict()
        self._numbers = count()

    def rows(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows. Raises psycopg's errors."""
        result = self._execute(sql, values)
        self._adapting.set_pgresult(result)
        found = self._adapting.load_rows(0, result.ntuples, tuple)
        self._adapting.set_pgresult(None)  # which may have some MiB
        return found

    def changed(self, sql: str, values: Sequence[Any]) -> int:
        """Execute a change and return how many rows it touched. Raises likewise."""
        result = self._execute(sql, values)
        return result.ntuples or result.command_tuples or 0

    def command(self, sql: str) -> None:
        """Execute statements without values, such as those about transactions. Raises likewise.

        psycopg must not see a ROLLBACK: it would let all that is prepared be forgotten.
        """
        self._checked(self._libpq.exec_, sql.encode())

    def forget(self) -> None:
        """Prepare everything anew: psycopg forgets what is prepared where tables are changed."""
        self._names.clear()

    def _execute(self, sql: str, values: Sequence[Any]) -> PGresult:
        given = self._adapting.dump_sequence(values, [PyFormat.BINARY] * len(values))
        types, formats = self._adapting.types or (), self._adapting.formats
        if self._prepares:
            name = self._prepared(sql, types)
            return self._checked(self._libpq.exec_prepared, name, given, formats, Format.BINARY)
        text = _numbered(sql)
        return self._checked(self._libpq.exec_params, text, given, types, formats, Format.BINARY)

    def _prepared(self, sql: str, types: tuple[int, ...]) -> bytes:
        """Return the name of a statement that is prepared for values of these types."""
        key = (sql, types)
        if name := self._names.get(key):
            self._names.move_to_end(key)
            return name
        if len(self._names) >= MOST_PREPARED:
            _, oldest = self._names.popitem(last=False)
            self._checked(self._libpq.exec_, b"DEALLOCATE " + oldest)
        name = b"compiled_%d" % next(self._numbers)
        self._checked(self._libpq.prepare, name, _numbered(sql), types)
        self._names[key] = name
        return name

    def _checked(self, execute: Callable[..., PGresult], *given: Any) -> PGresult:
        """Return the result of a call of libpq. Raises what psycopg would."""
        if self._libpq.status != ConnStatus.OK:  # libpq says nothing then
            raise psycopg.OperationalError("the connection is lost")
        result = execute(*given)
        if result.status in _DONE:
            return result
        if self._libpq.status != ConnStatus.OK:
            raise psycopg.OperationalError(result.get_error_message())
        raise psycopg.errors.error_from_result(result)


@cache
def _numbered(sql: str) -> bytes:
    """Return the text of a compiled statement as PostgreSQL has it, with numbered places."""
    numbers = count(1)
    return _PLACES.sub(lambda m: f"${next(numbers)}" if m[0] == "%s" else "%", sql).encode()
