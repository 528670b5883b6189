"""What all individuals answered to one question, in a form that costs the same for any number.

Chance agreement is a mean over individuals of the mean over each one's answers, so an answer of an
individual with m answers weighs 1/m. Integer counts by (value, m) hold that exactly; numbers need
even less, three sums by m. Storage keeps the rows and adds what :func:`increments` or
:func:`moment_increments` returns; nothing here depends on the order of the changes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import lcm
from typing import NamedTuple, Self

from persona_server.measures.answers import Kind, Value
from persona_server.measures.populations import Numbers, Population, population

Counts = Mapping[Value, int]  # one individual's answers to one question
Row = tuple[Value, int]  # (value, m)

_FOREIGN = "the rows don't hold whole individuals with these answers"


class Moment(NamedTuple):
    """Sums over the answers of all individuals that gave m of them."""

    answers: int
    first: int  # Σ value
    second: int  # Σ value²

    def plus(self, other: "Moment") -> "Moment":
        """Return the sums over both."""
        return Moment(
            self.answers + other.answers, self.first + other.first, self.second + other.second
        )


class Peers(NamedTuple):
    """Other individuals' answers to a question, each individual with the same weight."""

    individuals: int
    population: Population


def increments(before: Counts, after: Counts) -> dict[Row, int]:
    """How rows of a :class:`Histogram` change when one individual's answers change.

    ``before`` and ``after`` are its answers to the question by value, {} for none: adding an answer
    moves all of its answers from row m to row m + 1. Rows that don't change are left out.
    """
    rows: Counter[Row] = Counter()
    for answers, sign in ((before, -1), (after, 1)):
        m = sum(answers.values())
        for value, count in answers.items():
            rows[value, m] += sign * count
    return {row: change for row, change in rows.items() if change}


def moment_increments(before: Counts, after: Counts) -> dict[int, Moment]:
    """How rows of :class:`Moments`, keyed by m, change; as :func:`increments`."""
    rows: dict[int, Moment] = {}
    for answers, sign in ((before, -1), (after, 1)):
        m = sum(answers.values())
        sums = Numbers.of({value: sign * count for value, count in answers.items()})
        rows[m] = rows.get(m, Moment(0, 0, 0)).plus(Moment(*sums))
    return {m: change for m, change in rows.items() if any(change)}


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of answers by (value, m); fits every kind, needed for choices, sets and themes."""

    counts: Mapping[Row, int] = field(default_factory=dict)

    @classmethod
    def of(cls, individuals: Iterable[Counts]) -> Self:
        """Build it anew from every individual's answers."""
        counts: Counter[Row] = Counter()
        for answers in individuals:
            counts.update(increments({}, answers))
        return cls(counts)

    def plus(self, changes: Mapping[Row, int]) -> Self:
        """Return it with the changes. Raises ValueError if a count would be negative."""
        counts = dict(self.counts)
        for row, change in changes.items():
            counts[row] = counts.get(row, 0) + change
            if counts[row] < 0:
                raise ValueError(_FOREIGN)
        return type(self)(counts)

    def without(self, own: Counts) -> Self:
        """Return it without one individual. Raises ValueError if that one is not in it."""
        return self.plus(increments(own, {}))

    def peers(self, kind: Kind) -> Peers:
        """Weigh every individual alike, in integers: by lcm(m) instead of 1."""
        one = lcm(*{m for _, m in self.counts})
        weights: dict[Value, int] = {}
        for (value, m), count in self.counts.items():
            weights[value] = weights.get(value, 0) + count * (one // m)
        answers = population(kind, weights)
        return Peers(_individuals(answers.total, one), answers)


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of ratings or sentiments by m; replaces a histogram of thousands of values."""

    rows: Mapping[int, Moment] = field(default_factory=dict)

    @classmethod
    def of(cls, individuals: Iterable[Counts]) -> Self:
        """Build it anew from every individual's answers."""
        moments = cls()
        for answers in individuals:
            moments = moments.plus(moment_increments({}, answers))
        return moments

    def plus(self, changes: Mapping[int, Moment]) -> Self:
        """Return it with the changes. Raises ValueError if a count would be negative."""
        rows = dict(self.rows)
        for m, change in changes.items():
            rows[m] = rows.get(m, Moment(0, 0, 0)).plus(change)
            if min(rows[m].answers, rows[m].second) < 0:
                raise ValueError(_FOREIGN)
        return type(self)(rows)

    def without(self, own: Counts) -> Self:
        """Return it without one individual. Raises ValueError if that one is not in it."""
        return self.plus(moment_increments(own, {}))

    def peers(self, kind: Kind) -> Peers:
        """As :meth:`Histogram.peers`. Raises ValueError if the kind has no moments."""
        if not kind.numeric:
            raise ValueError(kind)
        one = lcm(*self.rows)
        total, first, second = (
            sum(row[i] * (one // m) for m, row in self.rows.items()) for i in range(3)
        )
        return Peers(_individuals(total, one), Numbers(total, first, second))


def _individuals(total: int, one: int) -> int:
    individuals, rest = divmod(total, one)
    if rest:
        raise ValueError(_FOREIGN)
    return individuals
