"""Void answers: readable with when and why, and counted by nothing; and what supersedes them."""

import time
from typing import Any

import pytest

from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import simulation_pb2
from persona.v1 import simulation_service_pb2 as simulations_pb
from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import (
    GetResponseRequest,
    RecordResponsesRequest,
    RecordResponsesResponse,
    VoidResponsesRequest,
)
from support.answers import answer, answerer, listed, record
from support.data import Place, at, make_place, micros, persona, uid
from support.errors import refused
from support.library import answer_reliably, individual, reuse
from support.waiting import eventually

REASON = "The model was down."
FIELD = "responses[0].supersedes"


def void(place: Place, *ids: str, reason: str = REASON, request_id: str = "") -> int:
    request = VoidResponsesRequest(response_ids=ids, reason=reason, request_id=request_id)
    return place.caller.responses.VoidResponses(request).voided_count


def get(place: Place, response_id: str) -> Response:
    request = GetResponseRequest(response_id=response_id)
    return place.caller.responses.GetResponse(request).response


def say(place: Place, simulation: str, *answers: Response) -> RecordResponsesResponse:
    request = RecordResponsesRequest(simulation_id=simulation, responses=answers)
    return place.caller.responses.RecordResponses(request)


def counted(place: Place, simulation: str) -> tuple[int, int]:
    request = simulations_pb.GetSimulationRequest(
        project_id=place.project, simulation_id=simulation
    )
    found = place.caller.simulations.GetSimulation(request).simulation
    return found.response_count, found.individual_count


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


def test_an_answer_takes_the_place_of_another(place: Place) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    (old,) = record(place.caller, simulation, answer(one.id))
    new = answer(one.id, id=uid(), supersedes=old.id.upper())
    said = say(place, simulation, new)
    (recorded,) = said.responses
    assert (recorded.supersedes, recorded.void_reason, len(said.warnings)) == (old.id, "", 0)
    assert get(place, old.id).void_reason == f"superseded by {new.id}"
    assert counted(place, simulation) == (1, 1)
    assert list(say(place, simulation, new).responses) == [recorded]
    (third,) = record(place.caller, simulation, answer(one.id, supersedes=new.id))
    assert get(place, new.id).void_reason == f"superseded by {third.id}"


def test_a_copy_may_answer_for_its_individual(place: Place) -> None:
    library = individual(place)
    old = listed(place.caller, library_persona_id=library.id)[0]
    within = make_place(place.caller, place.project)
    copy = reuse(within, library.id)[0]
    new = Response.FromString(old.SerializeToString())
    new.id, new.persona_id, new.supersedes = uid(), copy.id, old.id
    say(place, old.simulation_id, new)
    assert get(place, old.id).void_reason == f"superseded by {new.id}"


def test_what_can_not_be_superseded(place: Place) -> None:
    one, other = place.fill(2)
    simulation = uid()
    old, gone, another = record(
        place.caller, simulation, answer(one.id), answer(one.id), answer(other.id)
    )
    void(place, gone.id)
    wide = RatingAnswer(value=4, min=1, max=7)
    elsewhere = uid()
    for where, given in (
        (simulation, answer(one.id, supersedes=uid())),
        (simulation, answer(one.id, supersedes="x")),
        (simulation, answer(one.id, supersedes=gone.id)),
        (simulation, answer(one.id, supersedes=another.id)),
        (simulation, answer(one.id, supersedes=old.id, question_key="another")),
        (simulation, answer(one.id, supersedes=old.id, rating=wide)),
        (elsewhere, answer(one.id, supersedes=old.id)),
    ):
        with refused("INVALID_FIELD") as refusal:
            say(place, where, given)
        assert list(refusal.problem.fields) == [FIELD]
    with refused("INVALID_FIELD") as refusal:
        say(place, simulation, *[answer(one.id, supersedes=old.id) for _ in range(2)])
    assert list(refusal.problem.fields) == ["responses[1].supersedes"]
    assert get(place, old.id) == old
    assert counted(place, simulation) == (2, 2)


