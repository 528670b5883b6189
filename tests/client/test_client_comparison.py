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


def test_p_is_adjusted_over_all_pages(client: PersonaClient, place: Place) -> None:
    people = client.batch_create_personas(
        place.project_id, place.group_id, [Persona(full_name=str(i)) for i in range(30)]
    )
    waves = [str(uuid.uuid4()), str(uuid.uuid4())]
    for wave, simulation in enumerate(waves):
        client.record_responses(
            simulation,
            [
                Response(
                    persona_id=one.id,
                    question_key=f"q{key}",
                    rating=RatingAnswer(value=2 if wave and i < key else 1, min=1, max=2),
                )
                for i, one in enumerate(people)
                for key in (4, 5, 9)
            ],
        )
    ids = {"simulation_id": waves[0], "other_simulation_id": waves[1]}
    whole = client.compare_responses(place.project_id, **ids)  # type: ignore[arg-type]  # text
    paged = client.compare_responses(place.project_id, page_size=1, **ids)  # type: ignore[arg-type]
    assert [one.question.key for one in whole] == ["q4", "q5", "q9"]
    assert whole[0].distance.adjusted_p == whole[0].distance.p  # the largest of three
    assert whole[2].distance.adjusted_p == pytest.approx(3 * whole[2].distance.p)
    for one, other in zip(whole, paged, strict=True):
        assert one.distance.adjusted_p == pytest.approx(other.distance.adjusted_p)
        assert one.mean_difference.adjusted_p == pytest.approx(other.mean_difference.adjusted_p)
