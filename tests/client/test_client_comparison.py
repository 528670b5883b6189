"""What groups answered, through the client."""

import uuid

import pytest
from client.conftest import Place

from persona_client import (
    InvalidField,
    Persona,
    PersonaClient,
    PersonaGroupNotFound,
    RatingAnswer,
    Response,
)


def test_a_summary_is_walked_page_by_page(client: PersonaClient, place: Place) -> None:
    simulation = str(uuid.uuid4())
    one = client.create_persona(place.project_id, place.group_id, Persona(full_name="Maria"))
    keys = ["a", "b", "c"]
    rating = RatingAnswer(value=2, min=1, max=3)
    client.record_responses(
        simulation, [Response(persona_id=one.id, question_key=key, rating=rating) for key in keys]
    )
    for simulation_id, group_id in ((simulation, ""), ("", place.group_id), ("", "")):
        every = client.summarize_responses(
            place.project_id, simulation_id=simulation_id, group_id=group_id, page_size=1
        )
        found = list(every)
        assert [one.question.key for one in found] == keys
        assert [share.count for share in found[0].shares] == [0, 1, 0]
    with pytest.raises(PersonaGroupNotFound):
        next(client.summarize_responses(place.project_id, group_id=str(uuid.uuid4())))
    with pytest.raises(InvalidField):
        next(client.summarize_responses(simulation_id=simulation))
