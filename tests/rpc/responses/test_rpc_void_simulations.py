"""A whole simulation that is void, with all that was answered in it."""

from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import simulation_pb2
from persona.v1 import simulation_service_pb2 as simulations_pb
from persona.v1.response_service_pb2 import (
    VoidResponsesRequest,
)
from support.answering.voiding import REASON, counted, get, say, void
from support.answers import answer, listed, record
from support.data import Place, uid
from support.errors import refused
from support.library import individual
from support.waiting import eventually


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
