"""Excel workbooks (.xlsx): the rows of one sheet."""

import re
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple
from zipfile import ZipFile

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

# Of a cell that may have no value: a formula, or what could not be computed, such as #N/A.
_DOUBTFUL = re.compile(rb"""<f[ >/]|\st=["']e["']""")
_LONGEST_MARK = 6
_PIECE = 1 << 16


class _Fault(NamedTuple):
    """Why a cell has no value, and what is there in place of it."""

    reason: str
    held: str


def excel_rows(stream: BinaryIO, sheet: str) -> Rows:
    """Yield the rows of a sheet, the first one if none is named, as the sheet numbers them.

    The first row that is not empty names the columns. Raises FileError.
    """
    try:
        import openpyxl
    except ImportError:
        raise missing_extra("an Excel workbook") from None
    with reading_with_library("an Excel workbook"):
        names: list[str] = []
        for number, (cells, faults) in enumerate(_rows(openpyxl, stream, sheet), 1):
            if any(cell is not None for cell in (*cells, *faults)):
                if names:
                    yield number, _named(names, cells, faults)
                else:
                    names = column_names(cells)


def _rows(
    openpyxl: Any, stream: BinaryIO, sheet: str
) -> Iterator[tuple[tuple[Any, ...], tuple[_Fault | None, ...]]]:
    """Yield the values of each row, and in their places why there is none.

    A reader gives the results of formulas, or the formulas.
    """
    found = _opened(openpyxl, stream, sheet, data_only=True)
    if not _has_doubtful(stream):
        yield from ((values, ()) for values in found.iter_rows(values_only=True))
        return
    written = _opened(openpyxl, stream, sheet, data_only=False).iter_rows(values_only=True)
    for cells, formulas in zip(found.iter_rows(), written, strict=True):
        faults = (_fault_of(*both) for both in zip(cells, formulas, strict=True))
        yield tuple(cell.value for cell in cells), tuple(faults)


def _fault_of(cell: Any, formula: Any) -> _Fault | None:
    """Return why a cell has no value, None if it has one, or is empty: a formula may give ""."""
    if cell.data_type == "e":
        return _Fault(f"is the error {cell.value}: mend or empty the cell", str(cell.value))
    if cell.value is None and cell.data_type != "str" and formula is not None:
        return _Fault("is a formula without its result: save it calculated", str(formula))
    return None


def _opened(openpyxl: Any, stream: BinaryIO, sheet: str, *, data_only: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a workbook has beside its cells
        book = openpyxl.load_workbook(stream, read_only=True, data_only=data_only)
    found = _sheet(book, sheet)
    found.reset_dimensions()  # some programs write wrong ones
    return found


def _has_doubtful(stream: BinaryIO) -> bool:
    """Return whether any cell may have no value: to look takes less than to read it twice."""
    with ZipFile(stream) as archive:
        sheets = (name for name in archive.namelist() if name.startswith("xl/worksheets/"))
        return any(_is_doubtful(archive, name) for name in sheets)


def _is_doubtful(archive: ZipFile, sheet: str) -> bool:
    before = b""
    with archive.open(sheet) as file:
        while piece := file.read(_PIECE):
            if _DOUBTFUL.search(before + piece):
                return True
            before = piece[1 - _LONGEST_MARK :]
    return False


def _sheet(book: Any, name: str) -> Any:
    if not name:
        return book.worksheets[0]
    if name not in book.sheetnames:
        raise FileError(f'has no sheet "{name}", but {", ".join(book.sheetnames)}')
    return book[name]


def _named(
    names: list[str], cells: tuple[Any, ...], faults: tuple[_Fault | None, ...]
) -> Cells | LineError:
    if any(cell is not None for cell in cells[len(names) :]):
        held = compact_json([plain(cell) for cell in cells])
        return LineError(f"has {len(cells)} cells, but the first row names {len(names)}", held)
    for name, fault in zip(names, faults, strict=False):
        if fault is not None:
            return LineError(f"{name} {fault.reason}", compact_json({name: fault.held}))
    missing = (None,) * (len(names) - len(cells))
    values = (plain(cell) for cell in (*cells, *missing))
    return {n: "" if v is None else v for n, v in zip(names, values, strict=False)}
