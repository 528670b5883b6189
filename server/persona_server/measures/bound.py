"""The one-sided 95% lower bound of the agreement coefficient, over questions and simulations."""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple

from persona_server.measures.agreement import Agreement, Term, coefficient
from persona_server.measures.student_t import quantile

CONFIDENCE = 0.95
_LEAST_PRIOR_WEIGHT = 1.5


class Bound(NamedTuple):
    """A lower bound of C, in -1…1, and the variance of C over questions."""

    value: float
    question_variance: float


def lower_bound(terms: Sequence[Term], simulation_variance: float) -> Bound:
    """Lower bound of C from n ≥ 1 terms.

    On √D, D = 1 - C, where the distribution is closest to Student's t. An imaginary question with
    d = e = 1 keeps perfect or scarce data from claiming certainty.
    """
    n = len(terms)
    prior = max(_LEAST_PRIOR_WEIGHT, sum(term.weight for term in terms) / (2 * n))
    chance = fsum(term.weight * term.chance for term in terms) + prior
    ratio = (fsum(term.weight * term.own for term in terms) + prior) / chance
    gaps = [weight * (own - ratio * expected) for weight, own, expected in terms]
    gaps.append(prior * (1 - ratio))
    variance = (n + 1) * fsum(gap * gap for gap in gaps) / (n * chance**2)
    error = sqrt(max(variance, simulation_variance)) / (2 * sqrt(ratio))
    value = 1 - (sqrt(ratio) + quantile(CONFIDENCE, n) * error) ** 2
    return Bound(max(-1.0, value), variance)


def attainable(terms: Sequence[Term]) -> float:
    """Return the bound that perfect agreement with the same n ≥ 1 questions would have earned."""
    return lower_bound([term._replace(own=0.0) for term in terms], 0.0).value


def simulation_variance(
    agreements: Sequence[Agreement], simulations: Sequence[str]
) -> float | None:
    """Jackknife variance of C over the simulations; None if C without one of them is undefined."""
    values = []
    for simulation in simulations:
        value = coefficient(a.without.get(simulation, a.term) for a in agreements)
        if value is None:
            return None
        values.append(value)
    mean = fsum(values) / len(values)
    return (len(values) - 1) * fsum((value - mean) ** 2 for value in values) / len(values)
