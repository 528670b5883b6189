"""Means and variances of a group's numbers, with intervals."""

from collections.abc import Sequence
from fractions import Fraction
from math import exp, fsum, log, sqrt
from typing import NamedTuple

from persona_server.measures.populations import Numbers
from persona_server.measures.student_t import quantile, two_sided_p

UPPER = 0.975
_WHOLE = 1e-6  # that a share of a sample may be off a number of people


class Interval(NamedTuple):
    """An estimate with the ends of its 95% interval."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """A difference of means with its 95% interval and two-sided p."""

    value: float
    low: float
    high: float
    p: float


class Spread(NamedTuple):
    """The sample variance s² of n ≥ 2 numbers, and the variance of ln s².

    That is None where s² is 0, would be without one of the numbers, or where two numbers are given
    equally often: of these all estimates of it are next to 0, whatever n is.
    """

    n: int
    variance: float
    log_variance: float | None


def moments(counts: Sequence[int], values: Sequence[float]) -> tuple[int, float, float]:
    """Return n, mean and sample variance (0 for one) of values by how many gave each."""
    n = sum(counts)
    mean = fsum(c * x for c, x in zip(counts, values, strict=True)) / n
    squares = fsum(c * (x - mean) ** 2 for c, x in zip(counts, values, strict=True))
    return n, mean, squares / (n - 1) if n > 1 else 0.0


def exact_moments(numbers: Numbers, unit: int) -> tuple[int, float, float]:
    """Return the same of one or more whole numbers of which the sums are known, 1 / unit each."""
    n, first, second = numbers
    variance = (n * second - first * first) / (n * (n - 1)) / unit**2 if n > 1 else 0.0
    return n, first / n / unit, variance


def mean_interval(n: int, mean: float, variance: float) -> Interval | None:
    """x̄ ± t √(s²/n) with n - 1 degrees of freedom; None for one number."""
    if n < 2:
        return None
    margin = quantile(UPPER, n - 1) * sqrt(variance / n)
    return Interval(mean, mean - margin, mean + margin)


def spread(counts: Sequence[int], values: Sequence[int]) -> Spread:
    """Return s² of n ≥ 3 numbers with the jackknife variance of its logarithm."""
    n, first, second = numbers = Numbers.of(dict(zip(values, counts, strict=True)))
    _, _, variance = exact_moments(numbers, 1)
    if variance == 0 or n < 3:
        return Spread(n, variance, None)
    # (n - 1)(n - 2) s² of the others, without one of each number
    left = [(n - 1) * (second - x * x) - (first - x) ** 2 for x in values]
    found = {rest for rest, count in zip(left, counts, strict=True) if count}
    if 0 in found or len(found) == 1:
        return Spread(n, variance, None)
    logs = [log(rest) if count else 0.0 for rest, count in zip(left, counts, strict=True)]
    return Spread(n, variance, _jackknife(counts, logs))


def spread_of_sample(shares: Sequence[float], n: int, values: Sequence[int]) -> Spread:
    """Return the same of a sample of n, of which the shares are known.

    Weighted or rounded shares are no counts: of these, in place of the jackknife,
    Var ln s² = (m₄ / s⁴ - (n - 3) / (n - 1)) / n.
    """
    counts = [round(share * n) for share in shares]
    if all(abs(share * n - count) <= _WHOLE for share, count in zip(shares, counts, strict=True)):
        return spread(counts, values)
    mean = fsum(p * x for p, x in zip(shares, values, strict=True))
    second, fourth = (
        fsum(p * (x - mean) ** power for p, x in zip(shares, values, strict=True))
        for power in (2, 4)
    )
    if second == 0 or n < 3:
        return Spread(n, second, None)
    variance = second * n / (n - 1)
    if fourth <= second * second * (1 + _WHOLE):
        return Spread(n, variance, None)
    return Spread(n, variance, (fourth / variance**2 - (n - 3) / (n - 1)) / n)


def spread_of_sums(sums: Sequence[int], unit: int) -> Spread:
    """Return the same of n ≥ 3 whole numbers by n, Σx, Σx², Σx³ and Σx⁴, 1 / unit each.

    In place of the jackknife Var ln s² = (m₄ / s⁴ - (n - 3) / (n - 1)) / n, rounded once.
    """
    n, x, x2, x3, x4 = sums
    squares = n * x2 - x * x  # n² m₂
    variance = squares / (n * (n - 1)) / unit**2 if n > 1 else 0.0
    fourth = n**3 * x4 - 4 * n * n * x * x3 + 6 * n * x * x * x2 - 3 * x**4  # n⁴ m₄
    if squares == 0 or n < 3 or fourth == squares * squares:
        return Spread(n, variance, None)
    kurtosis = Fraction(fourth * (n - 1) ** 2, n * n * squares * squares)
    return Spread(n, variance, float((kurtosis - Fraction(n - 3, n - 1)) / n))


def variance_ratio(group: Spread, target: Spread) -> Interval | None:
    """s² / s_t² with its 95% interval, by the logarithm.

    None where one of them does not vary, or the variance of its logarithm is not known.
    """
    if not group.variance or not target.variance:
        return None
    if group.log_variance is None or target.log_variance is None:
        return None
    ratio = group.variance / target.variance
    factor = exp(quantile(UPPER, group.n - 1) * sqrt(group.log_variance + target.log_variance))
    return Interval(ratio, ratio / factor, ratio * factor)


def exact(shares: Sequence[float], values: Sequence[float]) -> Spread:
    """Return the spread of a distribution that is known, so that it adds nothing to an error."""
    mean = fsum(p * x for p, x in zip(shares, values, strict=True))
    return Spread(0, fsum(p * (x - mean) ** 2 for p, x in zip(shares, values, strict=True)), 0.0)


def welch(one: tuple[int, float, float], other: tuple[int, float, float]) -> Difference | None:
    """Return the difference of two means (n, mean, s²), other - one, by Welch's t.

    None where fewer than two gave one of them, or nothing varies.
    """
    (n, mean, variance), (m, other_mean, other_variance) = one, other
    if n < 2 or m < 2:
        return None
    a, b = variance / n, other_variance / m
    if a + b == 0:
        return None
    # Never fewer than of the smaller group alone, but where that varies most, rounding can say so.
    freedom = max((a + b) ** 2 / (a * a / (n - 1) + b * b / (m - 1)), min(n, m) - 1)
    return difference(other_mean - mean, sqrt(a + b), freedom)


def difference(value: float, error: float, freedom: float) -> Difference:
    """Return a difference with its interval and p by Student's t."""
    margin = quantile(UPPER, freedom) * error
    return Difference(value, value - margin, value + margin, two_sided_p(value / error, freedom))


def _jackknife(counts: Sequence[int], values: Sequence[float]) -> float:
    """(n - 1) / n · Σ count (value - mean)²."""
    n = sum(counts)
    mean = fsum(c * v for c, v in zip(counts, values, strict=True)) / n
    return (n - 1) * fsum(c * (v - mean) ** 2 for c, v in zip(counts, values, strict=True)) / n
