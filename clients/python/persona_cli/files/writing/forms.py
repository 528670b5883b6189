"""The kinds of files that a command writes, and which one is meant."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import PurePath
from typing import Annotated, BinaryIO, TypeAlias

import typer

from persona_cli.files.writing.csv_file import write_csv
from persona_cli.files.writing.lines_file import write_lines
from persona_cli.files.writing.parquet_file import require_parquet, write_parquet
from persona_cli.files.writing.sheet import Sheet
from persona_cli.terminal.failures import usage_error


class FileForm(StrEnum):
    """What is written."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


# Endings of what others would take JSON lines for.
_NOT_WRITTEN = {
    "xlsx", "xls", "ods", "tsv", "yaml", "yml", "arrow", "feather", "gz", "zst", "bz2", "xz", "zip",
}  # fmt: skip
Writer: TypeAlias = Callable[[BinaryIO, Sheet], None]
OutputOption = Annotated[
    str, typer.Option("--output", "-o", help="File to write; - is standard output.")
]
FormOption = Annotated[
    FileForm | None,
    typer.Option("--format", help="What to write; by default what the file's name ends with."),
]
ExcelOption = Annotated[
    bool,
    typer.Option("--excel", help="CSV for Excel: marked as UTF-8, texts guarded from formulas."),
]


def form_of(output: str, named: FileForm | None, *, excel: bool) -> FileForm:
    """Return the form that is named, or else the ending's; of any other ending JSON lines.

    Ends the command if it can't be written so, or would not be what its name says.
    """
    ending = PurePath(output).suffix.lower().removeprefix(".")
    if named is None and ending in _NOT_WRITTEN:
        raise usage_error(
            f"{output}: no such file is written; name one that ends with .jsonl, .csv or .parquet, "
            "or say --format."
        )
    form = named or (FileForm(ending) if ending in set(FileForm) else FileForm.JSONL)
    if excel and form is not FileForm.CSV:
        raise usage_error("--excel is for CSV: add --format csv, or name a file that ends so.")
    if form is FileForm.PARQUET:
        require_parquet()
    return form


def writer_of(form: FileForm, *, excel: bool) -> Writer:
    """Return what writes a table in a form."""
    return _WRITERS[form] if not excel else partial(write_csv, excel=True)


_WRITERS: dict[FileForm, Writer] = {
    FileForm.JSONL: write_lines,
    FileForm.CSV: write_csv,
    FileForm.PARQUET: write_parquet,
}
