"""Rows of cells as lines: where there is little room texts fold, and ids and numbers never do."""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from rich.cells import cell_len

# The rest of rich is imported where it is needed: few commands do, and all would wait for it.
if TYPE_CHECKING:
    from rich.console import Console

_GAP = "  "
_LONG = 12  # cells; longer words are parted where there is no room
# What is of no use in parts: an id, a number, or a time; and as a cell a figure with its interval.
_NUMBER = r"[-+−]?[\d.]+"
_WHOLE = re.compile(rf"[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|{_NUMBER}|[\d-]+T[\d:.]+Z")
_FIGURE = re.compile(rf"{_NUMBER} \({_NUMBER} to {_NUMBER}\)|below {_NUMBER}")
_MARKS = ",;:()"

Rows = Sequence[Sequence[str]]


def folded(rows: Rows, room: int | None) -> list[str]:
    """Return rows as lines of at most `room` cells, any number for None; texts fold to fit.

    Ids, numbers and words that need more have it.
    """
    widths = _widths(rows)
    if room is not None:
        _narrow(widths, _least(rows), room)
    return [line for row in rows for line in _lines(row, widths)]


def fitted(rows: Rows, room: int, *, fold: bool) -> tuple[list[str], list[str]]:
    """Return rows as lines of at most `room` cells, and the headings of columns left out to fit.

    The first row has the headings. Long texts fold, or else are cut so that each row is a line.
    """
    widths, least = _widths(rows), _least(rows)
    if not fold:
        least = [min(width, max(each, _LONG)) for width, each in zip(widths, least, strict=True)]
    shown = _with_room(least, room)
    widths = [widths[column] for column in shown]
    _narrow(widths, [least[column] for column in shown], room)
    parts = [[row[column] for column in shown] for row in rows]
    if fold:
        lines = [line for part in parts for line in _lines(part, widths)]
    else:
        lines = [_line(list(map(_cut, part, widths)), widths) for part in parts]
    return lines, [name for column, name in enumerate(rows[0]) if column not in shown]


def _with_room(widths: Sequence[int], room: int) -> list[int]:
    """Return the columns that have room beside those before them; one there always is."""
    shown = []
    for column, width in enumerate(widths):
        if width <= room:
            shown.append(column)
            room -= width + len(_GAP)
    return shown or [0]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _widths(rows: Rows) -> list[int]:
    return [max(map(_width, column)) for column in zip(*rows, strict=True)]


def _width(cell: str) -> int:
    return max(map(cell_len, cell.split("\n")))


def _least(rows: Rows) -> list[int]:
    """Return how wide each column must be for what is not parted."""
    return [max(map(_longest, column)) for column in zip(*rows, strict=True)]


def _longest(cell: str) -> int:
    if _FIGURE.fullmatch(cell):
        return cell_len(cell)
    words = [(cell_len(word), _WHOLE.fullmatch(word.strip(_MARKS))) for word in cell.split()]
    return max((width if whole else min(width, _LONG) for width, whole in words), default=0)


def _narrow(widths: list[int], least: Sequence[int], room: int) -> None:
    """Take from the widest columns, as long as they can spare it, until all fit."""
    while _total(widths) > room:
        spare = [column for column, width in enumerate(widths) if width > least[column]]
        if not spare:
            return
        widths[max(spare, key=widths.__getitem__)] -= 1


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    parts = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, parts))
    return [
        _line([part[i] if i < len(part) else "" for part in parts], widths) for i in range(height)
    ]


def _fold(cell: str, width: int) -> list[str]:
    if _width(cell) <= width:
        return cell.split("\n")
    from rich.text import Text

    lines = Text(cell).wrap(_folding(), width, overflow="fold")
    return [line.plain.rstrip() for line in lines]


@cache
def _folding() -> "Console":
    """Return what folding needs; it prints nothing."""
    from rich.console import Console

    return Console(width=80)


def _cut(cell: str, width: int) -> str:
    from rich.text import Text

    text = Text(cell)
    text.truncate(width, overflow="ellipsis")
    return text.plain


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    return _GAP.join(padded).rstrip()
