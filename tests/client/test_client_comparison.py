"""What groups answered, through the client."""

import uuid

import pytest
from client.conftest import Place

from persona.v1.measures_pb2 import QUESTION_KIND_RATING
from persona_client import (
    GivenAnswer,
    InvalidField,
    Persona,
    PersonaClient,
    PersonaGroupNotFound,
    PersonaNotFound,
    Question,
    RatingAnswer,
    ReferenceAnswer,
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


def test_fidelity_is_measured_of_a_persona_and_page_by_page_of_a_group(
    client: PersonaClient, place: Place
) -> None:
    ids = (place.project_id, place.group_id)
    people = client.batch_create_personas(*ids, [Persona(full_name=str(i)) for i in range(30)])
    rating = RatingAnswer(value=2, min=1, max=2)
    keys = [f"said {i}" for i in range(40)]
    client.record_responses(
        str(uuid.uuid4()),
        [
            Response(persona_id=one.id, question_key=key, rating=rating)
            for one in people
            for key in keys
        ],
    )
    given = [
        ReferenceAnswer(
            persona_id=one.id,
            question=Question(key=key, kind=QUESTION_KIND_RATING, min=1, max=2),
            answer=GivenAnswer(rating=1 if i % 10 < k % 3 else 2),
        )
        for i, one in enumerate(people)
        for k, key in enumerate(keys)
    ]
    assert client.record_reference_answers(*ids, given, validate_only=True) == 1200
    assert client.record_reference_answers(*ids, iter(given)) == 1200  # in two batches
    assert client.record_reference_answers(*ids, given) == 0
    found = client.measure_fidelity(*ids, people[0].id)
    assert (found.reference_count, found.accuracy.equal_count) == (40, 14)
    whole = client.measure_group_fidelity(*ids)
    paged = client.measure_group_fidelity(*ids, page_size=7)
    assert [one.question.key for one in whole] == keys
    assert [one.accuracy.equal_count for one in whole[:3]] == [30, 27, 24]
    for one, other in zip(whole, paged, strict=True):
        adjusted = one.comparison.distance.adjusted_p
        assert adjusted == pytest.approx(other.comparison.distance.adjusted_p)
    with pytest.raises(PersonaNotFound):
        client.measure_fidelity(*ids, str(uuid.uuid4()))
