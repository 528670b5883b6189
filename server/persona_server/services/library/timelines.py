"""Attitude timelines: an individual's answers over time, question by question, with the shift."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from persona.v1 import measures_pb2
from persona_server.measures.answers import Answer, Kind, Question, set_items
from persona_server.measures.points import Noise, Point, points, unit
from persona_server.measures.policy import Policy
from persona_server.measures.shift import (
    ChoiceShift,
    NumericShift,
    ReliableChange,
    adjusted,
    choice_shift,
    numeric_shift,
)
from persona_server.services.library.individuals import numeric_series
from persona_server.services.library.reliability_messages import question_message, reason_value
from persona_server.storage.store import Repositories


def timelines(
    repositories: Repositories, origin: bytes, policy: Policy
) -> dict[Question, measures_pb2.QuestionTimeline]:
    """Return an individual's timelines, in the order in which the questions were first asked.

    `repositories` must be one snapshot.
    """
    series = repositories.derived.series_of(origin)
    shifts = _shifts(series, repositories.derived.noise(origin), policy)
    return {
        question: _timeline(question, answers, shifts.get(question))
        for question, answers in series.items()
    }


def _shifts(
    series: Mapping[Question, Sequence[Answer]], everyone: Mapping[Question, Noise], policy: Policy
) -> dict[Question, NumericShift]:
    """Return the shift of each rating and sentiment, their p-values adjusted over all of them."""
    measured = [
        numeric_shift(question, own, others, policy)
        for question, own, others in numeric_series(series, everyone)
    ]
    return {shift.question: shift for shift in adjusted(measured)}


def _timeline(
    question: Question, answers: Sequence[Answer], shift: NumericShift | None
) -> measures_pb2.QuestionTimeline:
    timeline = measures_pb2.QuestionTimeline(question=question_message(question))
    if shift is not None:
        timeline.points.extend(_numeric_points(question, answers))
        timeline.numeric_shift.CopyFrom(_numeric(shift))
        return timeline
    first = _first_answers(answers)
    timeline.points.extend(_point(question, answer) for answer in first)
    if question.kind is Kind.CHOICE:
        timeline.choice_shift.CopyFrom(_choice(choice_shift(first)))
    return timeline


def _first_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Return the first answer in each simulation, of all in order of time.

    Those of a single option too, which reliability leaves out, since they can't differ.
    """
    chosen: dict[str, Answer] = {}
    for answer in answers:
        chosen.setdefault(answer.simulation_id, answer)
    return list(chosen.values())


def _numeric_points(
    question: Question, answers: Iterable[Answer]
) -> Iterable[measures_pb2.TimelinePoint]:
    answers = list(answers)
    began: dict[str, int] = {}
    for answer in answers:
        simulation, at = answer.simulation_id, answer.occurred_at
        began[simulation] = min(began.get(simulation, at), at)
    simulations: defaultdict[int, list[str]] = defaultdict(list)
    for simulation, at in sorted(began.items()):
        simulations[at].append(simulation)
    scale = unit(question.kind)
    return [_numeric_point(p, scale, simulations[p.occurred_at]) for p in points(answers)]


def _numeric_point(
    point: Point, scale: int, simulation_ids: list[str]
) -> measures_pb2.TimelinePoint:
    message = measures_pb2.TimelinePoint(simulation_ids=simulation_ids)
    message.occurred_at.FromMicroseconds(point.occurred_at)
    message.value.value = float(point.value / scale)
    return message


def _point(question: Question, answer: Answer) -> measures_pb2.TimelinePoint:
    message = measures_pb2.TimelinePoint(simulation_ids=[answer.simulation_id])
    message.occurred_at.FromMicroseconds(answer.occurred_at)
    if question.kind is Kind.CHOICE:
        message.choice.value = str(answer.value)
    else:
        message.items.extend(sorted(set_items(answer.value)))
    return message


def _numeric(shift: NumericShift) -> measures_pb2.NumericShift:
    message = measures_pb2.NumericShift(first=shift.first, last=shift.last, mean=shift.mean)
    for name, reason in shift.missing.items():
        field = "reliable_change" if name == "reliable" else name
        setattr(message, f"{field}_reason", reason_value(reason))
    if shift.change is not None:
        message.change.value = shift.change
    if shift.reliable is not None:
        message.reliable_change.CopyFrom(_change(shift.reliable))
    if shift.slope is not None:
        message.slope.per_30_days = shift.slope.per_30_days
        if shift.slope.low is not None and shift.slope.high is not None:
            message.slope.low.value, message.slope.high.value = shift.slope.low, shift.slope.high
    if shift.trend is not None:
        message.trend.CopyFrom(
            measures_pb2.TrendTest(
                statistic=shift.trend.statistic,
                untied_pair_count=shift.trend.untied_pairs,
                p=shift.trend.p,
            )
        )
    return message


def _change(change: ReliableChange) -> measures_pb2.ReliableChange:
    assert change.adjusted_p is not None  # adjusted() gives every one its own
    return measures_pb2.ReliableChange(
        rci=change.rci,
        p=change.p,
        adjusted_p=change.adjusted_p,
        threshold=change.quantile,
        noise_variance=change.noise_variance,
        noise_difference_count=change.differences,
        reliable=change.reliable_change,
    )


def _choice(shift: ChoiceShift) -> measures_pb2.ChoiceShift:
    return measures_pb2.ChoiceShift(
        first=str(shift.first),
        last=str(shift.last),
        changed=shift.changed,
        switch_count=shift.switches,
    )
