"""Excel workbooks (.xlsx): the rows of one sheet."""

import re
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, TypeAlias
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
from persona_cli.terminal.output import compact_json, counted

# Of a cell that may have no value: a formula, or what could not be computed, such as #N/A.
_DOUBTFUL = re.compile(rb"""<f[ >/]|\st=["']e["']""")
_LONGEST_MARK = 6
_CONTROL = re.compile(r"_x00([01][0-9A-Fa-f])_")  # how XML, which has none, holds one in a text
_PIECE = 1 << 16
_SHEETS = "xl/worksheets/"  # where they are in the archive; they are read row by row
MAX_SHARED = 256 << 20  # bytes of all else, unpacked: it is read as a whole
_MOST_ROWS = 1 << 20  # of a sheet, as Excel has it; a number of a row may be any
_LONGEST_TEXT = 1 << 20  # bytes without a tag; a cell has at most 32,767 characters


class _Fault(NamedTuple):
    """Why a cell has no value, and what is there in place of it."""

    reason: str
    held: str


_Row: TypeAlias = tuple[tuple[Any, ...], tuple[_Fault | None, ...]]


def excel_rows(stream: BinaryIO, sheet: str) -> Rows:
    """Yield the rows of a sheet, the first that is shown if none is named, as it numbers them.

    The first row that is not blank names the columns. Raises FileError.
    """
    try:
        import openpyxl
    except ImportError:
        raise missing_extra("an Excel workbook") from None
    with reading_with_library("an Excel workbook"):
        _require_bounded(stream)
        is_doubtful = _has_doubtful(stream)
        names: list[str] = []
        found = _opened(openpyxl, stream, sheet, data_only=True)
        read = _doubtful_rows(openpyxl, stream, found) if is_doubtful else _rows(found)
        for number, (cells, faults) in enumerate(read, 1):
            if number > _MOST_ROWS:
                raise FileError(f"has rows beyond the {_MOST_ROWS} that a sheet can have")
            if not all(map(_is_blank, cells)) or any(faults):
                if names:
                    yield number, _named(names, cells, faults)
                else:
                    names = column_names(cells)
        others = [each.title for each in found.parent.worksheets if each is not found]
        if others and not names:
            said = f'has nothing in its sheet "{found.title}"; --sheet names another one'
            raise FileError(f"{said}: {', '.join(others)}")


def _require_bounded(stream: BinaryIO) -> None:
    """Refuse a workbook with more beside its cells than memory may hold. Raises FileError."""
    with ZipFile(stream) as archive:
        parts = archive.infolist()
        if sum(each.file_size for each in parts if not _is_sheet(each.filename)) > MAX_SHARED:
            most = MAX_SHARED >> 20
            raise FileError(f"has more than {most} MiB beside its cells: make it CSV")


def _rows(found: Any) -> Iterator[_Row]:
    """Yield the values of each row of a sheet, each of which has one."""
    yield from ((values, ()) for values in found.iter_rows(values_only=True))


def _doubtful_rows(openpyxl: Any, stream: BinaryIO, found: Any) -> Iterator[_Row]:
    """Yield the values of each row of a sheet, and in their places why there is none.

    A reader gives the results of formulas, or the formulas.
    """
    formulas_of = _opened(openpyxl, stream, found.title, data_only=False)
    written = formulas_of.iter_rows(values_only=True)
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
    """Return whether any cell may have no value: to look takes less than to read it twice.

    Raises FileError for one that is longer than any can be.
    """
    with ZipFile(stream) as archive:
        doubtful = [_is_doubtful(archive, name) for name in filter(_is_sheet, archive.namelist())]
    return any(doubtful)


def _is_sheet(name: str) -> bool:
    return name.startswith(_SHEETS)


def _is_doubtful(archive: ZipFile, sheet: str) -> bool:
    found, before, length = False, b"", 0
    with archive.open(sheet) as file:
        while piece := file.read(_PIECE):
            found = found or bool(_DOUBTFUL.search(before + piece))
            before = piece[1 - _LONGEST_MARK :]
            last = piece.rfind(b"<")
            length = length + len(piece) if last < 0 else len(piece) - last
            if length > _LONGEST_TEXT:
                raise FileError("has a cell that is longer than any can be")
    return found


def _sheet(book: Any, name: str) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    shown = (sheet for sheet in book.worksheets if sheet.sheet_state == "visible")
    if name and name not in sheets:
        raise FileError(f'has no sheet "{name}", but {", ".join(sheets)}')
    return sheets[name] if name else next(shown, book.worksheets[0])


def _named(
    names: list[str], cells: tuple[Any, ...], faults: tuple[_Fault | None, ...]
) -> Cells | LineError:
    if not all(map(_is_blank, cells[len(names) :])):
        held = compact_json([*map(_value, cells)])
        has = counted(len(cells), "cell")
        return LineError(f"has {has}, but the first row names {len(names)}", held)
    for name, fault in zip(names, faults, strict=False):
        if fault is not None:
            return LineError(f"{name} {fault.reason}", compact_json({name: fault.held}))
    missing = (None,) * (len(names) - len(cells))
    values = map(_value, (*cells, *missing))
    return {n: "" if v is None else v for n, v in zip(names, values, strict=False)}


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _value(cell: Any) -> Any:
    if isinstance(cell, str):
        return _CONTROL.sub(lambda found: chr(int(found[1], 16)), cell) if "_x00" in cell else cell
    return plain(cell)
