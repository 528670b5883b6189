"""The answers that a question can have, as whole numbers that are counted."""

from collections.abc import Sequence
from typing import NamedTuple

from persona_server.measures.answers import SETS, Kind, Question
from persona_server.measures.comparison.steps import Steps
from persona_server.storage.derived.counts import by_value
from persona_server.storage.derived.selections import Counts
from persona_server.validation.limits import MOST_COMPARED


class Scale(NamedTuple):
    """The answers that a question can have, in declared order, by their numbers."""

    numbers: list[int]
    cumulated: bool  # ratings, which have distances

    @property
    def steps(self) -> Steps | None:
        """How distributions are compared; None if there are too many options, or just one."""
        positions = len(self.numbers)
        within = 1 < positions <= MOST_COMPARED or (self.cumulated and positions > 1)
        return Steps(self.cumulated, positions) if within else None

    def counts(self, given: Counts) -> list[int]:
        """Return how many gave each answer."""
        return [given.get(number, 0) for number in self.numbers]


def scale_of(question: Question, declared: Sequence[str]) -> Scale | None:
    """Return the scale of a choice of one or a rating of few positions; None for other kinds."""
    if question.kind in SETS or not by_value(question):
        return None
    if question.kind is Kind.RATING:
        return Scale(list(range(question.minimum, question.maximum + 1)), cumulated=True)
    places = {option: i for i, option in enumerate(question.options)}
    return Scale([places[option] for option in declared], cumulated=False)
