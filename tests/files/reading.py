"""Bytes of a file to rows, as `persona import` reads them."""

import gzip
import io
import json
from typing import Any

from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.opening import open_table
from persona_cli.files.tables.table import Reading, Table

PEOPLE: list[dict[str, Any]] = [
    {"full_name": "Jürgen Groß", "age": 47, "note": 'said "so",\nand left'},
    {"full_name": "李 Wei", "age": 30, "note": "a;b\tc|d"},
]


class _Pipe(io.BytesIO):
    """Gives no more at a time than a pipe holds, or than has come of it."""

    def __init__(self, raw: bytes, most: int) -> None:
        super().__init__(raw)
        self._most = most

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(self._most if size is None or size < 0 else min(size, self._most))


def table(
    raw: bytes, reading: Reading | None = None, *, is_pipe: bool = False, most: int = 1 << 16
) -> Table:
    """Return the table of a file of these bytes, of which a pipe gives so many at a time."""
    stream = _Pipe(raw, most) if is_pipe else io.BytesIO(raw)
    return open_table(stream, reading or Reading(), lambda _: None, is_pipe=is_pipe)


def rows(raw: bytes, reading: Reading | None = None, *, is_pipe: bool = False) -> list[Any]:
    """Return the rows of a file of these bytes, each good."""
    found = [row for _, row in table(raw, reading, is_pipe=is_pipe).rows]
    assert not any(isinstance(row, LineError) for row in found), found
    return found


def numbered(raw: bytes) -> list[tuple[int, Any]]:
    """Return the rows with their numbers, and why those are refused that are."""
    return [
        (number, str(row) if isinstance(row, LineError) else row) for number, row in table(raw).rows
    ]


def as_csv(delimiter: str = ",", end: str = "\r\n") -> str:
    """Return the people as a spreadsheet writes them; their texts are in quotes."""
    lines = [list(PEOPLE[0]), *(list(map(str, one.values())) for one in PEOPLE)]
    cells = (['"' + cell.replace('"', '""') + '"' for cell in line] for line in lines)
    return "".join(delimiter.join(line) + end for line in cells)


def as_texts() -> list[dict[str, str]]:
    """Return the people as a table of texts has them."""
    return [{key: str(value) for key, value in one.items()} for one in PEOPLE]


def as_lines() -> bytes:
    """Return the people as JSON lines."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in PEOPLE).encode()


def zipped(raw: bytes) -> bytes:
    """Return bytes compressed by gzip, as two members."""
    half = len(raw) // 2
    return gzip.compress(raw[:half], mtime=0) + gzip.compress(raw[half:], mtime=0)
