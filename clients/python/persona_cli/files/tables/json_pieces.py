"""JSON values out of a text that need not fit into memory."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from persona_cli.files.json_lines import DECODER, MAX_LINE, LineError, explained
from persona_cli.files.tables.encodings import undecoded_byte
from persona_cli.files.tables.table import FileError

_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\[\]{}]')
# Characters that are past: to say where a fault is, Python counts the lines of all of them.
_MOST_PAST = 1 << 16


def end_of_value(text: str, start: int) -> int:
    """Return where the object or array that begins at `start` ends; -1 if it does not.

    Brackets are counted, so that one that is no JSON has an end as well.
    """
    depth = 0
    for token in _TOKEN.finditer(text, start):
        mark = token[0]
        if mark in {"{", "["}:
            depth += 1
        elif mark in {"}", "]"}:
            depth -= 1
            if depth <= 0:
                return token.end()
    return -1


class JsonPieces:
    """Reads values one by one. `more` returns some more text, "" at the end."""

    def __init__(self, more: Callable[[], str]) -> None:
        self._more = more
        self._text = ""
        self._at = 0
        self._is_ended = False

    def peek(self) -> str:
        """Return the next character that is not a space; "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def skip(self, mark: str) -> bool:
        """Go past a character if it is the next one; whether it was."""
        if self.peek() != mark:
            return False
        self._at += 1
        return True

    def value(self) -> Any:
        """Return the next value, and go past it. Raises LineError, and goes past what is none.

        Raises FileError where nothing says where it ends.
        """
        self.peek()
        if self._at > _MOST_PAST:
            self._text, self._at = self._text[self._at :], 0
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError, LineError) as error:
                if isinstance(error, LineError) or not self._may_go_on():
                    self._refuse(error)
            else:
                if end < len(self._text) or not self._fill():
                    return self._taken(value, end)

    def items(self) -> Iterator[Any | LineError]:
        """Yield the items of the array that begins here, or why one is none. Raises FileError."""
        self.skip("[")
        while not self.skip("]"):
            try:
                yield self.value()
            except LineError as error:
                yield error
            if not self.skip(",") and self.peek() != "]":
                raise FileError(f"is not JSON: an array is not closed ({self.where()})")

    def where(self) -> str:
        """Return what comes next, to be told."""
        return f"near {self._text[self._at : self._at + 20]!r}" if self.peek() else "at the end"

    def _taken(self, value: Any, end: int) -> Any:
        start, self._at = self._at, end
        if undecoded_byte(self._text[start:end]):
            raise LineError("is not UTF-8")
        return value

    def _may_go_on(self) -> bool:
        """Read more of a value that may be cut off; False if it is none."""
        return len(self._text) - self._at <= MAX_LINE and self._fill()

    def _fill(self) -> bool:
        piece = "" if self._is_ended else self._more()
        self._is_ended = not piece
        if piece:
            self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)

    def _refuse(self, error: Exception) -> None:
        """Go past a value that can't be read, and say why."""
        while (end := end_of_value(self._text, self._at)) < 0 and self._may_go_on():
            pass
        try:
            with explained():
                raise error
        except LineError as said:
            if end < 0:
                raise FileError(f"{said}; nothing says where that ends") from None
            said.source = self._text[self._at : end]
            self._at = end
            raise
