"""Text of a file: its lines by number, with any line ends, or pieces of it."""

import io
import re
from collections.abc import Iterator
from typing import TypeAlias

from persona_cli.files.json_lines import MAX_LINE
from persona_cli.files.tables.table import FileError

TextLines: TypeAlias = Iterator[tuple[int, str]]
_PIECE = 1 << 20
_LINE_END = re.compile(r"\r\n?|\n")


def open_text(stream: io.BufferedReader, encoding: str) -> io.TextIOWrapper:
    """Return a stream as text; a byte that is no UTF-8 stays one that can be found."""
    errors = "strict" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return io.TextIOWrapper(stream, encoding, errors, newline="")


def text_lines(text: io.TextIOWrapper) -> TextLines:
    """Yield lines by number; of a too long one the beginning, still too long."""
    number = 0
    while line := _read(text, MAX_LINE + 2):
        number += 1
        rest = line
        while rest and rest[-1] not in "\r\n":
            rest = _read(text, MAX_LINE)
        yield number, line


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, parted as those of a file are.

    `splitlines` parts them at U+2028, U+0085 and others as well, which texts of people hold.
    """
    return _LINE_END.split(text)


def read_piece(text: io.TextIOWrapper) -> str:
    """Return some more of a text; "" at its end."""
    try:
        return text.read(_PIECE)
    except UnicodeError as error:
        raise _not_encoded(text, error) from None


def _read(text: io.TextIOWrapper, most: int) -> str:
    try:
        return text.readline(most)
    except UnicodeError as error:
        raise _not_encoded(text, error) from None


def _not_encoded(text: io.TextIOWrapper, error: UnicodeError) -> FileError:
    why = error.reason if isinstance(error, UnicodeDecodeError) else error
    return FileError(f"is not {text.encoding}: {why}")
