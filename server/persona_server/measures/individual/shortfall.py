"""How many more such questions it would take for perfect agreement to reach the limit."""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple

from persona_server.measures.individual.interval import prior_weight
from persona_server.measures.individual.terms import Term
from persona_server.measures.student_t import quantile

_QUANTILE = 0.95
MOST_QUESTIONS = 10_000


class Shortfall(NamedTuple):
    """The smallest numbers of questions that suffice, None beyond 10,000; and their mean e.

    Where both are equal, more simulations do not help: the questions divide people little.
    """

    questions_needed: int | None
    questions_needed_with_more_simulations: int | None
    mean_chance: float  # Σωe / Σω


def shortfall(terms: Sequence[Term], limit: float) -> Shortfall:
    """Return what n ≥ 1 terms with Σωe > 0 fall short of."""
    total = sum(term.weight for term in terms)
    mean_chance = fsum(term.weight * term.chance for term in terms) / total
    return Shortfall(
        _needed(terms, prior_weight(terms), limit),
        _needed(terms, total / (2 * len(terms)), limit),
        mean_chance,
    )


def _needed(terms: Sequence[Term], prior: float, limit: float) -> int | None:
    """Find it by bisection: the bound grows with the number of questions."""
    low, high = 0, 1
    while _bound(terms, prior, high) < limit:
        low, high = high, 2 * high
        if low >= MOST_QUESTIONS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _bound(terms, prior, middle) < limit else (low, middle)
    return high if high <= MOST_QUESTIONS else None


def _bound(terms: Sequence[Term], prior: float, questions: int) -> float:
    """Return the bound of perfect agreement over so many questions like these."""
    chance = [term.weight * term.chance for term in terms]
    factor = questions / len(terms)
    expected = factor * fsum(chance) + prior
    ratio = prior / expected
    squares = factor * ratio**2 * fsum(e * e for e in chance) + (prior * (1 - ratio)) ** 2
    variance = (questions + 1) / questions * squares / expected**2
    margin = quantile(_QUANTILE, questions) * sqrt(variance) / (2 * sqrt(ratio))
    return 1 - (sqrt(ratio) + margin) ** 2
