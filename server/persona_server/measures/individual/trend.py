"""Trend tests of one series, and the adjustment of p-values for testing many series."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import comb, sqrt
from typing import NamedTuple

from persona_server.measures.answers import Exact
from persona_server.measures.individual.points import Point
from persona_server.measures.student_t import quantile

THIRTY_DAYS = 30 * 24 * 60 * 60 * 10**6  # in microseconds
_UPPER = 0.975  # of a two-sided 95% interval


class Slope(NamedTuple):
    """Change per 30 days, or per simulation where all are within less than 30 days.

    With its 95% interval; without residuals there is none.
    """

    value: float
    low: float | None
    high: float | None
    over_time: bool  # whether it is per 30 days


class MannKendall(NamedTuple):
    """The statistic K, the number M of untied pairs, and the exact two-sided p."""

    statistic: int
    untied_pairs: int
    p: float


def least_squares_slope(series: Sequence[Point], unit: int) -> Slope:
    """Least-squares slope of n ≥ 3 points at distinct times; values are in 1/unit.

    The interval is of Student's t with n - 2 degrees of freedom. Sums are exact, so residuals are
    0 only where they truly are.
    """
    n, start = len(series), series[0].occurred_at
    times = [point.occurred_at - start for point in series]
    over_time = times[-1] >= THIRTY_DAYS
    places, per = (times, THIRTY_DAYS) if over_time else (list(range(n)), 1)
    values = [point.value for point in series]
    sxx = _centred(places, places)
    sxy = _centred(places, values)
    residual = _centred(values, values) * sxx - sxy * sxy  # n · Sxx · Σ residual², Sxx as above
    slope = float(Fraction(sxy * per, sxx * unit))
    if residual == 0:
        return Slope(slope, None, None, over_time)
    error = sqrt(Fraction(residual, (n - 2) * sxx * sxx)) * (per / unit)
    margin = quantile(_UPPER, n - 2) * error
    return Slope(slope, slope - margin, slope + margin, over_time)


def mann_kendall(values: Sequence[Exact]) -> MannKendall:
    """Exact two-sided Mann-Kendall test of values in order of time, ties included.

    Given the ties, the null distribution of the discordant pairs is that of the inversions of a
    multiset's permutations: the coefficients of the Gaussian multinomial (MacMahon; Stanley,
    Enumerative Combinatorics 1, 1.7.1).
    """
    statistic = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    ties = tuple(sorted(Counter(values).values()))
    pairs = comb(len(values), 2) - sum(comb(t, 2) for t in ties)
    if statistic == 0:
        return MannKendall(0, pairs, 1.0)
    counts = inversion_counts(ties)
    tail = sum(counts[: (pairs - abs(statistic)) // 2 + 1])
    return MannKendall(statistic, pairs, 2 * tail / sum(counts))


@lru_cache(maxsize=256)
def inversion_counts(ties: tuple[int, ...]) -> tuple[int, ...]:
    """How many arrangements of groups of equal values have 0, 1, 2, … inversions.

    The product of Gaussian binomials [t₁ + … + tᵢ choose tᵢ]_q, each by (1 - q^(s + j)) / (1 - q^j)
    for j = 1…tᵢ, where s = t₁ + … + tᵢ₋₁.
    """
    counts, size = [1], 0
    for tie in ties:
        for j in range(1, tie + 1):
            counts = _times(counts, size + j)
            counts = _divided(counts, j)
        size += tie
    return tuple(counts)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for the false discovery rate (Benjamini & Hochberg 1995), in order."""
    n = len(p_values)
    adjusted, least = [1.0] * n, 1.0
    ranked = sorted(range(n), key=lambda i: p_values[i])
    for rank in range(n, 0, -1):
        i = ranked[rank - 1]
        least = min(least, p_values[i] * n / rank)
        adjusted[i] = least
    return adjusted


def _centred(a: Sequence[Exact], b: Sequence[Exact]) -> Exact:
    """N · Σ (a - mean a)(b - mean b), without leaving the integers."""
    return len(a) * sum(x * y for x, y in zip(a, b, strict=True)) - sum(a) * sum(b)


def _times(counts: list[int], j: int) -> list[int]:
    """Multiply the polynomial by 1 - q^j."""
    padding = [0] * j
    return [a - b for a, b in zip(counts + padding, padding + counts, strict=True)]


def _divided(counts: list[int], j: int) -> list[int]:
    """Divide the polynomial by 1 - q^j, which divides it."""
    for i in range(j, len(counts)):
        counts[i] += counts[i - j]
    return counts[:-j]
