"""Attitude timelines: an individual's answers over time, question by question, with the shift."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from persona.v1 import measures_pb2
from persona_server.measures.answers import Answer, Kind, Question
from persona_server.measures.individual.change import ReliableChange
from persona_server.measures.individual.crowds import Crowd
from persona_server.measures.individual.points import Point, unit
from persona_server.measures.individual.policy import Policy
from persona_server.measures.individual.shift import (
    ChoiceShift,
    NumericShift,
    choice_shift,
    numeric_shift,
)
from persona_server.measures.individual.trend import Slope, benjamini_hochberg
from persona_server.patience import while_awaited
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.library.individuals import (
    Individual,
    Numeric,
    numeric_series,
    series_of,
)
from persona_server.services.library.reliability_messages import question_message, reason_value
from persona_server.services.paging import fitting, page_limit
from persona_server.services.times import set_time
from persona_server.storage.derived.participation import ALL_QUESTIONS
from persona_server.storage.derived.series import Series
from persona_server.storage.store import Repositories

_ID_BYTES = 8  # of a question, in a page token
_MOST_DIFFERENCES = 2**31 - 1  # what the contract's int32 holds


class TimelinesRequest(Protocol):
    """What a request for timelines asks for, whoever's they are."""

    question_key: str
    page_size: int


class Timelines:
    """An individual's timelines, in the order in which the questions were first asked.

    `repositories` must be one snapshot. Texts are read when a question's message is made. Raises
    INVALID_FIELD for one with too many answers.
    """

    def __init__(self, repositories: Repositories, whose: Individual, policy: Policy) -> None:
        self._derived = repositories.derived
        self._series = series_of(repositories, whose)
        measured = list(numeric_series(repositories, self._series, policy))
        self._points = {question: own for question, own, _ in measured}
        self._shifts = _shifts(repositories, self._series, measured, policy)
        self._adjusted = _adjusted(self._shifts)
        self.ids = {question: self._series.ids[question] for question in self._series}
        self._declared = repositories.derived.declared(self.ids)

    def message(self, question: Question) -> measures_pb2.QuestionTimeline:
        """Return the timeline of one question."""
        answers = self._series[question]
        asked = question_message(question, self._declared[question])
        timeline = measures_pb2.QuestionTimeline(question=asked)
        if (shift := self._shifts.get(question)) is not None:
            _add_numeric_points(timeline, question.kind, self._points[question], answers)
            timeline.numeric_shift.CopyFrom(_numeric(shift, self._adjusted.get(question)))
            return timeline
        first = _first_answers(answers)
        if question.kind is Kind.CHOICE:
            for answer in first:
                _add_point(timeline, answer).choice.value = str(answer.value)
            timeline.choice_shift.CopyFrom(_choice(choice_shift(first)))
            return timeline
        items = self._derived.items({str(answer.value) for answer in first})
        for answer in first:
            _add_point(timeline, answer).items.extend(items[str(answer.value)])
        return timeline


def timeline_page(
    repositories: Repositories,
    individual: Individual,
    request: TimelinesRequest,
    token: bytes,
    policy: Policy,
) -> tuple[list[bytes], bytes | None]:
    """Return a page of an individual's timelines, and the position of its last if others follow.

    `repositories` must be one snapshot. `token` is the position that the page begins after: the
    question's id, so that a page goes on from where a question was that has vanished.
    """
    found = Timelines(repositories, individual, policy)
    after = int.from_bytes(token) if token else ALL_QUESTIONS
    behind = [q for q, key in found.ids.items() if key > after]
    asked = [q for q in behind if request.question_key in ("", q.key)]
    messages = map(found.message, while_awaited(asked))
    items = (frame(ELEMENT, message.SerializeToString()) for message in messages)
    page, more = fitting(items, page_limit(request.page_size))
    return page, found.ids[asked[len(page) - 1]].to_bytes(_ID_BYTES) if more else None


def _shifts(
    repositories: Repositories,
    series: Series,
    measured: Sequence[Numeric],
    policy: Policy,
) -> dict[Question, NumericShift]:
    """Return the shift of each rating and sentiment, of which points and noise are measured."""
    ends = {q: {own[0].simulation_id, own[-1].simulation_id} for q, own, _ in measured}
    crowds = repositories.derived.crowds(
        series.ids, {q: ids for q, ids in ends.items() if q.scored and len(ids) > 1}
    )
    return {
        question: numeric_shift(
            question,
            own,
            noise,
            _others_change(question, own, series[question], crowds.get(question, {})),
            policy,
        )
        for question, own, noise in measured
    }


def _adjusted(shifts: Mapping[Question, NumericShift]) -> dict[Question, float]:
    """Return p of each reliable change, adjusted over all of them."""
    judged = {q: shift.reliable.p for q, shift in shifts.items() if shift.reliable is not None}
    return dict(zip(judged, benjamini_hochberg(list(judged.values())), strict=True))