def test_another_tenants_answer_is_none(place: Place, connect: Any) -> None:
    theirs = make_place(connect("void-theirs"))
    (one,) = place.fill(1)
    stranger = theirs.create(persona())
    (recorded,) = record(theirs.caller, uid(), answer(stranger.id))
    with refused("INVALID_FIELD") as refusal:
        say(place, uid(), answer(one.id, supersedes=recorded.id))
    assert list(refusal.problem.fields) == [FIELD]
    assert get(theirs, recorded.id) == recorded


def test_what_is_output_only_is_ignored(place: Place) -> None:
    (one,) = place.fill(1)
    (recorded,) = record(place.caller, uid(), answer(one.id, void_reason="x", voided_at=at(1)))
    assert not recorded.HasField("voided_at")
    assert recorded.void_reason == ""


def void_all(place: Place, simulation: str, request_id: str = "") -> int:
    request = VoidResponsesRequest(simulation_id=simulation, reason=REASON, request_id=request_id)
    return place.caller.responses.VoidResponses(request).voided_count


def asked(place: Place, simulation: str = "") -> list[simulation_pb2.AskedQuestion]:
    request = simulations_pb.ListQuestionsRequest(
        project_id=place.project, simulation_id=simulation
    )
    return list(place.caller.simulations.ListQuestions(request).questions)


def test_a_simulation_is_void_at_once(place: Place) -> None:
    one, other = place.fill(2)
    bad, good = uid(), uid()
    known = answer(one.id, id=uid())
    record(place.caller, bad, known, answer(other.id, question_key="another"))
    record(place.caller, good, answer(one.id))
    assert void_all(place, bad.upper()) == 2
    assert void_all(place, bad) == 0
    assert counted(place, bad) == (0, 0)
    assert asked(place, bad) == []
    shown = listed(place.caller, simulation_id=bad)
    assert [r.void_reason for r in shown] == [REASON] * 2
    assert get(place, shown[0].id) == shown[0]
    assert not listed(place.caller, simulation_id=good)[0].void_reason
    request = simulations_pb.GetSimulationRequest(project_id=place.project, simulation_id=bad)
    simulation = place.caller.simulations.GetSimulation(request).simulation
    assert (simulation.void_reason, simulation.voided_at) == (REASON, shown[0].voided_at)
    assert void(place, shown[0].id) == 0
    assert [r.void_reason for r in say(place, bad, known).responses] == [REASON]


def test_nothing_is_recorded_in_a_void_simulation(place: Place) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    (old,) = record(place.caller, simulation, answer(one.id))
    void_all(place, simulation)
    with refused("INVALID_FIELD") as refusal:
        say(place, simulation, answer(one.id))
    assert list(refusal.problem.fields) == ["simulation_id"]
    with refused("INVALID_FIELD"):
        say(place, uid(), answer(one.id, supersedes=old.id))


def test_counts_of_the_project_and_the_library_follow(place: Place) -> None:
    library = individual(place)
    simulations = {r.simulation_id for r in listed(place.caller, library_persona_id=library.id)}
    for simulation in simulations:
        void_all(place, simulation)
    request = library_pb.GetLibraryPersonaRequest(library_persona_id=library.id)

    def followed() -> bool:
        found = place.caller.library.GetLibraryPersona(request).library_persona
        return found.response_count == 0 and not asked(place)

    eventually(followed)


def test_a_simulation_or_responses(place: Place) -> None:
    with refused("SIMULATION_NOT_FOUND"):
        void_all(place, uid())
    both = VoidResponsesRequest(simulation_id=uid(), response_ids=[uid()], reason="x")
    with refused("INVALID_FIELD") as refusal:
        place.caller.responses.VoidResponses(both)
    assert list(refusal.problem.fields) == ["simulation_id"]
