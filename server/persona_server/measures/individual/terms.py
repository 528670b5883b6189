"""How an individual's answers to one question agree, and how its population's do by chance."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
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


_NOTHING = (0.0, 0.0)  # ωd and ωe of a question that is no longer comparable


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
        weight, unit, count = _factors(self.question, self.scale, len(self.apart) - 1)
        if not count:
            return dict.fromkeys(self.apart, _NOTHING)
        mean, rest = _means(tuple(self.chances.values()))
        means = dict.fromkeys(self.apart, mean) | dict(zip(self.chances, rest, strict=True))
        return {
            simulation: _NOTHING
            if (chance := means[simulation]) is None
            else (weight * (unit * (self.total - 2 * apart) / count), weight * chance)
            for simulation, apart in self.apart.items()
        }

    def further_apart(self) -> dict[str, float]:
        """Return how much further each simulation's answer is from the others than these are.

        Its mean δ with the individual's other answers - the mean of that figure over these.
        """
        unit, others = self.question.unit, len(self.apart) - 1
        numerator, count = unit.numerator, unit.denominator * self.scale * others * others
        # Rounded once each: integers divide faster than fractions.
        return {
            simulation: numerator * (apart * (others + 1) - self.total) / count
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
    weight, unit, count = _factors(question, scale, len(apart))
    mean, _ = _means(tuple(chances.values()))
    if not count or mean is None:
        return None
    term = Term(weight, unit * total / count, mean, largest_unit(question))
    return Compared(question, answers, crowds, chances, apart, scale, total, term)


def coefficient(weighted: Sequence[Weighted]) -> float | None:
    """C = 1 - Σωd / Σωe; None if Σωe is 0, when everybody is alike."""
    chance = fsum([e for _, e in weighted])
    return 1 - fsum([d for d, _ in weighted]) / chance if chance else None


def _factors(question: Question, scale: int, simulations: int) -> tuple[int, int, int]:
    """Return ω of answers in so many simulations, and d by the sum over all pairs: times, by."""
    unit = question.unit
    pairs = simulations * (simulations - 1)
    return simulations - 1, unit.numerator, unit.denominator * scale * pairs


@lru_cache(maxsize=512)  # of the same simulations they are the same for all who answered there
def _means(chances: tuple[float, ...]) -> tuple[float | None, tuple[float | None, ...]]:
    """Return the mean of chances, and that of the others for each of them; None of no chances."""
    others = len(chances) - 1
    if others < 1:
        return _mean(chances), (None,) * len(chances)
    # Exact, so that what is rounded once is what the others' own sum would be.
    ratios = [chance.as_integer_ratio() for chance in chances]
    scale = max(by for _, by in ratios)  # each is a power of two
    exact = [number * (scale // by) for number, by in ratios]
    total = sum(exact)
    return _mean(chances), tuple([(total - one) / scale / others for one in exact])


def largest_unit(question: Question) -> float:
    """Return u: K / (K - 1) for a choice, 2 for a rating with two positions, else 1."""
    if question.kind is Kind.CHOICE:
        return float(question.unit)
    two = question.kind is Kind.RATING and question.maximum - question.minimum == 1
    return _TWO_POSITIONS if two else 1.0


def _mean(figures: Sequence[float]) -> float | None:
    return fsum(figures) / len(figures) if figures else None
