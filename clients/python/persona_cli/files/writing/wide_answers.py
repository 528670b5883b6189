"""Answers as a wide table: a row for each persona and simulation, a column for each question."""

from collections.abc import Iterator
from itertools import groupby

from persona.v1.response_pb2 import Response
from persona_cli.files.writing.answer_spool import AnswerSpool
from persona_cli.files.writing.answers import value_text
from persona_cli.files.writing.beside import PersonasBeside
from persona_cli.files.writing.sheet import Cell, Column, Kind, Row, Sheet
from persona_cli.terminal.failures import CommandError

MOST_QUESTIONS = 10_000
_IDS = [Column("simulation_id", Kind.TEXT), Column("persona_id", Kind.TEXT)]
_KINDS = {
    "choice": Kind.TEXT,
    "choices": Kind.TEXTS,
    "rating": Kind.WHOLE,
    "sentiment": Kind.NUMBER,
    "text": Kind.TEXT,
}


class WideAnswers:
    """The table. Once it is read, `count` says how many rows it has.

    `hidden` is then how many answers are not in it, since an earlier one is to the same question.
    """

    def __init__(self, answers: AnswerSpool, beside: PersonasBeside) -> None:
        """Raises CommandError for more questions than a table can have."""
        if len(answers.kinds) > MOST_QUESTIONS:
            raise CommandError(
                f"The answers are to {len(answers.kinds):,} questions, and a wide table has "
                f"{MOST_QUESTIONS:,} at most: leave out --wide, or name a --question."
            )
        self._answers = answers
        self._beside = beside
        self._kinds = {key: _kind_of(kinds) for key, kinds in sorted(answers.kinds.items())}
        self.count = 0
        self.hidden = 0

    @property
    def sheet(self) -> Sheet:
        """The columns: ids, questions by the alphabet, and personas' fields; and the rows."""
        beside = self._beside.columns
        taken = {column.name for column in (*_IDS, *beside)}
        questions = [Column(_free(key, taken), kind) for key, kind in self._kinds.items()]
        return Sheet([*_IDS, *questions, *beside], self._rows())

    def _rows(self) -> Iterator[Row]:
        answers = self._answers.by_persona()
        for ids, given in groupby(answers, lambda one: (one.simulation_id, one.persona_id)):
            yield [*ids, *self._cells(list(given))]

    def _cells(self, given: list[Response]) -> list[Cell]:
        first: dict[str, Response] = {}  # which counts in the measures, too
        for response in given:
            first.setdefault(response.question_key, response)
        self.count += 1
        self.hidden += len(given) - len(first)
        values = [
            _value(first[key], kind) if key in first else None for key, kind in self._kinds.items()
        ]
        return [*values, *self._beside.cells(given[0])]


def _kind_of(kinds: set[str]) -> Kind:
    """Return the kind of a question's column: texts where its answers are of several kinds."""
    found = {_KINDS[kind] for kind in kinds}
    return found.pop() if len(found) == 1 else Kind.TEXT


def _free(key: str, taken: set[str]) -> str:
    """Return what a question's column is called: its key, unless another column is called so."""
    name = key
    while name in taken:
        name = f"question.{name}"
    taken.add(name)
    return name


def _value(response: Response, kind: Kind) -> Cell:
    if kind is Kind.TEXTS:
        return list(response.choices.values)
    if kind is Kind.WHOLE:
        return response.rating.value
    return response.sentiment if kind is Kind.NUMBER else value_text(response)
