"""How an individual's answers to one question agree, and how its population's do by chance."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, lcm
from typing import NamedTuple

from persona_server.measures.answers import Answer, Kind, Question
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

    ``apart`` has, by simulation, the sum of the distances of its answer to the individual's others,
    in units of which ``scale`` make a distance of 1; ``total`` is the sum over all simulations.
    """

    question: Question
    answers: tuple[Answer, ...]
    crowds: Mapping[str, Crowd]
    apart: Mapping[str, int]
    scale: int
    total: int
    term: Term

    def without(self, simulation: str) -> Term:
        """Return the term with the answer of one simulation left out, NOTHING if none remains."""
        if simulation not in self.apart:
            return self.term
        rest = [s for s in self.apart if s != simulation]
        pairs = self.total - 2 * self.apart[simulation]
        return _term(self.question, pairs, self.scale, rest, self.crowds)

    def further_apart(self, simulation: str) -> float:
        """Return how much further the answer of a simulation is from the others than these are.

        Its mean δ with the individual's other answers - the mean of that figure over these.
        """
        others = len(self.apart) - 1
        further = self.apart[simulation] * (others + 1) - self.total
        return _mean(self.question.unit, further, self.scale * others * others)


def compared(
    question: Question, answers: tuple[Answer, ...], crowds: Mapping[str, Crowd]
) -> Compared | None:
    """Measure the answers to a scored question, one per simulation; None if not comparable.

    ``crowds`` has at least every simulation of the answers.
    """
    own = population(question.kind, Counter(answer.value for answer in answers))
    exact = {answer.simulation_id: own.distance(answer.value) for answer in answers}
    scale = lcm(*(one.denominator for one in exact.values()))
    apart = {s: one.numerator * (scale // one.denominator) for s, one in exact.items()}
    total = sum(apart.values())
    term = _term(question, total, scale, list(apart), crowds)
    if term is NOTHING:
        return None
    return Compared(question, answers, crowds, apart, scale, total, term)


def coefficient(terms: Iterable[Term]) -> float | None:
    """C = 1 - Σωd / Σωe; None if Σωe is 0, when everybody is alike."""
    sums = [(term.weight * term.own, term.weight * term.chance) for term in terms]
    chance = fsum(e for _, e in sums)
    return 1 - fsum(d for d, _ in sums) / chance if chance else None


def _term(
    question: Question,
    pairs: int,
    scale: int,
    simulations: Sequence[str],
    crowds: Mapping[str, Crowd],
) -> Term:
    known = [e for s in simulations if (e := crowds[s].chance) is not None]
    m = len(simulations)
    if m < 2 or not known:
        return NOTHING
    chance = fsum(known) / len(known)
    own = _mean(question.unit, pairs, scale * m * (m - 1))
    return Term(m - 1, own, chance, largest_unit(question))


def largest_unit(question: Question) -> float:
    """Return u: K / (K - 1) for a choice, 2 for a rating with two positions, else 1."""
    if question.kind is Kind.CHOICE:
        return float(question.unit)
    two = question.kind is Kind.RATING and question.maximum - question.minimum == 1
    return _TWO_POSITIONS if two else 1.0


def _mean(unit: Fraction, total: int, count: int) -> float:
    """Return unit · total / count, rounded once: integers divide faster than fractions."""
    return (unit.numerator * total) / (unit.denominator * count)
