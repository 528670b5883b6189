"""The 90% interval of C, over questions and simulations, whose lower end is the 95% bound."""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple

from persona_server.measures.individual.terms import Term
from persona_server.measures.student_t import quantile

_QUANTILE = 0.95  # of each end
LEAST_PRIOR_WEIGHT = 1.5
WEIGHT_OF_UNIT = 1.125


class Interval(NamedTuple):
    """The ends of the interval of C, each at least -1, and the variance over questions."""

    low: float
    high: float
    question_variance: float  # V_q


def interval(terms: Sequence[Term], simulation_variance: float) -> Interval:
    """Interval of C from n ≥ 1 terms with Σωe > 0.

    On √D, D = 1 - C, where the distribution is closest to Student's t. An imaginary question with
    d = e = 1 keeps perfect or scarce data from claiming certainty.
    """
    n, prior = len(terms), prior_weight(terms)
    own = fsum(term.weight * term.own for term in terms)
    expected = fsum(term.weight * term.chance for term in terms)
    chance = expected + prior
    ratio = (own + prior) / chance
    gaps = [term.weight * (term.own - ratio * term.chance) for term in terms]
    gaps.append(prior * (1 - ratio))
    variance = (n + 1) * fsum(gap * gap for gap in gaps) / (n * chance**2)
    margin = quantile(_QUANTILE, n) * sqrt(max(variance, simulation_variance)) / (2 * sqrt(ratio))
    low = 1 - (sqrt(ratio) + margin) ** 2
    high = 1 - max(0.0, sqrt(own / expected) - margin) ** 2
    return Interval(max(-1.0, low), max(-1.0, high), variance)


def prior_weight(terms: Sequence[Term]) -> float:
    """ω₀ = max(1.5, 1.125 ū, Σω / 2n), ū the mean of u by ω."""
    total = sum(term.weight for term in terms)
    unit = fsum(term.weight * term.unit for term in terms) / total
    return max(LEAST_PRIOR_WEIGHT, WEIGHT_OF_UNIT * unit, total / (2 * len(terms)))


def attainable(terms: Sequence[Term]) -> float:
    """Return the bound that perfect agreement with the same n ≥ 1 questions would have earned."""
    return interval([term._replace(own=0.0) for term in terms], 0.0).low


def simulation_variance(values: Sequence[float | None]) -> float | None:
    """V_s of C without each simulation; None, which counts as 0, if one of them is undefined."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    mean = fsum(known) / len(known)
    return (len(known) - 1) * fsum((value - mean) ** 2 for value in known) / len(known)
