"""The incomplete beta and gamma functions, to about 1e-12, by the standard library."""

from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

_TINY = 1e-300
_PRECISION = 1e-15
_MAX_STEPS = 10_000
_STEP = 1e-13  # of a quantile, below which it has converged
_NORMAL = NormalDist()


def beta_fraction(a: float, b: float, x: float) -> float:
    """Continued fraction of the incomplete beta function, DLMF 8.17.22, by Lentz's method."""
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for coefficient in (even, odd):
            d = 1 / _away_from_zero(1 + coefficient * d)
            c = _away_from_zero(1 + coefficient / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), the cdf at 0 ≤ x ≤ 1 of the beta distribution with a, b > 0 (DLMF 8.17)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(_log_power(x, a, b))
    # The fraction converges fast on one side of the mean; I_x(a, b) = 1 - I_1-x(b, a).
    if x < (a + 1) / (a + b + 2):
        return front * beta_fraction(a, b, x) / a
    return 1 - front * beta_fraction(b, a, 1 - x) / b


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return the x with I_x(a, b) = p, 0 < p < 1, for a, b ≥ 1.

    Newton's method from a normal approximation, halving the interval where it would leave it.
    """
    low, high = 0.0, 1.0
    mean, count = a / (a + b), a + b
    x = mean + _NORMAL.inv_cdf(p) * sqrt(mean * (1 - mean) / (count + 1))
    for _ in range(_MAX_STEPS):
        if not low < x < high:
            x = (low + high) / 2
        gap = incomplete_beta(x, a, b) - p
        if gap > 0:
            high = x
        else:
            low = x
        density = exp(_log_power(x, a, b)) / (x * (1 - x))
        step = gap / density if density > _TINY else 1.0
        x -= step
        if abs(step) <= _STEP * x or high - low <= _STEP * high:
            break
    return min(max(x, low), high)


def incomplete_gamma(a: float, x: float) -> float:
    """Q(a, x), the upper regularized incomplete gamma function, a > 0, x ≥ 0 (DLMF 8.2)."""
    if x <= 0:
        return 1.0
    front = exp(a * log(x) - x - lgamma(a))
    return 1 - front * _gamma_series(a, x) if x < a + 1 else front * _gamma_fraction(a, x)


def _gamma_series(a: float, x: float) -> float:
    """Γ(a) P(a, x) eˣ x⁻ᵃ, DLMF 8.7.1."""
    term = total = 1 / a
    for n in range(1, _MAX_STEPS):
        term *= x / (a + n)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _gamma_fraction(a: float, x: float) -> float:
    """Γ(a, x) eˣ x⁻ᵃ, DLMF 8.9.2, by Lentz's method."""
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / _away_from_zero(b)
    value = d
    for n in range(1, _MAX_STEPS):
        coefficient = n * (a - n)
        b += 2
        d = 1 / _away_from_zero(b + coefficient * d)
        c = _away_from_zero(b + coefficient / c)
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _log_power(x: float, a: float, b: float) -> float:
    """Ln of xᵃ (1 - x)ᵇ / B(a, b)."""
    return a * log(x) + b * log1p(-x) - (lgamma(a) + lgamma(b) - lgamma(a + b))


def _away_from_zero(x: float) -> float:
    return x if abs(x) > _TINY else _TINY
