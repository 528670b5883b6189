"""What every reader gives: rows of named cells, each with its number, or why one can't be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from persona_cli.files.json_lines import LineError
from persona_cli.terminal.failures import CommandError

Cells: TypeAlias = dict[str, Any]
Rows: TypeAlias = Iterator[tuple[int, Cells | LineError]]


class FileError(CommandError):
    """A file as a whole is nothing that can be read; the text says why and names no file."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a user may say of files, where it is not left to be found: "" is found."""

    encoding: str = ""
    member: str = ""  # of a JSON or YAML object: the list that holds the rows
    sheet: str = ""  # of an Excel workbook


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file, each read once.

    `number` of a row is that of its first line, or what `unit` counts ("row", "item"). Where
    `is_sheet`, cells have columns, every row has all of them, and a blank cell says nothing.
    """

    kind: str  # as its user calls it: "CSV", "JSON lines"
    rows: Rows
    unit: str = ""
    is_sheet: bool = False
    note: str = ""  # what was found that could be wrong, such as an encoding


def missing_extra(what: str) -> FileError:
    """Return the error for a kind of file whose library is not installed."""
    return FileError(f"is {what}, for which this needs: pip install 'persona-client[formats]'")


@contextmanager
def reading_with_library(what: str) -> Iterator[None]:
    """Say that a file of a kind can't be read, however a library meets what is damaged."""
    try:
        yield
    except FileError:
        raise
    except Exception as error:  # noqa: BLE001 (damage shows as errors of any kind)
        said = " ".join(str(error).split()) or type(error).__name__
        raise FileError(f"is {what} that can't be read: {said[:300]}") from None
