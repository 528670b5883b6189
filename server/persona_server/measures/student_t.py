"""Student's t: quantiles and two-sided probabilities, to about 1e-12, by the standard library."""

from functools import lru_cache
from math import exp, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist

from persona_server.measures.special import beta_fraction

_MAX_STEPS = 10_000
_NEWTON_STEP = 1e-9
_LARGE = 200.0


def two_sided_p(t: float, df: float) -> float:
    """P(|T| ≥ |t|) with df ≥ 1 degrees of freedom: I_x(df/2, 1/2), x = df / (df + t²).

    Abramowitz & Stegun 26.5.27, 26.7.1. Raises ValueError if df < 1.
    """
    if df < 1:
        raise ValueError("t needs at least one degree of freedom")
    half, square = df / 2, t * t
    if square == 0:
        return 1.0
    near, far = df / (df + square), square / (df + square)
    log_front = -half * log1p(square / df) + 0.5 * log(far) - _log_beta_half(half)
    # The continued fraction converges fast on one side of the mean; I_x(a, b) = 1 - I_1-x(b, a).
    if near < (half + 1) / (half + 2.5):
        return exp(log_front) * beta_fraction(half, 0.5, near) / half
    return 1 - exp(log_front) * beta_fraction(0.5, half, far) / 0.5


def density(t: float, df: float) -> float:
    """Return the density at t with df ≥ 1 degrees of freedom."""
    return exp(-(df + 1) / 2 * log1p(t * t / df) - _log_beta_half(df / 2)) / sqrt(df)


@lru_cache(maxsize=4096)
def quantile(p: float, df: float) -> float:
    """Return the t with P(T ≤ t) = p, 0 < p < 1. Raises ValueError if p or df is out of range.

    Newton's method from the normal quantile. Above the median the cdf is concave and t's quantile
    lies beyond the normal one, so every step stays short of it: it cannot overshoot.
    """
    if not 0 < p < 1:
        raise ValueError("p is outside 0…1")
    if 2 * p < 1:
        return -quantile(1 - p, df)
    t = NormalDist().inv_cdf(p)
    for _ in range(_MAX_STEPS):
        step = (two_sided_p(t, df) / 2 - (1 - p)) / density(t, df)
        t += step
        if step <= _NEWTON_STEP * t:  # squared by the last step: below rounding
            break
    return t


def _log_beta_half(a: float) -> float:
    """Ln B(a, 1/2). Large a: the series of Γ(a + 1/2) / Γ(a), where lgamma would cancel."""
    if a < _LARGE:
        return lgamma(a) + 0.5 * log(pi) - lgamma(a + 0.5)
    series = 1 - 1 / (8 * a) + 1 / (128 * a**2) + 5 / (1024 * a**3) - 21 / (32768 * a**4)
    return 0.5 * log(pi / a) - log(series)
