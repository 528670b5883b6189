"""Questions as a codebook has them, and the answers that cells give to them."""

import re
from dataclasses import dataclass
from typing import Any

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona_cli.files.answers.cells import number, text, whole
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.values import split_texts, texts_of
from persona_cli.files.tables.table import Cells

KINDS = ("choice", "choices", "rating", "sentiment", "text")
SEPARATORS = ("|", ";", "\n", ",")
_SCALE = re.compile(r"\s*([+-]?\d{1,9})\s*(?:-|–|to|\.\.|,|;|\|)\s*([+-]?\d{1,9})\s*")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the column of its answers, and their scale."""

    column: str
    key: str
    kind: str
    options: tuple[str, ...] = ()
    scale: tuple[int, int] = (0, 0)
    text: str = ""
    separator: str = ""  # of several options in a cell; "" is found

    def set_answer(self, response: Response, cells: Cells) -> None:
        """Set what a cell answers, and what was asked. Raises LineError."""
        response.question_key, response.question_text = self.key, self.text
        if self.kind == "choice":
            chosen = text(cells, self.column).strip()
            response.choice.CopyFrom(ChoiceAnswer(value=chosen, options=self.options))
        elif self.kind == "choices":
            values = self._values(cells)
            response.choices.CopyFrom(ChoicesAnswer(values=values, options=self.options))
        elif self.kind == "rating":
            low, high = self.scale
            value = whole(cells, self.column)
            response.rating.CopyFrom(RatingAnswer(value=value, min=low, max=high))
        elif self.kind == "sentiment":
            response.sentiment = number(cells, self.column)
        else:
            response.text = text(cells, self.column)

    def _values(self, cells: Cells) -> list[str]:
        """Return the options of a cell: as a list, or separated so that each is an option."""
        if isinstance(cells[self.column], list):
            return texts_of(cells[self.column]) or []
        cell = text(cells, self.column).strip()
        if cell.startswith("["):
            return split_texts(cell)
        if self.separator:
            return _split(cell, self.separator)
        known = set(self.options)
        ways = [[cell], *(_split(cell, each) for each in SEPARATORS)]
        likely = next((_split(cell, each) for each in SEPARATORS if each in cell), [cell])
        return next((way for way in ways if known.issuperset(way)), likely)


def parse_scale(said: Any) -> tuple[int, int]:
    """Return the lowest and the highest rating of "1-5" or [1, 5]. Raises LineError."""
    if isinstance(said, list):
        said = "|".join(map(str, said))
    found = _SCALE.fullmatch(str(said))
    if not found:
        raise LineError(f"scale must be such as 1-5; got {str(said)[:40]!r}")
    return int(found[1]), int(found[2])


def _split(cell: str, separator: str) -> list[str]:
    return [item.strip() for item in cell.split(separator) if item.strip()]
