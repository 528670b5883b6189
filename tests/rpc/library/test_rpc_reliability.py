"""Reliability measured over gRPC: figures, and what is said where there are none."""

from datetime import UTC, datetime

import pytest

from persona.v1 import measures_pb2
from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer
from support.answers import answer, record
from support.data import Place, make_place, micros, rich_persona, uid
from support.errors import refused
from support.library import (
    BOUND,
    DAY,
    OWN,
    QUESTIONS,
    SIMULATIONS,
    START,
    answer_reliably,
    individual,
    peer_answers,
    promote,
    ratings,
    reliability,
)

RULES = {
    "simulations": (SIMULATIONS, 3),
    "questions": (QUESTIONS, 15),
    "attainable": (BOUND, 0.7),
    "lower_bound": (BOUND, 0.7),
    "straight_lining": (0.3, 0.4),
    "acquiescence": (0.2, 0.45),
}


def test_worked_case_2_over_the_wire(place: Place) -> None:
    one = place.create(rich_persona()).id
    answer_reliably(place, one)
    found = reliability(place.caller, **place.ids, persona_id=one)
    assert found.status == measures_pb2.RELIABILITY_STATUS_ELIGIBLE
    assert found.coefficient.value == 1
    assert found.lower_bound.value == pytest.approx(BOUND, abs=5e-7)
    assert found.attainable.value == found.lower_bound.value
    assert (found.simulation_count, found.question_count) == (SIMULATIONS, QUESTIONS)
    assert found.version == 2
    assert found.basis == measures_pb2.RELIABILITY_BASIS_QUESTIONS_AND_SIMULATIONS
    assert found.upper_bound.value == 1
    assert found.mean_chance.value == pytest.approx(0.55)
    assert (found.least_individuals, found.most_individuals) == (6, 6)
    assert [one.coefficient_without.value for one in found.simulations] == [1] * SIMULATIONS
    assert not any(one.outlying for one in found.simulations)
    assert found.unseen_share.value == pytest.approx(1 - 0.05**0.25)
    assert not found.explanation
    assert not found.HasField("shortfall")
    *rules, first_option = found.rules
    assert (first_option.name, first_option.holds) == ("first_option", True)
    assert not first_option.HasField("figure")  # nothing was chosen
    assert {rule.name: rule.holds for rule in rules} == dict.fromkeys(RULES, True)
    for rule in rules:
        figure, limit = RULES[rule.name]
        assert rule.figure.value == pytest.approx(figure, abs=5e-7)
        assert rule.limit == limit
    assert not found.contradictions
    assert not found.mixed_models
    assert not found.HasField("library_persona_id")
    assert not found.promotion_pending
    age = datetime.now(UTC) - found.measured_at.ToDatetime(UTC)
    assert 0 <= age.total_seconds() < 60


def test_worked_case_2b(place: Place) -> None:
    one, tag = place.create(rich_persona()).id, uid()
    peers = [p.id for p in make_place(place.caller, place.project).fill(5)]
    for day in range(SIMULATIONS):
        given = ratings(one, tag, OWN, day)
        if day == SIMULATIONS - 1:
            given[-1].rating.value = 4
        record(place.caller, uid(), *peer_answers(peers, tag, day), *given)
    found = reliability(place.caller, **place.ids, persona_id=one)
    assert found.status == measures_pb2.RELIABILITY_STATUS_ELIGIBLE
    assert found.coefficient.value == pytest.approx(0.943396, abs=5e-7)
    assert found.lower_bound.value == pytest.approx(0.726140, abs=5e-7)
    assert found.upper_bound.value == pytest.approx(0.998242, abs=5e-7)
    assert found.question_variance.value == pytest.approx(0.005401, abs=5e-7)
    assert found.simulation_variance.value == pytest.approx(0.003196, abs=5e-7)
    without = sorted(each.coefficient_without.value for each in found.simulations)
    assert without == pytest.approx([0.924623] * 3 + [1], abs=5e-7)
    assert found.contradiction_rate.value == 3 / 96
    (contradiction,) = found.contradictions
    assert contradiction.question.key == f"{tag}-15"
    assert (contradiction.question.min, contradiction.question.max) == (1, 5)
    assert (contradiction.contradicting_pair_count, contradiction.pair_count) == (3, 6)
    said = contradiction.first_answer, contradiction.second_answer
    assert [one.value.value for one in said] == [2, 4]
    assert [micros(one.occurred_at) for one in said] == [START, START + 3 * DAY]


