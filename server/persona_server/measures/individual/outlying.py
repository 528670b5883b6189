"""Simulations whose answers stand apart from the individual's others: shown, and no rule."""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import NamedTuple

from persona_server.measures.individual.terms import Compared
from persona_server.measures.student_t import quantile

LEAST_QUESTIONS = 10
_LEAST_ANSWERS = 3
_LEVEL = 0.01  # over all simulations
_NONE = 1e-12


class Outlying(NamedTuple):
    """A simulation: how far its answers stand apart, and whether that is more than chance."""

    simulation_id: str
    questions: int
    z: float | None  # None where all stand apart alike
    threshold: float
    outlying: bool


def outlying(questions: Sequence[Compared], simulations: Sequence[str]) -> list[Outlying]:
    """Return each simulation with at least 10 comparable questions of 3 answers or more."""
    found = []
    further = [one.further_apart() for one in questions if len(one.answers) >= _LEAST_ANSWERS]
    for simulation in simulations:
        apart = [each[simulation] for each in further if simulation in each]
        if len(apart) >= LEAST_QUESTIONS:
            found.append(_judged(simulation, apart, len(simulations)))
    return found


def _judged(simulation: str, apart: Sequence[float], simulations: int) -> Outlying:
    n = len(apart)
    mean = fsum(apart) / n
    deviation = sqrt(fsum([(x - mean) ** 2 for x in apart]) / (n - 1))
    threshold = quantile(1 - _LEVEL / simulations, n - 1)
    if deviation < _NONE:
        return Outlying(simulation, n, None, threshold, mean > 0)
    z = mean / (deviation / sqrt(n))
    return Outlying(simulation, n, z, threshold, z > threshold)
