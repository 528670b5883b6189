"""How an individual's answers to one question agree, and how its population's do by chance."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import NamedTuple

from persona_server.measures.answers import Answer, Exact, Kind, Question
from persona_server.measures.individual.crowds import Crowd
from persona_server.measures.populations import population

_TWO_POSITIONS = 2.0


class Term(NamedTuple):
    """What a question contributes to C = 1 - Σωd / Σωe."""

    weight: int  # ω = m - 1
    own: float  # d: mean disagreement of the individual's answers
    chance: float  # e: mean over its simulations of how all disagree there
    unit: float = 1.0  # u: the largest disagreement of a question with two answers


NOTHING = Term(0, 0.0, 0.0)  # what a question contributes that is no longer comparable


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparable question: its m ≥ 2 answers in order of time, and who else answered.

    ``apart`` has, by simulation, the sum of the distances of its answer to the individual's others.
    """

    question: Question
    answers: tuple[Answer, ...]
    crowds: Mapping[str, Crowd]
    apart: Mapping[str, Exact]
    term: Term

    def without(self, simulation: str) -> Term:
        """Return the term with the answer of one simulation left out, NOTHING if none remains."""
        if simulation not in self.apart:
            return self.term
        rest = [s for s in self.apart if s != simulation]
        pairs = sum(self.apart.values()) - 2 * self.apart[simulation]
        return _term(self.question, pairs, rest, self.crowds)

    def further_apart(self, simulation: str) -> float:
        """Return how much further the answer of a simulation is from the others than these are.

        Its mean δ with the individual's other answers - the mean of that figure over these.
        """
        own, total, others = self.apart[simulation], sum(self.apart.values()), len(self.apart) - 1
        return _mean(self.question.unit, own * (others + 1) - total, others * others)


def compared(
    question: Question, answers: tuple[Answer, ...], crowds: Mapping[str, Crowd]
) -> Compared | None:
    """Measure the answers to a scored question, one per simulation; None if not comparable.

    ``crowds`` has at least every simulation of the answers.
    """
    own = population(question.kind, Counter(answer.value for answer in answers))
    apart = {answer.simulation_id: own.distance(answer.value) for answer in answers}
    term = _term(question, sum(apart.values()), list(apart), crowds)
    return Compared(question, answers, crowds, apart, term) if term is not NOTHING else None


def coefficient(terms: Iterable[Term]) -> float | None:
    """C = 1 - Σωd / Σωe; None if Σωe is 0, when everybody is alike."""
    sums = [(term.weight * term.own, term.weight * term.chance) for term in terms]
    chance = fsum(e for _, e in sums)
    return 1 - fsum(d for d, _ in sums) / chance if chance else None


def _term(
    question: Question, pairs: Exact, simulations: list[str], crowds: Mapping[str, Crowd]
) -> Term:
    known = [e for s in simulations if (e := crowds[s].chance) is not None]
    m = len(simulations)
    if m < 2 or not known:
        return NOTHING
    chance = fsum(known) / len(known)
    return Term(m - 1, _mean(question.unit, pairs, m * (m - 1)), chance, largest_unit(question))


def largest_unit(question: Question) -> float:
    """Return u: K / (K - 1) for a choice, 2 for a rating with two positions, else 1."""
    if question.kind is Kind.CHOICE:
        return float(question.unit)
    two = question.kind is Kind.RATING and question.maximum - question.minimum == 1
    return _TWO_POSITIONS if two else 1.0


def _mean(unit: Fraction, total: Exact, count: int) -> float:
    """Return unit · total / count, rounded once: integers divide faster than fractions."""
    return (unit.numerator * total.numerator) / (unit.denominator * total.denominator * count)