def test_too_little_data_is_no_score(place: Place) -> None:
    one = place.create(rich_persona()).id
    found = reliability(place.caller, **place.ids, persona_id=one)
    assert found.status == measures_pb2.RELIABILITY_STATUS_INSUFFICIENT_DATA
    for name in ("coefficient", "lower_bound", "upper_bound", "attainable", "contradiction_rate"):
        assert not found.HasField(name)
    assert found.basis == measures_pb2.RELIABILITY_BASIS_UNSPECIFIED
    assert found.coefficient_reason == measures_pb2.UNDEFINED_REASON_NO_REPEATED_QUESTION
    assert found.contradiction_rate_reason == measures_pb2.UNDEFINED_REASON_NO_COMPARABLE_PAIR
    with refused("NOT_ELIGIBLE") as refusal:
        promote(place, one)
    assert refusal.problem.metadata["status"] == "INSUFFICIENT_DATA"
    told = refusal.problem.reliability
    assert told is not None
    assert (told.status, told.HasField("lower_bound")) == (found.status, False)
    assert "No question was answered in two simulations" in refusal.problem.message


def test_a_simulation_for_each_persona_can_not_be_measured(place: Place) -> None:
    """Five in the same ones can."""
    people = [p.id for p in place.fill(5)]
    for day in range(SIMULATIONS):
        for one in people:
            record(place.caller, uid(), *ratings(one, "alone", OWN, day))
        together = [r for i, one in enumerate(people) for r in ratings(one, "q", 1 + i, day)]
        record(place.caller, uid(), *together[: -QUESTIONS * (day == 0) or None])
    alone = place.create(rich_persona()).id
    for day in range(SIMULATIONS):
        record(place.caller, uid(), *ratings(alone, "alone", OWN, day))
    found = reliability(place.caller, **place.ids, persona_id=alone)
    assert found.status == measures_pb2.RELIABILITY_STATUS_INSUFFICIENT_DATA
    assert found.coefficient_reason == measures_pb2.UNDEFINED_REASON_TOO_FEW_INDIVIDUALS
    assert (found.least_individuals, found.most_individuals) == (0, 1)
    assert found.explanation == (
        "One individual answered in each of these simulations; five are needed."
    )
    found = reliability(place.caller, **place.ids, persona_id=people[0])
    assert found.coefficient.value == 1
    assert (found.question_count, found.least_individuals) == (QUESTIONS, 5)


def test_what_falls_short_is_said_in_numbers(place: Place) -> None:
    """Two simulations, and questions that divide people little."""
    one, *others = [p.id for p in place.fill(6)]
    for day in range(3):
        given = [r for who in others for r in ratings(who, "dull", 3, day)]
        for each in given[:QUESTIONS:2]:
            each.rating.value = 4
        record(place.caller, uid(), *given, *ratings(one, "dull", 3, day))
    found = reliability(place.caller, **place.ids, persona_id=one)
    assert found.status == measures_pb2.RELIABILITY_STATUS_INSUFFICIENT_DATA
    assert found.attainable.value < 0.7
    assert found.shortfall.questions_needed.value > QUESTIONS
    assert found.shortfall.mean_chance == pytest.approx(found.mean_chance.value)
    assert f"{found.shortfall.questions_needed.value} such questions" in found.explanation


