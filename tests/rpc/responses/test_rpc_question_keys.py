"""What is asked of a selection for the questions of one key alone, whatever their scales."""

from typing import Any

import pytest

from persona.v1.comparison_pb2 import TargetDistribution
from persona.v1.measures_pb2 import QUESTION_KIND_RATING, Question
from persona.v1.response_pb2 import RatingAnswer
from support.answering.references import group_fidelity, rated, refer
from support.answering.summaries import comparisons, summaries
from support.answers import answer, listed, record
from support.data import Place, uid
from support.errors import refused

KEYS = ("first", "second", "third")


@pytest.fixture
def asked(place: Place) -> str:
    """Let five individuals answer three questions, one of them on two scales, in a simulation."""
    simulation = uid()
    given = [
        answer(one.id, rating=RatingAnswer(value=1, min=1, max=top), question_key=key)
        for one in place.fill(5)
        for key, top in (*((key, 5) for key in KEYS), ("second", 7))
    ]
    record(place.caller, simulation, *given)
    return simulation


def scales(found: Any) -> list[tuple[str, int]]:
    return [(one.question.key, one.question.max) for one in found]


@pytest.mark.parametrize("of_simulation", [True, False])
def test_a_summary_of_one_key_has_each_scale_of_it(
    place: Place, asked: str, of_simulation: bool
) -> None:
    ids = {"simulation_id": asked} if of_simulation else {"group_id": place.group}
    every = summaries(place, **ids)
    assert len(every) == 4
    found = summaries(place, **ids, question_key="second")
    assert sorted(scales(found)) == [("second", 5), ("second", 7)]
    assert found == [one for one in every if one.question.key == "second"]
    assert summaries(place, **ids, question_key="Second") == []


def test_a_comparison_of_one_key_is_adjusted_over_it_alone(place: Place, asked: str) -> None:
    other = uid()
    people = [one.persona_id for one in listed(place.caller, simulation_id=asked)]
    given = [
        answer(one, rating=RatingAnswer(value=5, min=1, max=5), question_key=key)
        for one in dict.fromkeys(people)
        for key in KEYS
    ]
    record(place.caller, other, *given)
    ids = {"simulation_id": asked, "other_simulation_id": other}
    assert scales(comparisons(place, **ids)) == [(key, 5) for key in KEYS]
    (found,) = comparisons(place, **ids, question_key="third")
    assert scales([found]) == [("third", 5)]
    assert found.distance.adjusted_p == found.distance.p


def test_of_targets_those_of_another_key_are_passed_over(place: Place, asked: str) -> None:
    targets = [
        TargetDistribution(
            question=Question(key=key, kind=QUESTION_KIND_RATING, min=1, max=5), shares=[0.2] * 5
        )
        for key in KEYS
    ]
    found = comparisons(place, simulation_id=asked, targets=targets, question_key="first")
    assert scales(found) == [("first", 5)]


def test_the_fidelity_of_a_group_by_one_key(place: Place, asked: str) -> None:
    people = {one.persona_id for one in listed(place.caller, simulation_id=asked)}
    refer(place, *(rated(one, 1, key=key) for one in sorted(people) for key in KEYS))
    assert scales(group_fidelity(place)) == [(key, 5) for key in KEYS]
    (found,) = group_fidelity(place, question_key="second")
    assert (scales([found]), found.accuracy.equal_count) == ([("second", 5)], 5)


@pytest.mark.parametrize("call", [summaries, comparisons, group_fidelity])
def test_too_long_a_key_is_named(place: Place, call: Any) -> None:
    with refused("INVALID_FIELD") as refusal:
        call(place, question_key="k" * 256)
    assert "question_key" in refusal.problem.fields
