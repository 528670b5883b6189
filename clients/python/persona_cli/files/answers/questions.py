"""Questions as a codebook has them, and the answers that cells give to them."""

import re
from dataclasses import dataclass, field
from typing import Any

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona_cli.files.answers.cells import number, text, whole
from persona_cli.files.answers.labels import Labels
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
    themes: str = ""  # the column of what themes an answer has
    labels: Labels = field(default_factory=Labels)  # of the codes that cells may hold

    def set_answer(self, response: Response, cells: Cells) -> None:
        """Set what a cell answers, and what was asked. Raises LineError."""
        response.question_key, response.question_text = self.key, self.text
        if self.kind == "choice":
            chosen = self.labels.label_of(text(cells, self.column).strip())
            response.choice.CopyFrom(ChoiceAnswer(value=chosen, options=self.options))
        elif self.kind == "choices":
            values = map(self.labels.label_of, self._values(cells))
            response.choices.CopyFrom(ChoicesAnswer(values=values, options=self.options))
        elif self.kind == "rating":
            response.rating.CopyFrom(self._rating(cells))
        elif self.kind == "sentiment":
            response.sentiment = number(cells, self.column)
        else:
            response.text = text(cells, self.column)
        if self.themes:
            response.themes.extend(_listed(cells, self.themes))

    def _rating(self, cells: Cells) -> RatingAnswer:
        if self.labels:
            cells = {self.column: self.labels.code_of(text(cells, self.column).strip())}
        low, high = self.scale
        return RatingAnswer(value=whole(cells, self.column), min=low, max=high)

    def _values(self, cells: Cells) -> list[str]:
        """Return the options of a cell: as a list, or separated so that each is an option."""
        if isinstance(cells[self.column], list):
            return texts_of(cells[self.column]) or []
        cell = text(cells, self.column).strip()
        known = {*self.options, *self.labels}
        if cell.startswith("[") and cell not in known:
            return split_texts(cell)
        if self.separator:
            return _split(cell, self.separator)
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


def _listed(cells: Cells, name: str) -> list[str]:
    """Return the texts of a cell, as a list or separated. Raises LineError."""
    if isinstance(cells.get(name), list):
        return texts_of(cells[name]) or []
    return split_texts(text(cells, name))


def _split(cell: str, separator: str) -> list[str]:
    return [item.strip() for item in cell.split(separator) if item.strip()]
