"""Excel workbooks (.xlsx): the rows of one sheet."""

import warnings
from typing import Any, BinaryIO

from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.csv_rows import column_names
from persona_cli.files.tables.plain import plain
from persona_cli.files.tables.table import (
    Cells,
    FileError,
    Rows,
    missing_extra,
    reading_with_library,
)
from persona_cli.terminal.output import compact_json


def excel_rows(stream: BinaryIO, sheet: str) -> Rows:
    """Yield the rows of a sheet, the first one if none is named, as the sheet numbers them.

    The first row that is not empty names the columns. Raises FileError.
    """
    try:
        import openpyxl
    except ImportError:
        raise missing_extra("an Excel workbook") from None
    with reading_with_library("an Excel workbook"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a workbook has beside its cells
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        found = _sheet(book, sheet)
        found.reset_dimensions()  # some programs write wrong ones
        names: list[str] = []
        for number, cells in enumerate(found.iter_rows(values_only=True), 1):
            if any(cell is not None for cell in cells):
                if names:
                    yield number, _named(names, cells)
                else:
                    names = column_names(cells)


def _sheet(book: Any, name: str) -> Any:
    if not name:
        return book.worksheets[0]
    if name not in book.sheetnames:
        raise FileError(f'has no sheet "{name}", but {", ".join(book.sheetnames)}')
    return book[name]


def _named(names: list[str], cells: tuple[Any, ...]) -> Cells | LineError:
    if any(cell is not None for cell in cells[len(names) :]):
        held = compact_json([plain(cell) for cell in cells])
        return LineError(f"has {len(cells)} cells, but the first row names {len(names)}", held)
    missing = (None,) * (len(names) - len(cells))
    values = (plain(cell) for cell in (*cells, *missing))
    return {n: "" if v is None else v for n, v in zip(names, values, strict=False)}
