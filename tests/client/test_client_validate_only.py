"""`validate_only` of the client: a keyword of every change, which is then not made."""

import inspect
import uuid
from collections.abc import Sequence

import pytest
from client.conftest import Place

from persona_client import (
    AlreadyExists,
    InvalidField,
    Persona,
    PersonaClient,
    PersonaError,
    PersonaGroup,
    Project,
    Response,
)

CHANGES = [
    name
    for name, method in inspect.getmembers(PersonaClient, inspect.isfunction)
    if {"request_id", "import_id"} & inspect.signature(method).parameters.keys()
]


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_has_it(name: str) -> None:
    found = inspect.signature(getattr(PersonaClient, name)).parameters["validate_only"]
    assert (found.default, found.kind) == (False, inspect.Parameter.KEYWORD_ONLY)


def test_nothing_is_made(client: PersonaClient, place: Place) -> None:
    assert client.create_project(Project(name="P"), validate_only=True).id == ""
    renamed = client.update_project(place.project_id, Project(name="Q"), validate_only=True)
    assert (renamed.id, renamed.name) == (place.project_id, "Q")
    assert client.get_project(place.project_id).name == "Tests"
    group = PersonaGroup(name="G")
    assert client.create_persona_group(place.project_id, group, validate_only=True).id == ""
    many = [Persona(full_name=f"{i}") for i in range(1500)]
    assert len(client.batch_create_personas(*place, many, validate_only=True)) == 1500
    imported = client.import_personas(*place, [many[:3]], str(uuid.uuid4()), validate_only=True)
    assert (imported.committed_sequence, imported.persona_count) == (1, 3)
    assert imported.added_count == 3
    assert list(client.list_personas(*place)) == []


def test_nothing_is_deleted_or_recorded(client: PersonaClient, place: Place) -> None:
    made = client.create_persona(*place, Persona(full_name="a"))
    answer = Response(persona_id=made.id, question_key="q", text="t")
    (recorded,) = client.record_responses(str(uuid.uuid4()), [answer], validate_only=True)
    assert (recorded.id, recorded.persona_id, recorded.text) == ("", made.id, "t")
    assert list(client.list_responses(persona_id=made.id)) == []
    assert client.delete_all_personas(*place, validate_only=True) == 1
    client.delete_persona(*place, made.id, validate_only=True)
    client.delete_persona_group(*place, validate_only=True)
    client.delete_project(place.project_id, validate_only=True)
    assert client.get_persona(*place, made.id) == made


def test_it_is_refused_as_the_change_would_be(client: PersonaClient, place: Place) -> None:
    made = client.create_persona(*place, Persona(full_name="a"))
    other = Persona(full_name="b", id=made.id)
    with pytest.raises(AlreadyExists):
        client.create_persona(*place, other, validate_only=True)
    with pytest.raises(InvalidField):
        client.create_persona(*place, Persona(), validate_only=True)
    with pytest.raises(AlreadyExists):
        client.import_personas(*place, [[other]], str(uuid.uuid4()), validate_only=True)


def test_an_import_goes_on_after_what_would_be_refused(client: PersonaClient, place: Place) -> None:
    """Each refusal ends a stream, and with it all that the service knows of a dry run."""
    import_id, before = str(uuid.uuid4()), [Persona(full_name=f"{i}") for i in range(2)]
    client.import_personas(*place, [before], import_id)
    (made, _) = client.list_personas(*place)
    taken = Persona(full_name="other", id=made.id)
    told: list[tuple[int, int]] = []

    def drop(batch: Sequence[Persona], error: PersonaError) -> list[Persona]:
        assert isinstance(error, AlreadyExists)
        return [one for one in batch if one is not taken]

    fresh = [Persona(full_name="fresh")] * 3
    answer = client.import_personas(
        *place,
        [before, fresh, [taken], [*fresh, taken], [*fresh[1:], made]],
        import_id,
        validate_only=True,
        on_refused=drop,
        on_acknowledged=lambda one: told.append((one.committed_sequence, one.persona_count)),
    )
    assert (answer.committed_sequence, answer.persona_count) == (4, 11)
    assert answer.added_count == 10  # one of the last batch is there already
    assert (told[0], told == sorted(told)) == ((1, 2), True)
    assert len(list(client.list_personas(*place))) == 2
