"""CSV in the dialects of spreadsheets: rows of named cells, each broken one refused alone."""

import csv
import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from persona_cli.files.json_lines import MAX_LINE, LineError, check_length
from persona_cli.files.tables.encodings import undecoded_byte
from persona_cli.files.tables.table import Cells, FileError, Rows
from persona_cli.files.tables.text import TextLines, lines_of
from persona_cli.terminal.output import counted

_DELIMITERS = ",;\t|"
_NONE = "\x1f"  # of a file with one column, whose texts may have commas
_SAYS_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
csv.field_size_limit(MAX_LINE + 2)  # what is too long is refused here, in our words
_SAMPLE = 20  # lines by which the delimiter is found
# Characters that are read again after quotes that are not closed: beyond so many, this often what
# the file has had so far.
_AGAIN, _AGAIN_TIMES = 16 << 20, 4


def csv_rows(lines: TextLines, delimiter: str) -> Rows:
    """Yield rows by the number of their first line; the first one names the columns.

    Raises FileError if that can't be, or where most of it would be read over and over.
    """
    feed = _LineFeed(_after_separator(lines))
    rows = csv.reader(feed, delimiter=delimiter, strict=True)
    names = _names(rows)
    while True:
        feed.begin()
        try:
            row = next(rows, None)
            if row is None:
                return
            if any(map(str.strip, row)):
                feed.check()
                if _is_header(names, row):  # of files that were joined
                    raise LineError("repeats the names of the columns")
                yield feed.number, _named(names, row)
        except LineError as error:
            yield feed.number, feed.refused(f"{error}")
        except csv.Error as error:
            yield feed.number, feed.refused(f"is not CSV: {error}")
            feed.take_back()


def find_delimiter(head: str) -> str:
    """Return what separates the cells of a text that begins so."""
    lines = [line for line in lines_of(head)[: _SAMPLE + 1] if line.strip()]
    if lines and (said := _SAYS_SEPARATOR.fullmatch(lines[0])):
        return said[1]
    return max(_DELIMITERS, key=lambda each: _fit(lines, each)) if _has_any(lines) else _NONE


def _has_any(lines: list[str]) -> bool:
    return any(each in lines[0] for each in _DELIMITERS) if lines else False


def _fit(lines: list[str], delimiter: str) -> tuple[bool, float, int]:
    """Return how well a delimiter fits: whether it is there, how evenly, how often."""
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return False, 0.0, 0
    cells = len(rows[0])
    even = sum(len(row) == cells for row in rows) / len(rows)
    return cells > 1, even, cells


def _after_separator(lines: TextLines) -> TextLines:
    """Leave out a first line that only says what the delimiter is."""
    first = next(lines, None)
    if first is None or _SAYS_SEPARATOR.fullmatch(first[1]):
        return lines
    return chain((first,), lines)


class _LineFeed:
    """Feeds lines to the CSV reader, and can give those of a broken row again.

    A quote that is left open takes lines that are rows themselves.
    """

    def __init__(self, lines: TextLines) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        self._size = 0
        self._read = self._read_again = 0  # characters

    @property
    def number(self) -> int:
        """The number of the row's first line."""
        return self._taken[0][0]

    def refused(self, reason: str) -> LineError:
        """Return why a row is none, with what lines it took if it took more than one."""
        last = self._taken[-1][0]
        lines = f" (read with a quote open up to line {last})" if last > self.number else ""
        return LineError(f"{reason}{lines}", source=self._taken[0][1].rstrip("\r\n"))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            number, text = self._again.popleft()
        else:
            number, text = next(self._lines)
            self._read += len(text)
        # Files that were joined have their byte order marks where rows begin.
        line = (number, text if self._taken else text.removeprefix("\ufeff"))
        self._taken.append(line)
        self._size += len(line[1])
        if self._size > MAX_LINE and len(self._taken) > 1:
            raise csv.Error("a quote is not closed")
        return line[1]

    def begin(self) -> None:
        """Say that the next line begins a row."""
        self._taken.clear()
        self._size = 0

    def take_back(self) -> None:
        """Let all lines of a row but the first be rows again. Raises FileError."""
        self._again.extendleft(reversed(self._taken[1:]))
        self._read_again += self._size - len(self._taken[0][1])
        if self._read_again > _AGAIN + _AGAIN_TIMES * self._read:
            raise FileError(
                f"has too many quotes that are not closed, up to that in line {self.number}"
            )

    def check(self) -> None:
        """Refuse a row that is too long, or no text. Raises LineError."""
        for _, line in self._taken:
            check_length(line)
            if not line.isascii() and undecoded_byte(line):
                raise LineError("is not UTF-8; --encoding says what it is, such as cp1252")


def _names(rows: Iterator[list[str]]) -> list[str]:
    """Return the names of the columns; those without one at the end are none."""
    try:
        found = next((row for row in islice(rows, 100) if any(map(str.strip, row))), [])
    except (csv.Error, LineError) as error:
        raise FileError(f"has no row of column names that can be read: {error}") from None
    names = column_names(found)
    if any(map(undecoded_byte, names)):
        raise FileError("is not UTF-8; --encoding says what it is, such as cp1252")
    return names


def column_names(cells: Sequence[object]) -> list[str]:
    """Return what a first row calls its columns. Raises FileError for a name that repeats."""
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    names = [text or f"column {i}" for i, text in enumerate(texts, 1)]
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise FileError(f"has two columns with the same name: {', '.join(twice)}")
    return names


def _is_header(names: Sequence[str], row: Sequence[str]) -> bool:
    return row[0].strip() == names[0] and [cell.strip() for cell in row][: len(names)] == names


def _named(names: Sequence[str], row: Sequence[str]) -> Cells:
    is_other = len(row) != len(names)
    if is_other and (len(row) < len(names) or any(map(str.strip, row[len(names) :]))):
        raise LineError(f"has {counted(len(row), 'cell')}, but the first row names {len(names)}")
    return dict(zip(names, row, strict=False))
