"""How an individual's answers to one question agree, and how they would by chance."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import NamedTuple

from persona_server.measures.answers import Answer, Exact, Question, Value
from persona_server.measures.histogram import Counts, Peers
from persona_server.measures.populations import Population, population


class Term(NamedTuple):
    """What a question contributes to C = 1 - Σωd / Σωe."""

    weight: int  # ω = m - 1
    own: float  # d: mean disagreement among the individual's answers
    chance: float  # e: mean disagreement of them with other individuals


@dataclass(frozen=True, slots=True)
class Agreement:
    """One comparable question: its answers in order of time, its term, and the jackknife's.

    ``without`` has, by simulation, the term when that simulation's answer is left out.
    """

    question: Question
    answers: tuple[Answer, ...]
    term: Term
    without: Mapping[str, Term]


def coefficient(terms: Iterable[Term]) -> float | None:
    """C = 1 - Σωd / Σωe; None if Σωe is 0, when everybody is alike."""
    sums = [(weight * own, weight * chance) for weight, own, chance in terms]
    chance = fsum(e for _, e in sums)
    return 1 - fsum(d for d, _ in sums) / chance if chance else None


def agreement(question: Question, answers: tuple[Answer, ...], peers: Peers) -> Agreement:
    """Measure the m ≥ 2 answers to a question against other individuals.

    Exact sums of distances over all answers give those without any one of them: leaving a out
    takes its distances to the rest from the pairs twice, once in each order.
    """
    counts = Counter(answer.value for answer in answers)
    within = _distances(counts, population(question.kind, counts))
    across = _distances(counts, peers.population)
    pairs = sum(count * within[value] for value, count in counts.items())
    contrasts = sum(count * across[value] for value, count in counts.items())
    m, unit, everyone = len(answers), question.unit, peers.population.total
    left_out = {
        value: _term(unit, m - 1, pairs - 2 * within[value], contrasts - across[value], everyone)
        for value in counts
    }
    return Agreement(
        question,
        answers,
        _term(unit, m, pairs, contrasts, everyone),
        {answer.simulation_id: left_out[answer.value] for answer in answers},
    )


def _distances(counts: Counts, others: Population) -> dict[Value, Exact]:
    return {value: others.distance(value) for value in counts}


def _term(unit: Fraction, m: int, pairs: Exact, contrasts: Exact, everyone: int) -> Term:
    if m < 2:
        return Term(0, 0.0, 0.0)
    return Term(m - 1, _mean(unit, pairs, m * (m - 1)), _mean(unit, contrasts, m * everyone))


def _mean(unit: Fraction, total: Exact, count: int) -> float:
    """Return unit · total / count, rounded once: integers divide faster than fractions."""
    return (unit.numerator * total.numerator) / (unit.denominator * total.denominator * count)
