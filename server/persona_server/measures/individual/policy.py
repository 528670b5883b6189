"""The limits of all measures, and the decision whether an individual may be promoted."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from persona_server.measures.individual.styles import Styles

_BARE = 2  # simulations, which say nothing of the variance between them


@dataclass(frozen=True, slots=True)
class Policy:
    """Every limit with its default; each is a setting."""

    min_simulations: int = 3
    min_questions: int = 15
    min_attainable: float = 0.70
    min_lower_bound: float = 0.70
    max_straight_lining: float = 0.40
    max_acquiescence: float = 0.45  # in either direction
    max_first_option: float = 0.35
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
    over_simulations: bool  # whether the interval has the variance between simulations in it
    styles: Styles


def decide(figures: Figures, policy: Policy) -> Decision:
    """Status of an individual, by every rule.

    An interval without the variance between simulations is too little, unless two simulations are
    said to be enough. A style that can't be told holds.
    """
    data = (
        _at_least("simulations", figures.simulations, policy.min_simulations),
        _at_least("questions", figures.questions, policy.min_questions),
        _at_least("attainable", figures.attainable, policy.min_attainable),
    )
    styles = figures.styles
    merit = (
        _at_least("lower_bound", figures.lower_bound, policy.min_lower_bound),
        _at_most("straight_lining", styles.straight_lining, policy.max_straight_lining),
        _within("acquiescence", styles.acquiescence, policy.max_acquiescence),
        _at_most("first_option", styles.first_option, policy.max_first_option),
    )
    whole = figures.over_simulations or policy.min_simulations <= _BARE
    if figures.lower_bound is None or not whole or not all(rule.holds for rule in data):
        status = Status.INSUFFICIENT_DATA
    elif all(rule.holds for rule in merit):
        status = Status.ELIGIBLE
    else:
        status = Status.NOT_ELIGIBLE
    return Decision(status, data + merit)


def _at_least(name: str, figure: float | None, limit: float) -> Rule:
    return Rule(name, figure, limit, figure is not None and figure >= limit)


def _at_most(name: str, figure: float | None, limit: float) -> Rule:
    return Rule(name, figure, limit, figure is None or figure <= limit)


def _within(name: str, figure: float | None, limit: float) -> Rule:
    return Rule(name, figure, limit, figure is None or abs(figure) <= limit)
