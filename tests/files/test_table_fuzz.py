"""Whatever the bytes: no traceback, and each row comes once, with a number of its own."""

import gzip
import io
import json
from typing import Any

import openpyxl
import pyarrow
from files.reading import as_csv, as_lines, table
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.table import FileError

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=8,
)
PEOPLE = st.lists(st.dictionaries(CELLS, VALUES, min_size=1, max_size=4), max_size=5)


def read(raw: bytes) -> list[Any]:
    """Read bytes as a file: rows and refusals are in order, and nothing else is raised."""
    found = []
    last = 0
    try:
        for number, row in table(raw).rows:
            assert number > last
            assert isinstance(row, dict | LineError)
            last = number
            found.append(row)
    except FileError:
        pass
    return found


def excel() -> bytes:
    book, written = openpyxl.Workbook(), io.BytesIO()
    for line in (["name", "age"], ["Mira", 3], ["Jon", 4]):
        book.worksheets[0].append(line)
    book.save(written)
    return written.getvalue()


def columns() -> bytes:
    written = io.BytesIO()
    parquet.write_table(pyarrow.table({"name": ["Mira", "Jon"], "age": [3, 4]}), written)
    return written.getvalue()


STARTS = [
    b"", b"[", b"{", b"---\n", b"sep=;\n", b"a,b\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b",
    b"PAR1", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b'{"personas": [', b"- a: ",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_any_bytes_are_rows_refusals_or_one_error(start: bytes, rest: bytes) -> None:
    read(start + rest)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(
        [as_lines(), as_csv().encode(), excel(), columns(), gzip.compress(as_lines(), mtime=0)]
    ),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3)), max_size=4),
)
def test_a_damaged_file_is_rows_refusals_or_one_error(
    raw: bytes, wounds: list[tuple[float, bytes]]
) -> None:
    for where, what in wounds:
        at = int(where * len(raw))
        raw = raw[:at] + what + raw[at + 1 :]
    read(raw)


@settings(max_examples=150, deadline=None)
@given(PEOPLE, st.sampled_from([None, 1]))
def test_every_object_of_json_is_one_row(people: list[dict[str, Any]], indent: int | None) -> None:
    assert read(json.dumps(people, indent=indent).encode()) == people
    lines = "\n".join(json.dumps(one) for one in people)
    if len(people) != 1:  # one alone may hold a list of rows
        assert read(lines.encode()) == people


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.text("ab ,;\"'\n\r\t", max_size=6), min_size=2, max_size=3), max_size=6)
)
def test_every_row_of_a_spreadsheet_comes_once(lines: list[list[str]]) -> None:
    quoted = ([f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line] for line in lines)
    raw = "one,two\n" + "".join(",".join(line) + "\n" for line in quoted)
    found = read(raw.encode())
    wanted = [line for line in lines if any(map(str.strip, line))]
    good = [list(row.values()) for row in found if isinstance(row, dict)]
    assert good == [line[:2] for line in wanted if not any(map(str.strip, line[2:]))]
