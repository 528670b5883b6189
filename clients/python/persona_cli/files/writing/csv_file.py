"""CSV as RFC 4180 has it, in UTF-8: lists as JSON arrays, times of RFC 3339, nothing for null."""

import csv
from datetime import datetime
from typing import BinaryIO

from persona_cli.files.writing.sheet import Cell, Sheet, rfc3339
from persona_cli.terminal.output import compact_json

_BOM = b"\xef\xbb\xbf"  # by which Excel knows UTF-8
_FORMULAS = tuple("=+-@\t\r\n＝＋－＠")  # begin what a spreadsheet computes


def write_csv(stream: BinaryIO, sheet: Sheet, *, excel: bool = False) -> None:
    """Write a table; for Excel such that it reads UTF-8, and computes no text as a formula."""
    if excel:
        stream.write(_BOM)
    guarded = _guarded if excel else _shown
    writer = csv.writer(_Encoder(stream))
    writer.writerow([guarded(column.name) for column in sheet.columns])
    for row in sheet.rows:
        writer.writerow([guarded(cell) for cell in row])


class _Encoder:
    """Takes text for a stream of bytes, which stays open."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode())


def _shown(cell: Cell) -> object:
    """Return what the csv module is to write; None as an empty cell."""
    if isinstance(cell, list | bool):
        return compact_json(cell)
    if isinstance(cell, datetime):
        return rfc3339(cell)
    return cell


def _guarded(cell: Cell) -> object:
    shown = _shown(cell)
    return f"'{shown}" if isinstance(shown, str) and shown.startswith(_FORMULAS) else shown
