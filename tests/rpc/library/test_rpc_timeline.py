"""Attitude timelines over gRPC: worked case 5, choices, sets, pages."""

import pytest

from persona.v1 import measures_pb2
from persona.v1.library_service_pb2 import GetAttitudeTimelineRequest
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer
from support.answering.voiding import void
from support.answers import answer, record
from support.data import Place, at, make_place, micros, rich_persona, uid
from support.errors import refused
from support.library import (
    DAY,
    QUESTIONS,
    SIMULATIONS,
    START,
    answer_reliably,
    individual,
    persona_timeline,
    promote,
    reliability,
    reuse,
    timeline,
)

CASE_5 = ([0, 2], [30, 2], [60, 3], [90, 4], [150, 4])
PEERS = ([3, 3, 4], [2, 2, 2], [5, 4, 4], [1, 1, 2], [3, 4, 3])


def case_5(place: Place) -> str:
    """Record worked case 5 for a new individual, and return its library persona."""
    one = individual(place).origin_persona_id
    peers = [p.id for p in place.fill(5)]
    for i, (day, value) in enumerate(CASE_5):
        given = [(one, value), *((p, v[i]) for p, v in zip(peers, PEERS, strict=True) if i < 3)]
        answers = [
            answer(
                who,
                question_key="case 5",
                rating=RatingAnswer(value=said, min=1, max=5),
                occurred_at=at(START + day * DAY),
            )
            for who, said in given
        ]
        record(place.caller, uid(), *answers)
    return promote(place, one).id


def test_worked_case_5(place: Place) -> None:
    library_id = case_5(place)
    (found,) = timeline(place.caller, library_id, question_key="case 5")
    assert found.question == measures_pb2.Question(
        key="case 5", kind=measures_pb2.QUESTION_KIND_RATING, min=1, max=5
    )
    assert [(micros(p.occurred_at), p.value.value) for p in found.points] == [
        (START + day * DAY, value) for day, value in CASE_5
    ]
    assert all(len(p.simulation_ids) == 1 for p in found.points)
    shift = found.numeric_shift
    assert (shift.first, shift.last, shift.mean, shift.change.value) == (2, 4, 3, 2)
    assert not shift.HasField("others_change")  # nobody else answered in the last simulation
    change = shift.reliable_change
    assert change.rci == pytest.approx(2.828427, abs=5e-7)
    assert change.p == pytest.approx(0.017900, abs=5e-7)
    assert change.change == 2
    assert change.standard_error == pytest.approx(0.5**0.5)
    assert change.degrees_of_freedom == 10
    assert change.noise == measures_pb2.ChangeNoise(
        difference_count=10, variance=0.25, mean_inverse=1
    )
    assert change.reliable
    assert change.adjusted_p == change.p  # no other question has noise to measure against
    assert shift.slope.value == pytest.approx(0.472973, abs=5e-7)
    assert shift.slope.low.value == pytest.approx(0.076477, abs=5e-7)
    assert shift.slope.high.value == pytest.approx(0.869469, abs=5e-7)
    assert shift.slope.per == measures_pb2.SLOPE_UNIT_THIRTY_DAYS
    assert (shift.trend.statistic, shift.trend.untied_pair_count) == (8, 8)
    assert shift.trend.p == pytest.approx(0.066667, abs=5e-7)
    assert not found.HasField("choice_shift")
    measured = reliability(place.caller, library_persona_id=library_id)
    assert measured.reliable_change_count == 1


def test_what_is_missing_has_its_reason(place: Place) -> None:
    one = individual(place)
    found = timeline(place.caller, one.id)
    assert len(found) == QUESTIONS
    shift = found[0].numeric_shift
    assert len(found[0].points) == SIMULATIONS
    assert shift.change.value == shift.others_change.value == 0
    assert shift.change_reason == measures_pb2.UNDEFINED_REASON_UNSPECIFIED
    assert not shift.HasField("reliable_change")
    assert shift.reliable_change_reason == measures_pb2.UNDEFINED_REASON_TOO_FEW_DIFFERENCES
    assert shift.slope.value == 0
    assert shift.slope.per == measures_pb2.SLOPE_UNIT_SIMULATION
    assert not shift.slope.HasField("low")
    assert shift.interval_reason == measures_pb2.UNDEFINED_REASON_NO_RESIDUALS
    assert not shift.HasField("trend")
    assert shift.trend_reason == measures_pb2.UNDEFINED_REASON_TOO_FEW_POINTS


def test_the_others_are_said_to_have_moved(place: Place) -> None:
    """Two of them by one point, from the first simulation to the last."""
    one, *others = [p.id for p in place.fill(3)]
    for day in range(3):
        given = [
            answer(
                who,
                question_key="mood",
                rating=RatingAnswer(value=2 + (day == 2) * (who in others), min=1, max=5),
                occurred_at=at(START + day * DAY),
            )
            for who in (one, *others)
        ]
        record(place.caller, uid(), *given)
    answer_reliably(place, one)
    (found,) = timeline(place.caller, promote(place, one).id, question_key="mood")
    assert found.numeric_shift.change.value == 0
    assert found.numeric_shift.others_change.value == 1


