"""What all individuals answered to one question in one simulation, each of them once."""

from collections.abc import Mapping
from typing import NamedTuple

from persona_server.measures.answers import Kind, Question, Value
from persona_server.measures.populations import Numbers, Weights, population

LEAST_INDIVIDUALS = 5  # for whom chance is known

# First answers by value; of sentiments, and of ratings with more positions than WIDE, their sums.
Tally = Weights | Numbers
WIDE = 101
_NO_SHARES = "sums know no shares"


class Crowd(NamedTuple):
    """The individuals that answered, one of whom is measured, and how they disagree."""

    individuals: int  # n
    chance: float | None  # e_qs, mean δ of two different ones; None for fewer than five
    tally: Tally
    above: int = 0  # individuals with a rating above the midpoint, where ratings are counted

    def more_than_others(self, own: Value, value: Value) -> float:
        """Return whether one's own answer is a value, 1 or 0, less the others' share of it."""
        same = own == value
        return same - (self.counts.get(value, 0) - same) / (self.individuals - 1)

    def above_more_than_others(self, own: int, midpoint: float) -> float:
        """Return the same of all numbers above the midpoint of the question's scale."""
        mine = own > midpoint
        return mine - (self.above - mine) / (self.individuals - 1)

    def mean_of_others(self, own: int) -> float | None:
        """Return the mean of the others' numbers, in units of the values; None without others."""
        numbers = self.tally if isinstance(self.tally, Numbers) else Numbers.of(self.tally)
        others = self.individuals - 1
        return (numbers.first - own) / others if others else None

    @property
    def counts(self) -> Mapping[Value, int]:
        """How many gave each value."""
        if isinstance(self.tally, Numbers):
            raise TypeError(_NO_SHARES)
        return self.tally


def crowd(question: Question, tally: Tally) -> Crowd:
    """Return who answered a scored question in a simulation, this one included."""
    everyone = tally if isinstance(tally, Numbers) else population(question.kind, tally)
    n = everyone.total
    above = _above(question, tally)
    if n < LEAST_INDIVIDUALS:
        return Crowd(n, None, tally, above)
    pairs, unit = everyone.pairs, question.unit
    # Rounded once: the same bits in any order.
    chance = (unit.numerator * pairs.numerator) / (
        unit.denominator * pairs.denominator * n * (n - 1)
    )
    return Crowd(n, chance, tally, above)


def _above(question: Question, tally: Tally) -> int:
    if question.kind is not Kind.RATING or isinstance(tally, Numbers):
        return 0
    ends = question.minimum + question.maximum
    return sum([n for value, n in tally.items() if 2 * int(value) > ends])
