"""From the bytes of a file to its table."""

import io
import shutil
import tempfile
from collections.abc import Callable
from typing import BinaryIO
from zipfile import ZipFile

from persona_cli.files.tables.csv_rows import csv_rows, find_delimiter
from persona_cli.files.tables.encodings import find_encoding, known_encoding
from persona_cli.files.tables.excel import excel_rows
from persona_cli.files.tables.json_documents import IsRow, Members, document_rows
from persona_cli.files.tables.json_pieces import JsonPieces
from persona_cli.files.tables.json_rows import json_line_rows
from persona_cli.files.tables.kinds import Kind, binary_kind, csv_note, text_kind
from persona_cli.files.tables.parquet import parquet_rows
from persona_cli.files.tables.streams import CountedFile, plain_bytes
from persona_cli.files.tables.table import FileError, Reading, Rows, Table, reading_with_library
from persona_cli.files.tables.text import open_text, read_piece, text_lines
from persona_cli.files.tables.yaml_rows import yaml_rows

OnRead = Callable[[int], None]


def open_table(
    stream: BinaryIO,
    reading: Reading,
    read: OnRead,
    *,
    is_pipe: bool,
    is_row: IsRow = lambda _: False,
) -> Table:
    """Return the table of an open file, which must stay open while it is read.

    `read` is told how many bytes of the file were taken, and `is_row` knows objects that are rows
    whatever they hold. Raises FileError, now or while rows are read.
    """
    members = Members(reading.member, is_row)
    held = plain_bytes(stream, read, members if is_pipe else None)
    head = held.peek(1)
    kind = binary_kind(head)
    if kind is not None:
        return _binary_table(kind, _seekable(stream, held, read, is_pipe=is_pipe), reading)
    return _text_table(held, head, reading, members)


def _seekable(
    stream: BinaryIO, held: io.BufferedReader, read: OnRead, *, is_pipe: bool
) -> BinaryIO:
    """Return what is held as a file that libraries can read anywhere."""
    is_itself = not is_pipe and stream.seek(0) == 0 and stream.read(4) == held.peek(4)[:4]
    if is_itself:
        stream.seek(0)
        return io.BufferedReader(CountedFile(stream, read))
    if not is_pipe:  # what was looked at is in memory, and the rest is where it was
        stream.seek(0)
        held = plain_bytes(stream, lambda _: None, None)
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (it lasts as long as its table)
    shutil.copyfileobj(held, copy)
    copy.seek(0)
    return copy


def _binary_table(kind: Kind, stream: BinaryIO, reading: Reading) -> Table:
    if kind is Kind.PARQUET:
        return Table(kind, parquet_rows(stream), unit="row", is_sheet=True)
    _require_workbook(stream)
    return Table(kind, excel_rows(stream, reading.sheet), unit="row", is_sheet=True)


def _require_workbook(stream: BinaryIO) -> None:
    with reading_with_library("an archive or workbook"), ZipFile(stream) as archive:
        names = set(archive.namelist())
    if "content.xml" in names:
        raise FileError("is an OpenDocument file: save it as .xlsx or CSV")
    if not any(name.startswith("xl/") for name in names):
        raise FileError("is an archive: unpack it first")
    stream.seek(0)


def _text_table(held: io.BufferedReader, head: bytes, reading: Reading, members: Members) -> Table:
    said = known_encoding(reading.encoding) if reading.encoding else ""
    encoding = said or find_encoding(head)
    start = head.decode(encoding, "replace")
    kind = text_kind(start, members)
    is_json = kind in {Kind.JSON_LINES, Kind.JSON, Kind.LARGE_JSON}
    if is_json and encoding == "cp1252" and not said:
        encoding = "utf-8"  # by definition
    notes = [] if said or encoding.startswith("utf-8") else [f"read as {encoding}"]
    text = open_text(held, encoding)
    if kind is Kind.CSV:
        delimiter = find_delimiter(start)
        notes.insert(0, csv_note(delimiter))
        rows, is_sheet = csv_rows(text_lines(text), delimiter), True
    else:
        rows, is_sheet = _object_rows(kind, text, members), False
    unit = "" if kind in {Kind.CSV, Kind.JSON_LINES} else "item"
    return Table(kind, rows, unit, is_sheet, ", ".join(filter(None, notes)))


def _object_rows(kind: Kind, text: io.TextIOWrapper, members: Members) -> Rows:
    if kind is Kind.JSON_LINES:
        return json_line_rows(text_lines(text))
    if kind is Kind.YAML:
        return yaml_rows(text, members)
    if kind is Kind.EMPTY:
        return iter(())
    pieces = JsonPieces(lambda: read_piece(text))
    return document_rows(pieces, members, is_large=kind is Kind.LARGE_JSON)
