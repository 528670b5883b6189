"""The limits of all measures, and the decision whether an individual may be promoted."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Policy:
    """Every limit with its default; each is a setting."""

    min_peers: int = 5  # other individuals that answered a question, for it to be comparable
    min_simulations: int = 3
    min_questions: int = 15
    min_attainable: float = 0.70
    min_lower_bound: float = 0.70
    max_contradiction_rate: float = 0.20
    min_noise_differences: int = 10
    min_noise_individuals: int = 5
    max_trend_points: int = 60  # the exact Mann-Kendall test costs points³


class Status(StrEnum):
    """INSUFFICIENT_DATA says nothing of the individual; it is never a low score."""

    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
    ELIGIBLE = "ELIGIBLE"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"


class Rule(NamedTuple):
    """One rule with its figure; an undefined figure is None."""

    name: str
    figure: float | None
    limit: float
    holds: bool


class Decision(NamedTuple):
    """The status and every rule behind it, those about the amount of data first."""

    status: Status
    rules: tuple[Rule, ...]


class Figures(NamedTuple):
    """What the decision rests on; undefined figures are None."""

    simulations: int
    questions: int
    attainable: float | None
    lower_bound: float | None
    contradiction_rate: float | None


def decide(figures: Figures, policy: Policy) -> Decision:
    """Status of an individual, by every rule.

    Without a lower bound there is too little data. A contradiction rate is undefined where no
    compared pair could contradict; then none does, and its rule holds.
    """
    data = (
        _at_least("simulations", figures.simulations, policy.min_simulations),
        _at_least("questions", figures.questions, policy.min_questions),
        _at_least("attainable", figures.attainable, policy.min_attainable),
    )
    rate, limit = figures.contradiction_rate, policy.max_contradiction_rate
    merit = (
        _at_least("lower_bound", figures.lower_bound, policy.min_lower_bound),
        Rule("contradiction_rate", rate, limit, (rate or 0) <= limit),
    )
    if figures.lower_bound is None or not all(rule.holds for rule in data):
        status = Status.INSUFFICIENT_DATA
    elif all(rule.holds for rule in merit):
        status = Status.ELIGIBLE
    else:
        status = Status.NOT_ELIGIBLE
    return Decision(status, data + merit)


def _at_least(name: str, figure: float | None, limit: float) -> Rule:
    return Rule(name, figure, limit, figure is not None and figure >= limit)