def _others_change(
    question: Question,
    points: Sequence[Point],
    answers: Sequence[Answer],
    crowds: Mapping[str, Crowd],
) -> float | None:
    """Return how the others' mean moved from the first to the last point's simulation."""
    ends = [points[0].simulation_id, points[-1].simulation_id]
    own = {answer.simulation_id: int(answer.value) for answer in reversed(answers)}
    means = [crowds[s].mean_of_others(own[s]) for s in ends if s in crowds]
    known = [mean for mean in means if mean is not None]
    return (known[1] - known[0]) / unit(question.kind) if len(known) == len(ends) else None


def _first_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Return the first answer in each simulation, of all in order of time.

    Those of a single option too, which reliability leaves out, since they can't differ.
    """
    chosen: dict[str, Answer] = {}
    for answer in answers:
        chosen.setdefault(answer.simulation_id, answer)
    return list(chosen.values())


def _add_numeric_points(
    timeline: measures_pb2.QuestionTimeline,
    kind: Kind,
    own: Sequence[Point],
    answers: Sequence[Answer],
) -> None:
    scale = unit(kind)
    for point, simulations in zip(own, _simulations_of(own, answers), strict=True):
        added = _add(timeline, point.occurred_at, simulations)
        added.value.value = float(point.value / scale)


def _simulations_of(own: Sequence[Point], answers: Sequence[Answer]) -> Iterator[Sequence[str]]:
    """Yield the simulations that each point is merged of; answers are in order of time."""
    if len(own) == len(answers):  # as mostly: each is a point of its own
        yield from ((point.simulation_id,) for point in own)
        return
    began: dict[str, int] = {}
    for answer in answers:
        began.setdefault(answer.simulation_id, answer.occurred_at)
    simulations: defaultdict[int, list[str]] = defaultdict(list)
    for simulation, at in sorted(began.items()):
        simulations[at].append(simulation)
    for point in own:
        yield simulations[point.occurred_at]


def _add_point(
    timeline: measures_pb2.QuestionTimeline, answer: Answer
) -> measures_pb2.TimelinePoint:
    return _add(timeline, answer.occurred_at, (answer.simulation_id,))


def _add(
    timeline: measures_pb2.QuestionTimeline, at: int, simulation_ids: Iterable[str]
) -> measures_pb2.TimelinePoint:
    """Add a point; made in place, field by field, it takes half of the time."""
    point = timeline.points.add()
    point.simulation_ids.extend(simulation_ids)
    set_time(point.occurred_at, at)
    return point


def _numeric(shift: NumericShift, adjusted_p: float | None) -> measures_pb2.NumericShift:
    message = measures_pb2.NumericShift(first=shift.first, last=shift.last, mean=shift.mean)
    for name, reason in shift.missing.items():
        field = "reliable_change" if name == "reliable" else name
        setattr(message, f"{field}_reason", reason_value(reason))
    if shift.change is not None:
        message.change.value = shift.change
    if shift.others_change is not None:
        message.others_change.value = shift.others_change
    if shift.reliable is not None:
        assert adjusted_p is not None  # every one is adjusted
        message.reliable_change.CopyFrom(_change(shift.reliable, adjusted_p))
    if shift.slope is not None:
        message.slope.CopyFrom(_slope(shift.slope))
    if shift.trend is not None:
        message.trend.CopyFrom(
            measures_pb2.TrendTest(
                statistic=shift.trend.statistic,
                untied_pair_count=shift.trend.untied_pairs,
                p=shift.trend.p,
            )
        )
    return message


def _slope(slope: Slope) -> measures_pb2.Slope:
    unit = "THIRTY_DAYS" if slope.over_time else "SIMULATION"
    message = measures_pb2.Slope(
        value=slope.value, per=measures_pb2.SlopeUnit.Value(f"SLOPE_UNIT_{unit}")
    )
    if slope.low is not None and slope.high is not None:
        message.low.value, message.high.value = slope.low, slope.high
    return message


def _change(change: ReliableChange, adjusted_p: float) -> measures_pb2.ReliableChange:
    return measures_pb2.ReliableChange(
        rci=change.rci,
        p=change.p,
        adjusted_p=adjusted_p,
        reliable=change.reliable(adjusted_p),
        change=change.change,
        standard_error=change.standard_error,
        degrees_of_freedom=min(change.freedom, _MOST_DIFFERENCES),
        noise=measures_pb2.ChangeNoise(
            difference_count=min(change.noise.differences, _MOST_DIFFERENCES),
            variance=change.noise.variance,
            mean_inverse=change.noise.mean_inverse,
        ),
    )


def _choice(shift: ChoiceShift) -> measures_pb2.ChoiceShift:
    return measures_pb2.ChoiceShift(
        first=str(shift.first),
        last=str(shift.last),
        changed=shift.changed,
        switch_count=shift.switches,
    )
