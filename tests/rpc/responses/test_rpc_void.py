"""Void answers: readable with when and why, and counted by nothing."""

import time
from typing import Any

import pytest

from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import simulation_service_pb2 as simulations_pb
from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer
from persona.v1.response_service_pb2 import (
    VoidResponsesRequest,
)
from support.answering.voiding import REASON, counted, get, say, void
from support.answers import answer, answerer, listed, record
from support.data import Place, at, micros, uid
from support.errors import refused
from support.library import answer_reliably, individual


def test_a_void_answer_is_read_with_its_mark(place: Place) -> None:
    (one,) = place.fill(1)
    simulation, before = uid(), time.time_ns() // 1000
    kept, gone = record(place.caller, simulation, answer(one.id), answer(one.id))
    assert void(place, gone.id.upper()) == 1
    (marked,) = [r for r in listed(place.caller, simulation_id=simulation) if r.id == gone.id]
    assert before <= micros(marked.voided_at) <= time.time_ns() // 1000
    assert marked.void_reason == REASON
    assert get(place, gone.id) == marked
    assert answerer(place.caller, gone.id).id == one.id
    for name in ("voided_at", "void_reason"):
        marked.ClearField(name)
    assert marked == gone
    assert get(place, kept.id) == kept
    place.delete(one.id)
    assert get(place, gone.id).persona_deleted


def test_voiding_twice_changes_nothing(place: Place) -> None:
    (one,) = place.fill(1)
    first, second = record(place.caller, uid(), answer(one.id), answer(one.id))
    assert void(place, first.id) == 1
    marked = get(place, first.id)
    assert void(place, second.id, first.id, reason="Another.") == 1
    assert void(place, second.id, first.id, reason="Another.") == 0
    assert get(place, first.id) == marked
    assert get(place, second.id).void_reason == "Another."


def test_all_are_voided_or_none(place: Place) -> None:
    (one,) = place.fill(1)
    (recorded,) = record(place.caller, uid(), answer(one.id))
    nobody = uid()
    with refused("RESPONSE_NOT_FOUND") as refusal:
        void(place, recorded.id, nobody)
    assert refusal.problem.metadata["response_id"] == nobody
    assert get(place, recorded.id) == recorded


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"response_ids": [], "reason": "x"}, ["response_ids"]),
        ({"response_ids": [uid()] * 2, "reason": "x"}, ["response_ids[1]"]),
        ({"response_ids": [uid() for _ in range(1001)], "reason": "x"}, ["response_ids"]),
        ({"response_ids": ["x"], "reason": " "}, ["response_ids[0]", "reason"]),
        ({"response_ids": [uid()], "reason": "x" * 256}, ["reason"]),
        ({"response_ids": [uid()], "reason": "a\nb"}, ["reason"]),
    ],
)
def test_what_a_request_must_be(place: Place, fields: dict[str, Any], names: list[str]) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.caller.responses.VoidResponses(VoidResponsesRequest(**fields))
    assert list(refusal.problem.fields) == names


def test_no_count_has_a_void_answer(place: Place) -> None:
    one, other = place.fill(2)
    simulation = uid()
    choices = [ChoiceAnswer(value="a", options=options) for options in ("ab", "ba")]
    first, second = record(
        place.caller,
        simulation,
        answer(one.id, question_key="q", choice=choices[0], occurred_at=at(1)),
        answer(other.id, question_key="q", choice=choices[1], occurred_at=at(2)),
    )
    request = simulations_pb.ListQuestionsRequest(project_id=place.project)
    assert counted(place, simulation) == (2, 2)
    void(place, first.id)
    assert counted(place, simulation) == (1, 1)
    (question,) = place.caller.simulations.ListQuestions(request).questions
    assert list(question.question.options) == ["b", "a"]
    assert (question.response_count, question.first_answer_at) == (1, second.occurred_at)
    void(place, second.id)
    assert counted(place, simulation) == (0, 0)
    assert not place.caller.simulations.ListQuestions(request).questions


def test_a_void_answer_is_no_earlier_one(place: Place) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    first = answer(one.id, id=uid())
    assert not say(place, simulation, first).warnings
    void(place, first.id)
    second = answer(one.id, id=uid())
    assert not say(place, simulation, second).warnings
    again = say(place, simulation, first)
    assert not again.warnings  # it is recorded, and void
    assert again.responses[0].void_reason == REASON
    (warning,) = say(place, simulation, answer(one.id)).warnings
    assert warning.earlier_response_id == second.id


def test_measures_are_as_if_it_had_never_come(place: Place) -> None:
    (one,) = place.fill(1)
    answer_reliably(place, one.id)
    request = library_pb.GetReliabilityRequest(**place.ids, persona_id=one.id)
    before = place.caller.library.GetReliability(request).reliability
    rating = RatingAnswer(value=1, min=1, max=5)
    keys = [one.question_key for one in listed(place.caller, persona_id=one.id)]
    extra = record(
        place.caller, uid(), *[answer(one.id, question_key=key, rating=rating) for key in keys]
    )
    changed = place.caller.library.GetReliability(request).reliability
    void(place, *[r.id for r in extra])
    after = place.caller.library.GetReliability(request).reliability
    for found in (before, changed, after):
        found.ClearField("measured_at")
    assert changed != before
    assert after == before


def test_what_was_promoted_stays(place: Place) -> None:
    """With what was measured; and fewer answers are counted."""
    library = individual(place)
    said = listed(place.caller, library_persona_id=library.id)
    void(place, *[r.id for r in said])
    request = library_pb.GetLibraryPersonaRequest(library_persona_id=library.id)
    kept = place.caller.library.GetLibraryPersona(request).library_persona
    assert kept.reliability == library.reliability
    assert (library.response_count, kept.response_count) == (len(said), 0)
    today = library_pb.GetLibraryPersonaReliabilityRequest(library_persona_id=library.id)
    found = place.caller.library.GetLibraryPersonaReliability(today).reliability
    assert not found.HasField("coefficient")
    timeline = library_pb.GetLibraryPersonaAttitudeTimelineRequest(library_persona_id=library.id)
    assert not place.caller.library.GetLibraryPersonaAttitudeTimeline(timeline).timelines


def test_what_is_output_only_is_ignored(place: Place) -> None:
    (one,) = place.fill(1)
    (recorded,) = record(place.caller, uid(), answer(one.id, void_reason="x", voided_at=at(1)))
    assert not recorded.HasField("voided_at")
    assert recorded.void_reason == ""