def test_another_scale_is_another_question_and_models_are_told(place: Place) -> None:
    one = place.create(rich_persona()).id
    peers = [p.id for p in place.fill(5)]
    for model, options in (("a", ["x", "y"]), ("b", ["y", "x"]), ("b", ["x", "y", "z"])):
        said = ChoiceAnswer(value="x", options=options)
        given = [
            answer(p, question_key="q", choice=said, model=model, prompt_version="1")
            for p in (one, *peers)
        ]
        given[1].choice.value = "y"
        record(place.caller, uid(), *given)
    found = reliability(place.caller, **place.ids, persona_id=one)
    assert found.question_count == 1  # two answers to it, and one to another question
    assert found.simulation_count == 2
    assert found.mixed_models
    assert [(m.model, m.prompt_version) for m in found.models] == [("a", "1"), ("b", "1")]


def test_the_path_of_a_deleted_persona_must_be_its_own(place: Place) -> None:
    one = place.create(rich_persona()).id
    elsewhere = make_place(place.caller)
    for ids, reason in (
        ({"project_id": elsewhere.project}, "PERSONA_GROUP_NOT_FOUND"),
        ({"group_id": elsewhere.group}, "PERSONA_GROUP_NOT_FOUND"),
        ({"project_id": uid()}, "PROJECT_NOT_FOUND"),
        ({**elsewhere.ids}, "PERSONA_NOT_FOUND"),
        ({"persona_id": uid()}, "PERSONA_NOT_FOUND"),
    ):
        with refused(reason):
            reliability(place.caller, **{**place.ids, "persona_id": one, **ids})


def test_a_persona_is_measured_by_its_whole_path(place: Place) -> None:
    first = individual(place)
    with refused("INVALID_FIELD") as refusal:
        reliability(place.caller, persona_id=first.origin_persona_id)
    assert set(refusal.problem.fields) == {"project_id", "group_id"}


def test_figures_do_not_depend_on_the_order_of_recording(place: Place) -> None:
    peers = [p.id for p in make_place(place.caller, place.project).fill(5)]
    figures = []
    for order in (range(SIMULATIONS), reversed(range(SIMULATIONS))):
        one = place.create(rich_persona()).id
        tag = uid()
        for day in range(SIMULATIONS):
            record(place.caller, _simulation(one, day), *peer_answers(peers, tag, day))
        for day in order:
            given = ratings(one, tag, OWN, day)
            given[day].rating.value = 1 + day
            given.append(
                answer(
                    one,
                    question_key=f"{tag}-00",
                    rating=RatingAnswer(value=5, min=1, max=5),
                    occurred_at=given[0].occurred_at.__class__(
                        seconds=(START + day * DAY) // 1_000_000 - 60
                    ),
                )
            )
            for response in given if day % 2 else reversed(given):
                record(place.caller, _simulation(one, day), response)
        found = reliability(place.caller, **place.ids, persona_id=one)
        for name in ("contradictions", "measured_at", "simulations"):
            found.ClearField(name)
        figures.append(found)
    assert figures[0] == figures[1]
    assert 0 < figures[0].contradiction_rate.value < 1


def _simulation(persona_id: str, day: int) -> str:
    return f"{persona_id[:-4]}{day:04x}"


def test_contradictions_of_long_questions_are_cut_and_counted(place: Place) -> None:
    one, peers = place.create(rich_persona()).id, [p.id for p in place.fill(5)]
    simulations = (uid(), uid())
    for number in range(25):
        options = [f"{number}-{i}-{'o' * 240}" for i in range(200)]
        for who, simulation, said in (((one, *peers), 0, 0), ((one,), 1, 1)):
            choice = ChoiceAnswer(value=options[said], options=options)
            given = [answer(each, question_key=f"q{number}", choice=choice) for each in who]
            record(place.caller, simulations[simulation], *given)
    found = reliability(place.caller, **place.ids, persona_id=one)
    assert found.contradicting_pair_count == 25
    assert found.contradictions[0].question.key == "q0"
    sizes = [contradiction.ByteSize() for contradiction in found.contradictions]
    assert 20 <= len(sizes) < 25
    assert sum(sizes) <= 1 << 20 < sum(sizes) + sizes[-1]
