"""The law of T where two distributions differ by chance alone, as c · χ with ν degrees of freedom.

The steps are taken as normal with covariance Σ; c and ν are such that mean and mean square of T are
those of its weighted sum of absolute values.
"""

from collections.abc import Sequence
from math import asin, exp, lgamma, log, pi, sqrt
from typing import NamedTuple

from persona_server.measures.comparison.steps import Matrix
from persona_server.measures.special import incomplete_gamma

NONE = 1e-12  # a distance that is none, but for rounding
_CLOSE = 1e-12
_MAX_STEPS = 200


class Law(NamedTuple):
    """T is distributed as scale · χ; with scale 0 it is always 0."""

    mean: float
    scale: float  # c
    freedom: float  # ν

    def p_above(self, distance: float) -> float:
        """P(T ≥ distance): 1 for a distance of none."""
        if distance <= NONE:
            return 1.0
        if self.scale == 0:
            return 0.0
        return incomplete_gamma(self.freedom / 2, (distance / self.scale) ** 2 / 2)

    def quantile(self, p: float) -> float:
        """Return the distance that T is below with probability p, 0 < p < 1."""
        if self.scale == 0:
            return 0.0
        low, high = 0.0, self.mean
        while self.p_above(high) > 1 - p:
            low, high = high, 2 * high
        while high - low > _CLOSE * high:
            middle = (low + high) / 2
            low, high = (middle, high) if self.p_above(middle) > 1 - p else (low, middle)
        return high


def law(covariance: Matrix, weight: float) -> Law:
    """Return the law of T for steps of this covariance that weigh the same each."""
    deviations = [sqrt(max(0.0, row[i])) for i, row in enumerate(covariance)]
    if not any(deviations):
        return Law(0.0, 0.0, 1.0)
    mean = sqrt(2 / pi) * weight * sum(deviations)
    square = weight * weight * _absolute_products(covariance, deviations)
    freedom = _freedom(min(mean * mean / square, 1 - _CLOSE))
    return Law(mean, sqrt(square / freedom), freedom)


def _absolute_products(covariance: Matrix, deviations: Sequence[float]) -> float:
    """Σ E|x_i x_j| of normal x: σ_i σ_j (2/π) (√(1 - ρ²) + ρ asin ρ)."""
    total = 0.0
    for i, row in enumerate(covariance):
        for j, value in enumerate(row):
            scale = deviations[i] * deviations[j]
            if scale:
                rho = max(-1.0, min(1.0, value / scale))
                total += scale * (sqrt(1 - rho * rho) + rho * asin(rho))
    return total * 2 / pi


def _freedom(ratio: float) -> float:
    """Return the ν of which (mean of χ)² / ν is a ratio below 1; it grows with ν."""
    low, high = _CLOSE, 1.0
    while _ratio(high) < ratio:
        low, high = high, 2 * high
    for _ in range(_MAX_STEPS):
        if high - low <= _CLOSE * high:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if _ratio(middle) < ratio else (low, middle)
    return high


def _ratio(freedom: float) -> float:
    half = freedom / 2
    return 2 * exp(2 * (lgamma(half + 0.5) - lgamma(half)) - log(freedom))
