"""SimulationService: simulations by name, made by a client or their first answers, and counted."""

from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from persona.v1 import project_service_pb2 as projects_pb
from persona.v1 import simulation_service_pb2 as pb
from persona.v1.simulation_pb2 import Simulation
from support.answers import answer, record
from support.data import Place, at, make_place, make_project, micros, uid
from support.errors import refused
from support.library import individual, reuse

NOT_FOUND = grpc.StatusCode.NOT_FOUND
TAKEN = grpc.StatusCode.ALREADY_EXISTS


def create(place: Place, **fields: Any) -> Simulation:
    request = pb.CreateSimulationRequest(project_id=place.project, simulation=Simulation(**fields))
    return place.caller.simulations.CreateSimulation(request).simulation


def get(place: Place, simulation_id: str) -> Simulation:
    request = pb.GetSimulationRequest(project_id=place.project, simulation_id=simulation_id)
    return place.caller.simulations.GetSimulation(request).simulation


def update(place: Place, simulation_id: str, *paths: str, **fields: Any) -> Simulation:
    request = pb.UpdateSimulationRequest(
        project_id=place.project,
        simulation_id=simulation_id,
        simulation=Simulation(**fields),
        update_mask=FieldMask(paths=paths),
    )
    return place.caller.simulations.UpdateSimulation(request).simulation


def listed(place: Place, **arguments: Any) -> list[Simulation]:
    found: list[Simulation] = []
    token = None
    while token != "":
        request = pb.ListSimulationsRequest(
            project_id=place.project, page_token=token or "", **arguments
        )
        page = place.caller.simulations.ListSimulations(request)
        found += page.simulations
        token = page.next_page_token
    return found


def test_a_simulation_is_created_once_and_read(place: Place) -> None:
    about = {"name": "Wave 1", "description": "Before.", "model": "m", "prompt_version": "7"}
    made = create(place, **about, response_count=9, project_id=uid())
    assert made.id[14] == "7"  # a UUIDv7
    assert (made.project_id, made.response_count, made.individual_count) == (place.project, 0, 0)
    assert {name: getattr(made, name) for name in about} == about
    assert not made.HasField("first_answer_at")
    assert made.created_at == made.updated_at
    assert get(place, made.id.upper()) == made
    mine = uid()
    second = create(place, id=mine, name="Wave 2")
    assert create(place, id=mine.upper(), name="Wave 2") == second
    assert listed(place) == listed(place, page_size=1) == [second, made]
    assert listed(place, name="Wave 1") == [made]
    assert listed(place, name="wave 1") == listed(place, name="Wave 3") == []


def test_ids_and_names_are_taken_once(place: Place) -> None:
    first = create(place, name="Wave 1")
    for fields, field in (
        ({"id": first.id, "name": "Other"}, "simulation.id"),
        ({"name": "Wave 1"}, "simulation.name"),
    ):
        with refused("ALREADY_EXISTS", TAKEN) as refusal:
            create(place, **fields)
        assert refusal.problem.metadata["field"] == field
        assert refusal.problem.metadata["id"] == first.id
    elsewhere = make_place(place.caller)
    with refused("ALREADY_EXISTS", TAKEN):
        create(elsewhere, id=first.id, name="Wave 1")
    assert create(elsewhere, name="Wave 1").name == "Wave 1"
    nameless = [create(place), create(place)]
    with refused("ALREADY_EXISTS", TAKEN) as refusal:
        update(place, nameless[0].id, name="Wave 1")
    assert refusal.problem.metadata["field"] == "simulation.name"
    assert get(place, nameless[0].id) == nameless[0]


def test_an_update_changes_what_its_mask_names(place: Place) -> None:
    made = create(place, name="A", description="B", model="C")
    changed = update(place, made.id, "description", "prompt_version", prompt_version="D", name="X")
    assert (changed.name, changed.description, changed.model) == ("A", "", "C")
    assert changed.prompt_version == "D"
    assert micros(changed.updated_at) > micros(made.updated_at)
    assert changed.created_at == made.created_at
    assert update(place, made.id, "prompt_version", prompt_version="D") == changed
    assert update(place, made.id, "response_count", response_count=9) == changed
    assert update(place, made.id, "name").name == ""
    assert update(place, made.id, name="Back").description == ""