def test_every_kind_has_its_points(place: Place) -> None:
    one = individual(place).origin_persona_id
    letters = ["c", "a", "b"]
    for day, said in enumerate(["b", "b", "a"]):
        when = at(START + day * DAY)
        record(
            place.caller,
            uid(),
            answer(
                one,
                question_key="k1",
                occurred_at=when,
                choice=ChoiceAnswer(value=said, options=letters),
            ),
            answer(
                one,
                question_key="k2",
                occurred_at=when,
                choices=ChoicesAnswer(values=["c", said], options=letters),
            ),
            answer(one, question_key="k3", occurred_at=when, text="…", themes=[" Price", said]),
            answer(one, question_key="k4", occurred_at=when, sentiment=-0.25 * day),
            answer(one, question_key="k5", occurred_at=when, text="no themes, no answer"),
        )
    found = {t.question.key: t for t in timeline(place.caller, promote(place, one).id)}
    assert found["k1"].question.options == letters
    assert [p.choice.value for p in found["k1"].points] == ["b", "b", "a"]
    assert found["k1"].choice_shift == measures_pb2.ChoiceShift(
        first="b", last="a", changed=True, switch_count=1
    )
    assert [list(p.items) for p in found["k2"].points] == [["b", "c"], ["b", "c"], ["a", "c"]]
    assert [list(p.items) for p in found["k3"].points][2] == ["a", "price"]
    assert [p.value.value for p in found["k4"].points] == [0, -0.25, -0.5]
    assert found["k4"].question.kind == measures_pb2.QUESTION_KIND_SENTIMENT
    assert "k5" not in found


def test_a_single_option_has_its_points_too(place: Place) -> None:
    """Reliability can't score such a question, but it was answered."""
    one = individual(place)
    simulation, only = uid(), ChoiceAnswer(value="yes", options=["yes"])
    for simulation_id, seconds in ((simulation, 0), (simulation, 1), (uid(), 2)):
        given = answer(
            one.origin_persona_id,
            question_key="single",
            choice=only,
            occurred_at=at(START + seconds * 1_000_000),
        )
        record(place.caller, simulation_id, given)
    (found,) = timeline(place.caller, one.id, question_key="single")
    assert [p.choice.value for p in found.points] == ["yes", "yes"]
    assert micros(found.points[0].occurred_at) == START
    assert found.points[0].simulation_ids == [simulation]
    assert found.choice_shift == measures_pb2.ChoiceShift(first="yes", last="yes")


def test_points_of_one_simulation_are_its_mean_and_equal_times_merge(place: Place) -> None:
    one = individual(place).origin_persona_id
    first, second, third = uid(), uid(), uid()
    for simulation, seconds, value in (
        (first, 0, 1),
        (first, 9, 2),
        (second, 5, 4),
        (third, 5, 5),
    ):
        given = answer(
            one,
            question_key="mean",
            rating=RatingAnswer(value=value, min=1, max=5),
            occurred_at=at(START + seconds * 1_000_000),
        )
        record(place.caller, simulation, given)
    library_id = promote(place, one).id
    (found,) = timeline(place.caller, library_id, question_key="mean")
    assert [p.value.value for p in found.points] == [1.5, 4.5]
    assert list(found.points[0].simulation_ids) == [first]
    assert sorted(found.points[1].simulation_ids) == sorted([second, third])


def test_pages_are_in_the_order_of_first_asking(place: Place) -> None:
    one = place.create(rich_persona()).id
    tag = answer_reliably(place, one)
    library_id = promote(place, one).id
    whole = timeline(place.caller, library_id)
    assert [t.question.key for t in whole] == [f"{tag}-{i:02d}" for i in range(QUESTIONS)]
    for size in (1, 5, QUESTIONS, QUESTIONS + 1):
        assert timeline(place.caller, library_id, page_size=size) == whole
    assert timeline(place.caller, library_id, question_key="no such") == []
    with refused("LIBRARY_PERSONA_NOT_FOUND"):
        timeline(place.caller, uid())


def test_a_page_goes_on_where_its_last_question_was(place: Place) -> None:
    """Voided between two calls, it is asked no more: the first page does not come again."""
    one = place.create(rich_persona()).id
    answers = [answer(one, question_key=f"q{i}") for i in range(4)]
    said = record(place.caller, uid(), *answers)
    request = GetAttitudeTimelineRequest(**(place.ids | {"persona_id": one}), page_size=2)
    first = place.caller.library.GetAttitudeTimeline(request)
    assert [t.question.key for t in first.timelines] == ["q0", "q1"]
    void(place, said[1].id)
    request.page_token = first.next_page_token
    rest = place.caller.library.GetAttitudeTimeline(request)
    assert [t.question.key for t in rest.timelines] == ["q2", "q3"]
    assert rest.next_page_token == ""


def test_any_persona_is_followed_in_the_library_or_not(place: Place) -> None:
    one = place.create(rich_persona()).id
    tag = answer_reliably(place, one)
    before = persona_timeline(place, one)
    assert [t.question.key for t in before] == [f"{tag}-{i:02d}" for i in range(QUESTIONS)]
    assert before[0].numeric_shift.change.value == 0
    assert persona_timeline(place, one, question_key=f"{tag}-03", page_size=1) == before[3:4]
    library_id = promote(place, one).id
    other = make_place(place.caller)
    (copy,) = reuse(other, library_id)
    followed = (persona_timeline(place, one), persona_timeline(other, copy.id))
    assert followed == (before, before)
    assert timeline(place.caller, library_id) == before


def test_a_deleted_persona_is_followed_by_its_own_path(place: Place) -> None:
    one = place.create(rich_persona()).id
    answer_reliably(place, one)
    before = persona_timeline(place, one)
    place.delete(one)
    assert persona_timeline(place, one) == before
    assert persona_timeline(place, place.fill(1)[0].id) == []
    for where, who in ((place, uid()), (make_place(place.caller, place.project), one)):
        with refused("PERSONA_NOT_FOUND"):
            persona_timeline(where, who)
