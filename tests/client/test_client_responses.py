"""Answers by the Python client: split into batches, recorded once, listed over all pages."""

from datetime import UTC, datetime

import pytest
from client.conftest import Place

from persona.v1.response_service_pb2 import RecordResponsesRequest
from persona_client import (
    InvalidField,
    Persona,
    PersonaClient,
    PersonaNotFound,
    ProjectNotFound,
    RatingAnswer,
    Response,
    ResponseNotFound,
    split_responses,
)
from persona_client.transfer.batches import MAX_REQUEST_BYTES
from support.data import uid


@pytest.fixture
def persona(client: PersonaClient, place: Place) -> Persona:
    """A persona that answers."""
    return client.create_persona(*place, Persona(full_name="Maria Santos"))


def answers(persona: Persona, number: int, text: str = "Yes.") -> list[Response]:
    return [Response(persona_id=persona.id, question_key=f"q{i}", text=text) for i in range(number)]


def test_batches_stay_within_count_and_bytes(persona: Persona) -> None:
    small, large = answers(persona, 2500), answers(persona, 500, "x" * 16_000)
    assert [len(batch) for batch in split_responses(small)] == [1000, 1000, 500]
    batches = list(split_responses(large))
    assert [one for batch in batches for one in batch] == large
    assert len(batches) == 3
    for batch in batches:
        request = RecordResponsesRequest(simulation_id=uid(), responses=batch, request_id=uid())
        assert request.ByteSize() <= MAX_REQUEST_BYTES


def test_a_persona_is_named_by_its_external_id(client: PersonaClient, place: Place) -> None:
    made = client.create_persona(*place, Persona(full_name="Ana", external_id="crm-7"))
    assert client.find_persona(*place, "crm-7") == made
    assert client.find_persona(*place, "crm-8") is None
    given = [Response(persona_external_id="crm-7", question_key=f"q{i}", text="x") for i in (1, 2)]
    recorded = client.record_responses(uid(), given, group_id=place.group_id)
    assert [one.persona_id for one in recorded] == [made.id] * 2
    with pytest.raises(InvalidField):
        client.record_responses(uid(), given)


def test_any_number_is_recorded_in_order_and_listed(
    client: PersonaClient, place: Place, persona: Persona
) -> None:
    simulation, key = uid(), uid()
    given = answers(persona, 1234)
    recorded = client.record_responses(simulation, iter(given), request_id=key)
    assert [one.question_key for one in recorded] == [one.question_key for one in given]
    assert client.record_responses(simulation, given, request_id=key) == recorded
    for scope in (
        {"simulation_id": simulation},
        {"project_id": place.project_id},
        {"persona_id": persona.id},
    ):
        assert list(client.list_responses(**scope, page_size=500)) == recorded  # type: ignore[arg-type]


def test_answers_with_ids_are_recorded_once(client: PersonaClient, persona: Persona) -> None:
    simulation = uid()
    given = [
        Response(
            id=uid(), persona_id=persona.id, question_key="nps", rating=RatingAnswer(value=i, max=9)
        )
        for i in range(3)
    ]
    recorded = client.record_responses(simulation, given)
    assert client.record_responses(simulation, given) == recorded
    assert list(client.list_responses(simulation_id=simulation)) == recorded


def test_lists_take_a_question_and_a_time(client: PersonaClient, persona: Persona) -> None:
    given = answers(persona, 4)
    for i, one in enumerate(given):
        one.occurred_at.FromDatetime(datetime(2026, 1, 1 + i, tzinfo=UTC))
    recorded = client.record_responses(uid(), given)
    found = client.list_responses(
        persona_id=persona.id,
        occurred_from=datetime(2026, 1, 2, tzinfo=UTC),
        occurred_before=datetime(2026, 1, 4, tzinfo=UTC),
    )
    assert list(found) == recorded[1:3]
    assert list(client.list_responses(persona_id=persona.id, question_key="q3")) == recorded[3:]


def test_lists_take_every_filter_and_order(
    client: PersonaClient, place: Place, persona: Persona
) -> None:
    first, second = (
        client.record_responses(simulation, answers(persona, 2)) for simulation in (uid(), uid())
    )
    found = client.list_responses(
        group_id=place.group_id,
        project_id=place.project_id,
        question_key="q1",
        order_by="recorded_at desc",
    )
    assert list(found) == [second[1], first[1]]
    seen = first[0].recorded_at.ToDatetime(UTC)
    late = client.list_responses(persona_id=persona.id, recorded_after=seen)
    assert list(late) == second
    assert client.get_response(second[1].id) == second[1]


def test_a_list_names_something_and_times_have_a_zone(client: PersonaClient) -> None:
    with pytest.raises(InvalidField):
        next(client.list_responses())
    with pytest.raises(ValueError, match="time zone"):
        client.list_responses(project_id=uid(), occurred_before=datetime(2026, 1, 1))
    with pytest.raises(InvalidField):
        next(client.list_responses(project_id=""))
    with pytest.raises(ProjectNotFound):
        next(client.list_responses(project_id=uid()))


def test_who_answered_outlives_its_deletion(
    client: PersonaClient, place: Place, persona: Persona
) -> None:
    (one,) = client.record_responses(uid(), answers(persona, 1))
    client.delete_project(place.project_id)
    assert client.get_response_persona(one.id) == persona
    (found,) = client.list_responses(project_id=place.project_id)
    assert found.persona_deleted
    with pytest.raises(ResponseNotFound):
        client.get_response_persona(uid())
    with pytest.raises(ResponseNotFound):
        client.get_response(uid())


def test_unknown_personas_are_named(client: PersonaClient, persona: Persona) -> None:
    batch = [*answers(persona, 2), *answers(Persona(id=uid()), 1)]
    with pytest.raises(PersonaNotFound) as raised:
        client.record_responses(uid(), batch)
    assert raised.value.metadata["indexes"] == "2"
    assert [violation.field for violation in raised.value.violations] == ["responses[2].persona_id"]


def test_answers_are_voided(client: PersonaClient, persona: Persona) -> None:
    recorded = client.record_responses(uid(), answers(persona, 3))
    ids = [one.id for one in recorded]
    assert client.void_responses(ids[:2], "A test.", validate_only=True) == 2
    assert client.void_responses(ids[:2], "A test.") == 2
    assert client.void_responses(ids, "Another.") == 1
    reasons = [client.get_response(one).void_reason for one in ids]
    assert reasons == ["A test.", "A test.", "Another."]
    with pytest.raises(ResponseNotFound):
        client.void_responses([uid()], "A test.")
