"""CSV files: from their lines to rows of named cells."""

import csv
from collections.abc import Callable, Iterator, Sequence

from persona_cli.files.json_lines import Item, LineError, NumberedLines, check_length

_DELIMITERS = ",;\t"  # what spreadsheets write, by country
_UNDECODED = range(0xDC80, 0xDD00)


def csv_items(
    lines: NumberedLines, item_of: Callable[[dict[str, str]], Item]
) -> Iterator[tuple[int, Item | LineError]]:
    """Yield what each row stands for, by the number of its first line, or why it can't be.

    The first row names the columns. A cell in quotes may hold line ends.
    """
    feed = _LineFeed(lines)
    header = next(feed)
    delimiter = max(_DELIMITERS, key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    rows = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.begin()
        try:
            row = next(rows, None)
            if row is None:
                return
            if not any(cell.strip() for cell in row):
                continue
            feed.require_whole(row)
            item: Item | LineError = item_of(_find_named(names, row))
        except csv.Error as error:
            item = LineError(f"is not CSV: {error}")
        except LineError as error:
            item = error
        yield feed.row, item


class _LineFeed:
    """Feeds lines to the CSV reader, and knows where a row begins."""

    def __init__(self, lines: NumberedLines) -> None:
        self._lines = lines
        self._last = 0
        self._refusal: LineError | None = None
        self.row = 0

    def __iter__(self) -> "_LineFeed":
        return self

    def __next__(self) -> str:
        self._last, raw = next(self._lines)
        try:
            check_length(raw)
        except LineError as error:
            self._refusal = error
        return raw.decode(errors="surrogateescape")

    def begin(self) -> None:
        """Say that the next line begins a row."""
        self.row = self._last + 1
        self._refusal = None

    def require_whole(self, row: Sequence[str]) -> None:
        """Refuse a row that is too long, or no text. Raises LineError."""
        if self._refusal is not None:
            raise self._refusal
        if any(ord(c) in _UNDECODED for cell in row if not cell.isascii() for c in cell):
            raise LineError("is not UTF-8")


def _find_named(names: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    if len(row) != len(names):
        raise LineError(f"has {len(row)} cells, but the first row names {len(names)}")
    if len(set(names)) < len(names):
        raise LineError("has two columns with the same name in the first row")
    return dict(zip(names, row, strict=True))
