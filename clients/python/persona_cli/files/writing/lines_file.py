"""JSON lines of a table: an object for each row, null for what is unknown."""

from datetime import datetime
from typing import BinaryIO

from persona_cli.files.writing.sheet import Sheet, rfc3339
from persona_cli.terminal.output import compact_json


def write_lines(stream: BinaryIO, sheet: Sheet) -> None:
    """Write a table."""
    names = [column.name for column in sheet.columns]
    for row in sheet.rows:
        cells = (rfc3339(cell) if isinstance(cell, datetime) else cell for cell in row)
        stream.write(compact_json(dict(zip(names, cells, strict=True))).encode() + b"\n")
