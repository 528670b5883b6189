"""How the study is told: chapters, paragraphs, aligned tables, and figures for readers."""

from collections.abc import Callable, Sequence
from textwrap import wrap

_WIDTH = 84


class NotAsTold(Exception):  # noqa: N818 (it is what the study says of itself)
    """The service did something else than the study says."""


class Report:
    """Prints the story line by line, with an empty line between its blocks."""

    def __init__(self, print_line: Callable[[str], None]) -> None:
        self._print = print_line
        self._block_ended = False

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._block([title])
        self._block_ended = False

    def say(self, paragraph: str) -> None:
        """Print a paragraph."""
        self._block(wrap(paragraph, _WIDTH, break_on_hyphens=False))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; columns whose head begins with ">" stand to the right."""
        right = [name.startswith(">") for name in head]
        lines = [[name.removeprefix(">") for name in head], *rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        self._block([_aligned(line, widths, right) for line in lines])

    def _block(self, lines: Sequence[str]) -> None:
        if self._block_ended:
            self._print("")
        for line in lines:
            self._print(line)
        self._block_ended = True


def _aligned(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return f"  {'  '.join(padded)}".rstrip()


def expect(true: bool, sentence: str) -> None:
    """Stop the story where it would not be true."""
    if not true:
        raise NotAsTold(sentence)


def number(value: float | None, decimals: int = 2) -> str:
    """Write a figure, rounded; a dash for one that is undefined."""
    if value is None:
        return "–"
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.lstrip("-")


def signed(value: float, decimals: int = 2) -> str:
    """Write a change with its sign."""
    return f"{'+' if value > 0 else ''}{number(value, decimals)}"
