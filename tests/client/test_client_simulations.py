"""Simulations and questions through the client, and what it is told about answers."""

import pytest
from client.conftest import Place

from persona_client import (
    AlreadyExists,
    Persona,
    PersonaClient,
    ProjectNotFound,
    RatingAnswer,
    Response,
    Simulation,
    SimulationNotFound,
)
from support.data import uid


def rated(persona: Persona, key: str) -> Response:
    rating = RatingAnswer(value=1, min=0, max=9)
    return Response(persona_id=persona.id, question_key=key, rating=rating)


def test_simulations_are_made_found_and_changed(client: PersonaClient, place: Place) -> None:
    first, second = (
        client.create_simulation(place.project_id, Simulation(name=name)) for name in ("A", "B")
    )
    assert list(client.list_simulations(place.project_id, page_size=1)) == [second, first]
    assert list(client.list_simulations(place.project_id, name="A")) == [first]
    changed = client.update_simulation(
        place.project_id, first.id, Simulation(model="m"), update_mask=["model", "name"]
    )
    assert (changed.name, changed.model) == ("", "m")
    assert client.get_simulation(place.project_id, first.id) == changed
    with pytest.raises(AlreadyExists) as raised:
        client.create_simulation(place.project_id, Simulation(name="B"))
    assert raised.value.metadata["field"] == "simulation.name"
    with pytest.raises(SimulationNotFound):
        client.get_simulation(place.project_id, uid())
    with pytest.raises(ProjectNotFound):
        next(client.list_simulations(uid()))


def test_questions_are_counted(client: PersonaClient, place: Place) -> None:
    persona = client.create_persona(*place, Persona(full_name="Maria"))
    simulation = uid()
    client.record_responses(simulation, [rated(persona, "q1"), rated(persona, "q2")])
    client.record_responses(uid(), [rated(persona, "q1")])
    whole = list(client.list_questions(place.project_id, page_size=1))
    assert [(one.question.key, one.response_count) for one in whole] == [("q1", 2), ("q2", 1)]
    mine = client.list_questions(place.project_id, simulation_id=simulation)
    assert [one.response_count for one in mine] == [1, 1]
    with pytest.raises(SimulationNotFound):
        next(client.list_questions(place.project_id, simulation_id=uid()))


def test_warnings_count_over_all_batches(client: PersonaClient, place: Place) -> None:
    persona = client.create_persona(*place, Persona(full_name="Maria"))
    given = [rated(persona, f"q{i}") for i in range(1001)]
    recorded = client.record_responses(uid(), [*given, rated(persona, "q7")])
    (warning,) = recorded.warnings
    assert (warning.index, warning.earlier_response_id) == (1001, recorded[7].id)
    assert client.record_responses(uid(), given[:2]).warnings == []
