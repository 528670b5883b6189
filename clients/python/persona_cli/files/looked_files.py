"""Files that are looked at before they are read: what each is, and its rows."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from typing import BinaryIO, NamedTuple, TypeAlias

from persona_cli.files.inputs import InputFile, OnRead
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.known import is_header
from persona_cli.files.refused import SHEET, mended
from persona_cli.files.tables.json_documents import IsRow
from persona_cli.files.tables.opening import open_table
from persona_cli.files.tables.table import Cells, FileError, Reading, Rows, Table

_LOOKED_AT = 100  # rows by which a layout is found
_ALL_BROKEN = 3  # rows, if all are, make a file one of another kind
NumberedRows: TypeAlias = list[tuple[int, Cells | LineError]]


class Looked(NamedTuple):
    """The table of a file, and the first rows of it."""

    table: Table
    rows: NumberedRows


class LookedFiles:
    """Reads files twice, first a little; pipes, which can't be, stay open in between."""

    def __init__(
        self, reading: Reading, *, is_row: IsRow = lambda _: False, waits: bool = False
    ) -> None:
        """`is_row` knows objects that are rows, whatever they hold.

        `waits` says that as many rows of a pipe are looked at as of a file.
        """
        self._reading = reading
        self._is_row = is_row
        self._of_pipes = _LOOKED_AT if waits else 1
        self._open = ExitStack()

    def close(self) -> None:
        """Close the pipes."""
        self._open.close()

    def look(self, file: InputFile) -> Looked:
        """Return how a file begins, up to a row that is one if there is any. Raises FileError."""
        if file.is_pipe:
            return self._looked(file, self._open.enter_context(file.opened()), self._of_pipes)
        with file.opened() as stream:
            return self._looked(file, stream, _LOOKED_AT)

    def rows(self, file: InputFile, looked: Looked, read: OnRead) -> Rows:
        """Yield all rows of a file that was looked at. Raises FileError."""
        if file.is_pipe:
            yield from chain(looked.rows, _mended(looked.table.rows))
        else:
            with file.opened() as stream:
                yield from _mended(self._table(file, stream, read).rows)

    def _looked(self, file: InputFile, stream: BinaryIO, most: int) -> Looked:
        table = self._table(file, stream, lambda _: None)
        file.unit = table.unit
        rows = list(islice(table.rows, most))
        if not numbered(rows):
            rows += _up_to_one(table.rows, keeps=file.is_pipe)
        if any(row.get(SHEET) is True for _, row in numbered(rows)[:1]):
            table = replace(table, is_sheet=True)
        return Looked(table, list(_mended(iter(rows))))

    def _table(self, file: InputFile, stream: BinaryIO, read: OnRead) -> Table:
        return open_table(stream, self._reading, read, is_pipe=file.is_pipe, is_row=self._is_row)


def _up_to_one(rows: Rows, *, keeps: bool) -> NumberedRows:
    """Return the next row that is one, and before it, of what can't be read again, the others."""
    found: NumberedRows = []
    for row in rows:
        is_one = bool(numbered([row]))
        if is_one or keeps:
            found.append(row)
        if is_one:
            break
    return found


def _mended(rows: Rows) -> Rows:
    return ((number, mended(row)) for number, row in rows)


def numbered(rows: NumberedRows) -> list[tuple[int, Cells]]:
    """Return the rows that are such, with their numbers."""
    return [(n, row) for n, row in rows if isinstance(row, dict) and not is_header(row)]


def require_some(rows: Sequence[tuple[int, Cells | LineError]]) -> None:
    """Refuse a file of which nothing was a row, if that is more than chance. Raises FileError."""
    if len(rows) >= _ALL_BROKEN:
        number, row = rows[0]
        raise FileError(f"has no row that can be read: the first one ({number}) {row}")
