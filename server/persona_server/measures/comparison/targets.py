"""A group's distribution against a target: shares that are known, or those of a sample."""

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from persona_server.measures.comparison.distance_law import law
from persona_server.measures.comparison.steps import Matrix, Steps, added, shares_of, smoothed

_QUANTILE = 0.975
_NONE = 1e-12  # what rounding leaves of a difference
_NORMAL = NormalDist().inv_cdf(_QUANTILE)


class Distance(NamedTuple):
    """How far two distributions are apart, 0 to 1, with its 95% interval."""

    value: float  # T
    low: float
    high: float
    expected: float  # the mean of T without a difference
    p: float


def against_target(
    steps: Steps, counts: Sequence[int], target: Sequence[float], sample: int | None = None
) -> Distance:
    """Compare counts of a group with a target's shares, exact or those of a sample of that size."""
    n, shares = sum(counts), shares_of(counts)
    if sample is None:
        chance = steps.covariance(target, 1 / n)
        spread = steps.covariance(smoothed(counts), 1 / n)
    else:
        pooled = [(c + sample * g) / (n + sample) for c, g in zip(counts, target, strict=True)]
        chance = steps.covariance(pooled, 1 / n + 1 / sample)
        own = steps.covariance(smoothed(counts), 1 / n)
        theirs = smoothed([sample * g for g in target])
        spread = added(own, steps.covariance(theirs, 1 / sample))
    differences = [f - g for f, g in zip(steps.of(shares), steps.of(target), strict=True)]
    return distance(steps, differences, chance, spread)


def distance(
    steps: Steps, differences: Sequence[float], chance: Matrix, spread: Matrix
) -> Distance:
    """Return T of the steps' differences.

    p is by the covariance that they have by chance, the interval by that of the answers themselves.
    """
    value, by_chance = steps.distance(differences), law(chance, steps.weight)
    reach = law(spread, steps.weight).quantile(_QUANTILE)
    high = max(reach, value + _NORMAL * _error(steps, differences, spread))
    return Distance(
        value, max(0.0, value - reach), min(1.0, high), by_chance.mean, by_chance.p_above(value)
    )


def _error(steps: Steps, differences: Sequence[float], spread: Matrix) -> float:
    """√ΣΣ w² s_i s_j Σ_ij, s the sign of a difference.

    Steps that do not differ have one sign, that of the larger error: it is the same whichever
    distribution is named first.
    """
    signs = [
        0 if abs(difference) <= _NONE else -1 if difference < 0 else 1 for difference in differences
    ]
    alike = [i for i, sign in enumerate(signs) if not sign]
    total = sum(
        s * sum(t * x for t, x in zip(signs, row, strict=True))
        for s, row in zip(signs, spread, strict=True)
        if s
    )
    total += sum(spread[i][j] for i in alike for j in alike)
    total += 2 * abs(sum(s * spread[i][j] for i, s in enumerate(signs) if s for j in alike))
    return steps.weight * sqrt(max(0.0, total))
