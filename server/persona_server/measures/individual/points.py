"""An individual's numeric answers over time, and what differs between its successive points."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple, Self

from persona_server.measures.answers import SENTIMENT_UNIT, Answer, Exact, Kind

_UNITS = {Kind.RATING: 1, Kind.SENTIMENT: SENTIMENT_UNIT}
# Sums are kept as integers, rounded once for each difference: squares in 1e-6 of a rating point²,
# or 1e-12 of sentiment², inverse numbers of answers in 1e-6.
_SQUARES_PER_UNIT = {Kind.RATING: 10**6, Kind.SENTIMENT: 1}
INVERSES_PER_UNIT = 10**6


class Point(NamedTuple):
    """One point of a timeline; its exact value is in the unit of the answers (1e-6: sentiment)."""

    occurred_at: int  # microseconds since 1970, UTC
    value: Exact
    answers: int  # c, of which the value is the mean
    simulation_id: str  # where the point stands: the smallest of those it is merged of


class Differences(NamedTuple):
    """Sums over successive differences of one question that end in one simulation."""

    number: int = 0  # k
    squares: int = 0  # Σ Δ², see above
    inverses: int = 0  # Σ (1/c_t + 1/c_{t+1}), see above

    @classmethod
    def total(cls, given: "Sequence[Differences]") -> Self:
        """Return the sums over all that are given."""
        return cls(*map(sum, zip(*given, strict=True)))

    def minus(self, other: "Differences") -> "Differences":
        """Take an individual out. Raises ValueError if it is not in it."""
        all_of, squares, inverses = self
        number, own_squares, own_inverses = other
        if number > all_of or own_squares > squares or own_inverses > inverses:
            raise ValueError("the sums don't hold this individual")
        return Differences(all_of - number, squares - own_squares, inverses - own_inverses)

    @property
    def taken_out(self) -> "Differences":
        """What to add to sums that hold these, so that they do so no more."""
        return Differences(-self.number, -self.squares, -self.inverses)

    def variance(self, kind: Kind) -> float:
        """Return v = Σ Δ² / 2k, in rating points² or sentiment². Raises ZeroDivisionError."""
        return self.squares / (2 * self.number * _SQUARES_PER_UNIT[kind] * unit(kind) ** 2)

    @property
    def mean_inverse(self) -> float:
        """Return h = Σ (1/c_t + 1/c_{t+1}) / 2k. Raises ZeroDivisionError."""
        return self.inverses / (2 * self.number * INVERSES_PER_UNIT)


def step(kind: Kind, before: int, after: int) -> Differences:
    """Return the difference of two points of one answer each."""
    square = (after - before) ** 2 * _SQUARES_PER_UNIT[kind]
    return Differences(1, square, 2 * INVERSES_PER_UNIT)


def unit(kind: Kind) -> int:
    """How many units of a stored value make one rating point, or a sentiment of 1."""
    return _UNITS[kind]


def quotient(value: Exact, by: int) -> float:
    """Return value / by, rounded once: integers divide faster than fractions."""
    return value.numerator / (value.denominator * by)


def points(answers: Iterable[Answer]) -> tuple[Point, ...]:
    """Points of one individual's answers to one numeric question, in order of time.

    One per simulation: the mean of its answers, at the time of the earliest. Points at equal times
    are merged into the mean of their values.
    """
    given = sorted(answers, key=attrgetter("occurred_at"))
    if _stand_alone(given):
        return tuple([Point(a.occurred_at, int(a.value), 1, a.simulation_id) for a in given])
    simulations: defaultdict[str, list[Answer]] = defaultdict(list)
    for answer in given:
        simulations[answer.simulation_id].append(answer)
    at: defaultdict[int, list[Point]] = defaultdict(list)
    for simulation, together in simulations.items():
        value = mean([int(answer.value) for answer in together])
        time = together[0].occurred_at
        at[time].append(Point(time, value, len(together), simulation))
    return tuple(_merged(at[time]) for time in sorted(at))


def _stand_alone(answers: Sequence[Answer]) -> bool:
    """Whether no two answers are of one simulation or of one time, as mostly."""
    simulations = {answer.simulation_id for answer in answers}
    times = {answer.occurred_at for answer in answers}
    return len(simulations) == len(times) == len(answers)


def _merged(given: Sequence[Point]) -> Point:
    if len(given) == 1:
        return given[0]
    return Point(
        given[0].occurred_at,
        mean([point.value for point in given]),
        sum(point.answers for point in given),
        min(point.simulation_id for point in given),
    )


def mean(values: Collection[Exact]) -> Exact:
    """Return the exact mean of one or more values: an int where it is whole."""
    if len(values) == 1:
        return next(iter(values))
    average = Fraction(sum(values), len(values))
    return average.numerator if average.denominator == 1 else average


def differences(kind: Kind, series: Sequence[Point]) -> Iterator[tuple[str, Differences]]:
    """Yield each difference of successive points, by the simulation in which it ends."""
    for before, after in pairwise(series):
        if before.answers == after.answers == 1:  # as mostly
            yield after.simulation_id, step(kind, int(before.value), int(after.value))
            continue
        square = round((after.value - before.value) ** 2 * _SQUARES_PER_UNIT[kind])
        inverse = Fraction(1, before.answers) + Fraction(1, after.answers)
        yield after.simulation_id, Differences(1, square, round(inverse * INVERSES_PER_UNIT))


def moved(kind: Kind, series: Sequence[Point]) -> Differences:
    """Return the sums over all differences of successive points."""
    if any(point.answers > 1 for point in series):
        return Differences.total([one for _, one in differences(kind, series)])
    squares = sum([int(after.value - before.value) ** 2 for before, after in pairwise(series)])
    number = max(len(series) - 1, 0)
    return Differences(number, squares * _SQUARES_PER_UNIT[kind], 2 * INVERSES_PER_UNIT * number)