def test_the_first_answers_make_a_simulation(place: Place) -> None:
    one, two = place.fill(2)
    simulation = uid()
    given = [answer(p.id, occurred_at=at(t)) for p, t in ((one, 30), (two, 10), (one, 20))]
    first = record(place.caller, simulation, *given)
    found = get(place, simulation)
    assert (found.name, found.response_count, found.individual_count) == ("", 3, 2)
    assert (micros(found.first_answer_at), micros(found.last_answer_at)) == (10, 30)
    assert found.created_at == found.updated_at
    record(place.caller, simulation, *first)  # again, which records nothing
    assert get(place, simulation) == found
    record(place.caller, simulation, answer(two.id, question_key="other", occurred_at=at(5)))
    counted = get(place, simulation)
    assert (counted.response_count, counted.individual_count) == (4, 2)
    assert (micros(counted.first_answer_at), micros(counted.last_answer_at)) == (5, 30)
    assert counted.updated_at == found.updated_at
    assert update(place, simulation, name="Named since").response_count == 4


def test_a_simulation_that_was_made_takes_answers_of_its_project_alone(place: Place) -> None:
    made = create(place, name="Wave 1")
    (one,) = place.fill(1)
    (other,) = make_place(place.caller).fill(1)
    with refused("INVALID_FIELD"):
        record(place.caller, made.id, answer(other.id))
    record(place.caller, made.id, answer(one.id))
    found = get(place, made.id)
    assert (found.name, found.response_count) == ("Wave 1", 1)


def test_a_persona_and_its_copy_are_one_individual(place: Place) -> None:
    shared = individual(place)
    copy = reuse(make_place(place.caller, place.project), shared.id)[0].id
    simulation = uid()
    record(place.caller, simulation, answer(shared.origin_persona_id), answer(copy))
    found = get(place, simulation)
    assert (found.response_count, found.individual_count) == (2, 1)


def test_simulations_outlive_their_project(place: Place) -> None:
    made = create(place, name="Wave 1")
    (one,) = place.fill(1)
    record(place.caller, made.id, answer(one.id))
    before = get(place, made.id)
    place.caller.projects.DeleteProject(projects_pb.DeleteProjectRequest(project_id=place.project))
    assert get(place, made.id) == before
    assert listed(place) == listed(place, name="Wave 1") == [before]
    with refused("PROJECT_NOT_FOUND", NOT_FOUND):
        create(place, name="Wave 2")
    with refused("PROJECT_NOT_FOUND", NOT_FOUND):
        update(place, made.id, name="Wave 2")


def test_what_is_not_there_is_named(place: Place) -> None:
    elsewhere = create(make_place(place.caller), name="Elsewhere")
    for simulation_id in (uid(), elsewhere.id):
        for call in (get, update):
            with refused("SIMULATION_NOT_FOUND", NOT_FOUND):
                call(place, simulation_id)
    nowhere = Place(place.caller, uid(), place.group)
    for ask in (listed, lambda p: get(p, elsewhere.id), create):
        with refused("PROJECT_NOT_FOUND", NOT_FOUND):
            ask(nowhere)
    assert listed(Place(place.caller, make_project(place.caller).id, "")) == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": " "}, "simulation.name"),
        ({"name": "x" * 256}, "simulation.name"),
        ({"name": "a\nb"}, "simulation.name"),
        ({"description": "x" * 4097}, "simulation.description"),
        ({"model": "x" * 256}, "simulation.model"),
        ({"prompt_version": "\0"}, "simulation.prompt_version"),
        ({"id": "x"}, "simulation.id"),
    ],
)
def test_bad_simulations(place: Place, fields: dict[str, Any], named: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        create(place, **fields)
    assert set(refusal.problem.fields) == {named}


def test_bad_requests(place: Place) -> None:
    with refused("INVALID_FIELD") as refusal:
        place.caller.simulations.CreateSimulation(
            pb.CreateSimulationRequest(project_id=place.project)
        )
    assert set(refusal.problem.fields) == {"simulation"}
    with refused("INVALID_FIELD") as refusal:
        update(place, uid(), "nothing_of_it")
    assert set(refusal.problem.fields) == {"update_mask"}
    with refused("INVALID_FIELD") as refusal:
        listed(place, name="x" * 256)
    assert set(refusal.problem.fields) == {"name"}
