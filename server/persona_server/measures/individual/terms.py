"""How an individual's answers to one question agree, and how its population's do by chance."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import fsum, lcm
from typing import NamedTuple, TypeAlias

from persona_server.measures.answers import Answer, Kind, Question, Value
from persona_server.measures.individual.crowds import Crowd
from persona_server.measures.populations import population

Weighted: TypeAlias = tuple[float, float]  # ωd and ωe of a question

_TWO_POSITIONS = 2.0


class Term(NamedTuple):
    """What a question contributes to C = 1 - Σωd / Σωe."""

    weight: int  # ω = m - 1
    own: float  # d: mean disagreement of the individual's answers
    chance: float  # e: mean over its simulations of how all disagree there
    unit: float = 1.0  # u: the largest disagreement of a question with two answers

    @property
    def weighted(self) -> Weighted:
        """ωd and ωe."""
        return self.weight * self.own, self.weight * self.chance


NOTHING = Term(0, 0.0, 0.0)  # what a question contributes that is no longer comparable


class Compared(NamedTuple):
    """A comparable question: its m ≥ 2 answers in order of time, and who else answered.

    ``apart`` has, by simulation, the sum of the distances of its answer to the individual's others,
    in units of which ``scale`` make a distance of 1; ``total`` is the sum over all simulations.
    ``chances`` has e of those simulations where it is known.
    """

    question: Question
    answers: tuple[Answer, ...]
    crowds: Mapping[str, Crowd]
    chances: Mapping[str, float]
    apart: Mapping[str, int]
    scale: int
    total: int
    term: Term

    def without_each(self) -> dict[str, Weighted]:
        """Return ωd and ωe with the answer of one simulation left out, 0 if none remains."""
        known, rest = list(self.chances.values()), len(self.apart) - 1
        places = {simulation: i for i, simulation in enumerate(self.chances)}
        of = _Terms(self.question, self.scale, rest)
        found = {}
        for simulation, apart in self.apart.items():
            i = places.get(simulation, len(known))
            found[simulation] = of.weighted(self.total - 2 * apart, known[:i] + known[i + 1 :])
        return found

    def further_apart(self) -> dict[str, float]:
        """Return how much further each simulation's answer is from the others than these are.

        Its mean δ with the individual's other answers - the mean of that figure over these.
        """
        unit, others = self.question.unit, len(self.apart) - 1
        count = self.scale * others * others
        return {
            simulation: _mean(unit, apart * (others + 1) - self.total, count)
            for simulation, apart in self.apart.items()
        }


def compared(
    question: Question, answers: tuple[Answer, ...], crowds: Mapping[str, Crowd]
) -> Compared | None:
    """Measure the answers to a scored question, one per simulation; None if not comparable.

    ``crowds`` has at least every simulation of the answers.
    """
    weights: dict[Value, int] = {}
    for answer in answers:
        weights[answer.value] = weights.get(answer.value, 0) + 1
    own = population(question.kind, weights)
    exact = {value: own.distance(value) for value in weights}
    scale = lcm(*(one.denominator for one in exact.values()))
    scaled = {v: one.numerator * (scale // one.denominator) for v, one in exact.items()}
    apart = {answer.simulation_id: scaled[answer.value] for answer in answers}
    total = sum(apart.values())
    chances = {s: e for s in apart if (e := crowds[s].chance) is not None}
    term = _Terms(question, scale, len(apart)).term(total, list(chances.values()))
    if term is NOTHING:
        return None
    return Compared(question, answers, crowds, chances, apart, scale, total, term)


def coefficient(weighted: Sequence[Weighted]) -> float | None:
    """C = 1 - Σωd / Σωe; None if Σωe is 0, when everybody is alike."""
    chance = fsum([e for _, e in weighted])
    return 1 - fsum([d for d, _ in weighted]) / chance if chance else None


class _Terms:
    """Terms of one question from answers in so many simulations: what is the same for all."""

    def __init__(self, question: Question, scale: int, simulations: int) -> None:
        unit = question.unit
        self._weight = simulations - 1
        self._unit = unit.numerator
        self._count = unit.denominator * scale * simulations * (simulations - 1)
        self._largest = largest_unit(question)

    def weighted(self, pairs: int, known: Sequence[float]) -> Weighted:
        """Return ωd and ωe of that term: of so many that are left out in turn no more is needed."""
        if not (self._count and known):
            return NOTHING.weighted
        own = self._unit * pairs / self._count
        return self._weight * own, self._weight * (fsum(known) / len(known))

    def term(self, pairs: int, known: Sequence[float]) -> Term:
        """Return the term for a sum over all pairs, and the chances that are known."""
        if not (self._count and known):
            return NOTHING
        own = self._unit * pairs / self._count
        return Term(self._weight, own, fsum(known) / len(known), self._largest)


def largest_unit(question: Question) -> float:
    """Return u: K / (K - 1) for a choice, 2 for a rating with two positions, else 1."""
    if question.kind is Kind.CHOICE:
        return float(question.unit)
    two = question.kind is Kind.RATING and question.maximum - question.minimum == 1
    return _TWO_POSITIONS if two else 1.0


def _mean(unit: Fraction, total: int, count: int) -> float:
    """Return unit · total / count, rounded once: integers divide faster than fractions."""
    return (unit.numerator * total) / (unit.denominator * count)
