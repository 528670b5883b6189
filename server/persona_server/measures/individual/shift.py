"""Whether an individual's attitude has shifted, question by question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar

from persona_server.measures.answers import Answer, Question, Value
from persona_server.measures.individual.change import Noise, ReliableChange, reliable_change
from persona_server.measures.individual.points import Point, quotient, unit
from persona_server.measures.individual.policy import Policy
from persona_server.measures.individual.trend import (
    MannKendall,
    Slope,
    least_squares_slope,
    mann_kendall,
)
from persona_server.measures.reasons import Reason

T = TypeVar("T")

_DEFAULTS = Policy()
_SLOPE_POINTS = 3
_TREND_POINTS = 5  # below, p < 0.05 cannot happen


@dataclass(frozen=True, slots=True)
class NumericShift:
    """Change in a rating or sentiment question, in rating points or sentiment.

    ``missing`` has the reason of each field that is None, but of ``others_change``; "interval" is
    that of the slope.
    """

    question: Question
    n: int
    first: float
    last: float
    mean: float
    change: float | None  # last - first
    others_change: float | None  # of their means, from the first simulation to the last
    reliable: ReliableChange | None
    slope: Slope | None
    trend: MannKendall | None
    missing: Mapping[str, Reason]


class ChoiceShift(NamedTuple):
    """Change in a choice question: its n answers in time, one per simulation."""

    question: Question
    n: int
    first: Value
    last: Value
    changed: bool
    switches: int


def choice_shift(answers: Sequence[Answer]) -> ChoiceShift:
    """Describe one or more answers to one choice question in order of time, one per simulation."""
    values = [answer.value for answer in answers]
    switches = sum(a != b for a, b in pairwise(values))
    first, last = values[0], values[-1]
    return ChoiceShift(answers[0].question, len(values), first, last, first != last, switches)


def numeric_shift(
    question: Question,
    series: Sequence[Point],
    others: Noise | Reason,
    others_change: float | None,
    policy: Policy = _DEFAULTS,
) -> NumericShift:
    """Measure the shift over one or more points, in order of time.

    ``others`` is the noise of others, ``others_change`` how their mean moved meanwhile.
    """
    scale = unit(question.kind)
    values = [point.value for point in series]
    missing: dict[str, Reason] = {}

    def known(field: str, figure: T | Reason) -> T | None:
        if isinstance(figure, Reason):
            missing[field] = figure
            return None
        return figure

    slope = known("slope", _slope(series, scale))
    if slope is None or slope.low is None:
        missing["interval"] = missing.get("slope", Reason.NO_RESIDUALS)
    change = float((values[-1] - values[0]) / scale)
    return NumericShift(
        question=question,
        n=len(series),
        first=float(values[0] / scale),
        last=float(values[-1] / scale),
        mean=quotient(sum(values), len(values) * scale),
        change=known("change", change if len(series) > 1 else Reason.TOO_FEW_POINTS),
        others_change=others_change,
        reliable=known("reliable", reliable_change(question.kind, series, others)),
        slope=slope,
        trend=known("trend", _trend(series, policy)),
        missing=missing,
    )


def _slope(series: Sequence[Point], scale: int) -> Slope | Reason:
    if len(series) < _SLOPE_POINTS:
        return Reason.TOO_FEW_POINTS
    return least_squares_slope(series, scale)


def _trend(series: Sequence[Point], policy: Policy) -> MannKendall | Reason:
    if len(series) < _TREND_POINTS:
        return Reason.TOO_FEW_POINTS
    if len(series) > policy.max_trend_points:
        return Reason.TOO_MANY_POINTS
    return mann_kendall([point.value for point in series])
