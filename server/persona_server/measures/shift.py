"""Whether an individual's attitude has shifted, question by question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt
from typing import NamedTuple, TypeVar

from persona_server.measures.answers import Answer, Kind, Question, Value
from persona_server.measures.points import Noise, Point, mean, unit
from persona_server.measures.policy import Policy
from persona_server.measures.reasons import Reason
from persona_server.measures.student_t import quantile, two_sided_p
from persona_server.measures.trend import (
    MannKendall,
    Slope,
    benjamini_hochberg,
    least_squares_slope,
    mann_kendall,
)

T = TypeVar("T")

_DEFAULTS = Policy()
_UPPER = 0.975  # of a two-sided test at 5%
_SLOPE_POINTS = 3
_TREND_POINTS = 5  # below, p < 0.05 cannot happen


class ReliableChange(NamedTuple):
    """Jacobson & Truax's reliable change index, against other individuals' noise."""

    rci: float
    p: float  # two-sided, t with k degrees of freedom
    adjusted_p: float | None  # over the individual's questions, by adjusted()
    quantile: float  # 97.5%, k degrees of freedom
    noise_variance: float  # v
    differences: int  # k
    reliable_change: bool  # |rci| > quantile


@dataclass(frozen=True, slots=True)
class NumericShift:
    """Change in a rating or sentiment question, in rating points or sentiment.

    ``missing`` has the reason of each field that is None; "interval" is that of the slope.
    """

    question: Question
    n: int
    first: float
    last: float
    mean: float
    change: float | None
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
    """Describe one or more answers to one choice question, as first_answers() returns them."""
    values = [answer.value for answer in answers]
    switches = sum(a != b for a, b in pairwise(values))
    first, last = values[0], values[-1]
    return ChoiceShift(answers[0].question, len(values), first, last, first != last, switches)


def numeric_shift(
    question: Question, series: Sequence[Point], others: Noise, policy: Policy = _DEFAULTS
) -> NumericShift:
    """Measure the shift over one or more points, in order of time.

    ``others`` is the noise of the other individuals of the tenant in this question.
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
        mean=float(mean(values) / scale),
        change=known("change", change if len(series) > 1 else Reason.TOO_FEW_POINTS),
        reliable=known("reliable", reliable_change(question.kind, series, others, policy)),
        slope=slope,
        trend=known("trend", _trend(series, policy)),
        missing=missing,
    )


def adjusted(shifts: Iterable[NumericShift]) -> tuple[NumericShift, ...]:
    """Give the reliable changes of one individual's questions their Benjamini-Hochberg p-values.

    Only these: Mann-Kendall's are too coarse to survive the adjustment below seven points.
    """
    given = tuple(shifts)
    p_values = iter(benjamini_hochberg([s.reliable.p for s in given if s.reliable]))
    return tuple(
        replace(s, reliable=s.reliable._replace(adjusted_p=next(p_values))) if s.reliable else s
        for s in given
    )


def reliable_change(
    kind: Kind, series: Sequence[Point], others: Noise, policy: Policy
) -> ReliableChange | Reason:
    """Measure whether the last of the points differs from the first by more than others' noise.

    Returns why that can't be told, where it can't.
    """
    if len(series) <= 1:
        return Reason.TOO_FEW_POINTS
    k = others.differences
    if k < policy.min_noise_differences or others.individuals < policy.min_noise_individuals:
        return Reason.TOO_FEW_DIFFERENCES
    if others.squares == 0:
        return Reason.NO_NOISE
    v = others.variance(kind)
    rci = float((series[-1].value - series[0].value) / unit(kind)) / sqrt(2 * v)
    limit = quantile(_UPPER, k)
    return ReliableChange(rci, two_sided_p(rci, k), None, limit, v, k, abs(rci) > limit)


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
