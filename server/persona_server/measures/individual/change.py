"""Whether an attitude has reliably changed: by more than others' answers move by themselves."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from persona_server.measures.answers import Kind
from persona_server.measures.individual.points import (
    Differences,
    Point,
    moved,
    quotient,
    unit,
)
from persona_server.measures.individual.policy import Policy
from persona_server.measures.reasons import Reason
from persona_server.measures.student_t import two_sided_p

HALVES_FROM = 8  # points, of which the halves are compared, and not the ends
SIGNIFICANT = 0.05  # of the adjusted p


class Noise(NamedTuple):
    """How much others' successive answers differ in the simulations of this individual's points."""

    differences: int  # k
    variance: float  # v, in rating points² or sentiment²
    mean_inverse: float  # h, of the numbers of answers that a point is the mean of


class ReliableChange(NamedTuple):
    """The reliable change index: a change in units of its standard error."""

    change: float  # in rating points or sentiment
    rci: float
    p: float  # two-sided, Student's t
    freedom: int
    standard_error: float
    noise: Noise

    def reliable(self, adjusted_p: float) -> bool:
        """Whether the change is reliable by its p adjusted over the individual's questions."""
        return adjusted_p < SIGNIFICANT


def noise(
    kind: Kind, series: Sequence[Point], everyone: Mapping[str, Differences], policy: Policy
) -> Noise | Reason:
    """Return the noise of the others, where this individual has a point that is not its first.

    ``everyone`` has, by simulation, all differences that end there, this individual's included:
    else KeyError or ValueError is raised.
    """
    ends = [everyone[point.simulation_id] for point in series[1:]]
    if not all(one.number for one in ends):
        raise ValueError("the sums don't hold this individual")
    rest = Differences.total(ends).minus(moved(kind, series))
    most = max([one.number for one in ends], default=1) - 1  # each has one of this individual
    if rest.number < policy.min_noise_differences or most < policy.min_noise_individuals:
        return Reason.TOO_FEW_DIFFERENCES
    variance, inverse = rest.variance(kind), rest.mean_inverse
    if kind is Kind.RATING:
        variance = max(variance, inverse / 4)  # one step alone is never reliable
    return Noise(rest.number, variance, inverse)


def reliable_change(
    kind: Kind, series: Sequence[Point], others: Noise | Reason
) -> ReliableChange | Reason:
    """Compare the last point with the first, from eight on the last half with the first half.

    Returns why that can't be told, where it can't.
    """
    n, scale = len(series), unit(kind)
    if n < 2:
        return Reason.TOO_FEW_POINTS
    if isinstance(others, Reason):
        return others
    half = n // 2 if n >= HALVES_FROM else 1
    first, last = series[:half], series[-half:]
    far = sum([p.value for p in last]) - sum([p.value for p in first])
    change = quotient(far, half * scale)
    variance = others.variance * _spread((*first, *last), half, others.mean_inverse)
    freedom = others.differences
    if n >= HALVES_FROM:
        own = _own_variance(series, scale) * 2 / half
        if own > variance:
            variance, freedom = own, n - 1
    if variance == 0:
        return Reason.NO_NOISE
    error = sqrt(variance)
    rci = change / error
    return ReliableChange(change, rci, two_sided_p(rci, freedom), freedom, error, others)


def _spread(used: Sequence[Point], half: int, mean_inverse: float) -> float:
    """Σ a² max(1, 1 / (c h)): fewer answers than the others' raise it, more do not lower it."""
    return sum([max(1.0, 1 / (point.answers * mean_inverse)) for point in used]) / half**2


def _own_variance(series: Sequence[Point], scale: int) -> float:
    squares = sum([(b.value - a.value) ** 2 for a, b in pairwise(series)])
    return quotient(squares, 2 * (len(series) - 1) * scale**2)
