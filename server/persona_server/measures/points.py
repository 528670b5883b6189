"""An individual's numeric answers over time, and the noise that such series show."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from persona_server.measures.answers import SENTIMENT_UNIT, Answer, Exact, Kind

# Squared differences are stored as integers. Those of single answers are exact; a mean of several
# answers in one simulation is rounded to 1e-6 of a rating point², or 1e-12 of sentiment².
_SQUARES_PER_UNIT = {Kind.RATING: 10**6, Kind.SENTIMENT: 1}
_UNITS = {Kind.RATING: 1, Kind.SENTIMENT: SENTIMENT_UNIT}


class Point(NamedTuple):
    """One point of a timeline; its exact value is in the unit of the answers (1e-6: sentiment)."""

    occurred_at: int  # microseconds since 1970, UTC
    value: Exact


class Noise(NamedTuple):
    """Successive differences in one question, summed over individuals, as storage keeps them."""

    squares: int = 0  # Σ (x_{t+1} - x_t)², in 1e-6 rating points² or 1e-12 sentiment²
    differences: int = 0  # k
    individuals: int = 0  # those with at least one difference

    def plus(self, other: "Noise") -> "Noise":
        """Return the sums over both."""
        return Noise(*(a + b for a, b in zip(self, other, strict=True)))

    def minus(self, other: "Noise") -> "Noise":
        """Take individuals out. Raises ValueError if they are not in it."""
        rest = Noise(*(a - b for a, b in zip(self, other, strict=True)))
        if min(rest) < 0:
            raise ValueError("the sums don't hold these individuals")
        return rest

    def variance(self, kind: Kind) -> float:
        """Return v = Σ (x_{t+1} - x_t)² / 2k (von Neumann), in rating points² or sentiment².

        Raises ZeroDivisionError without differences.
        """
        return self.squares / (2 * self.differences * _SQUARES_PER_UNIT[kind] * _UNITS[kind] ** 2)


def unit(kind: Kind) -> int:
    """How many units of a stored value make one rating point, or a sentiment of 1."""
    return _UNITS[kind]


def step(kind: Kind, before: int, after: int) -> int:
    """Return what one difference of whole values adds to :attr:`Noise.squares`."""
    return (after - before) ** 2 * _SQUARES_PER_UNIT[kind]


def points(answers: Iterable[Answer]) -> tuple[Point, ...]:
    """Points of one individual's answers to one numeric question, in order of time.

    One per simulation: the mean of its answers, at the time of the earliest; points at equal times
    are merged into their mean.
    """
    simulations: defaultdict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        simulations[answer.simulation_id].append(answer)
    at: defaultdict[int, list[Exact]] = defaultdict(list)
    for given in simulations.values():
        earliest = min(answer.occurred_at for answer in given)
        at[earliest].append(mean([int(answer.value) for answer in given]))
    return tuple(Point(time, mean(at[time])) for time in sorted(at))


def mean(values: Collection[Exact]) -> Exact:
    """Return the exact mean of one or more values: an int where it is whole."""
    average = Fraction(sum(values), len(values)) if len(values) > 1 else next(iter(values))
    return average.numerator if average.denominator == 1 else average


def noise(kind: Kind, series: Sequence[Point]) -> Noise:
    """Noise of one individual in one numeric question, from its points in order of time."""
    if len(series) <= 1:
        return Noise()
    squares = sum((b.value - a.value) ** 2 for a, b in pairwise(series))
    return Noise(round(squares * _SQUARES_PER_UNIT[kind]), len(series) - 1, 1)
