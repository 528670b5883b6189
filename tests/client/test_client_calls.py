"""Every RPC has a method, and what it returns is the service's own message."""

import re
import uuid

import pytest
from client.conftest import Place

from persona.v1 import persona_service_pb2, project_service_pb2
from persona_client import (
    AlreadyExists,
    InvalidField,
    Persona,
    PersonaClient,
    PersonaGroup,
    PersonaNotFound,
    Project,
    ProjectNotFound,
    RequestIdReused,
    Unauthenticated,
)
from support.data import persona
from support.service import Service


def _rpcs() -> list[str]:
    return [
        method.name
        for module in (persona_service_pb2, project_service_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


@pytest.mark.parametrize("rpc", _rpcs())
def test_every_rpc_has_a_method(rpc: str) -> None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rpc).lower()
    assert callable(getattr(PersonaClient, name))


def test_projects(client: PersonaClient) -> None:
    made = client.create_project(Project(name="First", description="text"))
    assert client.get_project(made.id) == made
    renamed = client.update_project(made.id, Project(name="Second"))
    assert (renamed.name, renamed.description) == ("Second", "text")
    cleared = client.update_project(made.id, Project(), update_mask=["description"])
    assert (cleared.name, cleared.description) == ("Second", "")
    client.delete_project(made.id)
    with pytest.raises(ProjectNotFound):
        client.get_project(made.id)


def test_personas_by_many_ids_and_by_name(client: PersonaClient, place: Place) -> None:
    made = client.batch_create_personas(*place, [Persona(full_name=f"{i % 3}") for i in range(9)])
    ids = [one.id for one in reversed(made)]
    assert client.batch_get_personas(*place, iter(ids)) == made[::-1]
    with pytest.raises(PersonaNotFound) as raised:
        client.batch_get_personas(*place, [*ids, str(uuid.uuid4())])
    assert raised.value.metadata["indexes"] == "9"
    assert client.count_personas(*place) == 9
    assert client.count_personas(*place, full_name="2") == 3
    assert list(client.list_personas(place.project_id, "-", page_size=2)) == made


def test_projects_and_groups_by_name(client: PersonaClient, place: Place) -> None:
    name = f"Straße {uuid.uuid4()}"
    project = client.create_project(Project(name=name))
    assert list(client.list_projects(name=name.upper(), page_size=1)) == [project]
    group = client.create_persona_group(project.id, PersonaGroup(name="A"))
    client.create_persona_group(project.id, PersonaGroup(name="B"))
    assert list(client.list_persona_groups(project.id, name="a")) == [group]


def test_groups(client: PersonaClient, place: Place) -> None:
    made = client.create_persona_group(place.project_id, PersonaGroup(name="First", age_min=18))
    ids = (place.project_id, made.id)
    assert client.get_persona_group(*ids) == made
    changed = client.update_persona_group(*ids, PersonaGroup(name="Second"), update_mask=["name"])
    assert (changed.name, changed.age_min) == ("Second", 18)
    assert [group.id for group in client.list_persona_groups(place.project_id)] == [
        made.id,
        place.group_id,
    ]
    client.delete_persona_group(*ids)
    assert [g.id for g in client.list_persona_groups(place.project_id)] == [place.group_id]


def test_personas(client: PersonaClient, place: Place) -> None:
    made = client.create_persona(*place, persona(age=34))
    assert (made.group_id, made.full_name, made.age.value) == (place.group_id, "Maria Santos", 34)
    assert client.get_persona(*place, made.id) == made
    client.delete_persona(*place, made.id)
    with pytest.raises(PersonaNotFound):
        client.get_persona(*place, made.id)
    assert client.delete_all_personas(*place) == 0


def test_a_list_walks_all_pages(client: PersonaClient, place: Place) -> None:
    made = client.batch_create_personas(*place, (Persona(full_name=f"{i}") for i in range(25)))
    assert list(client.list_personas(*place, page_size=4)) == made
    projects = list(client.list_projects(page_size=1))
    assert projects == list(client.list_projects())
    assert place.project_id in {project.id for project in projects}


def test_filters_reach_the_service(client: PersonaClient, place: Place) -> None:
    client.batch_create_personas(
        *place,
        [
            persona(full_name="a", gender="Female", location="Lisbon, Portugal", age=20),
            persona(full_name="b", occupation="Nurse", income_level="Low", age=40),
        ],
    )

    def names(**filters: object) -> list[str]:
        return [p.full_name for p in client.list_personas(*place, **filters)]  # type: ignore[arg-type]

    assert names(gender="female") == names(location="lisbon") == names(age_max=30) == ["a"]
    assert names(occupation="nur") == names(income_level="low") == names(age_min=30) == ["b"]


def test_a_batch_of_any_size_is_added_once(client: PersonaClient, place: Place) -> None:
    personas = [Persona(full_name=f"{i}") for i in range(2100)]
    request_id = str(uuid.uuid4())
    first = client.batch_create_personas(*place, personas, request_id=request_id)
    again = client.batch_create_personas(*place, personas, request_id=request_id)
    assert [p.full_name for p in first] == [p.full_name for p in personas]
    assert [p.id for p in again] == [p.id for p in first]
    assert client.get_persona_group(*place).persona_count == 2100


def test_a_request_id_of_another_request_is_refused(client: PersonaClient, place: Place) -> None:
    request_id = str(uuid.uuid4())
    client.create_persona(*place, Persona(full_name="a"), request_id=request_id)
    with pytest.raises(RequestIdReused):
        client.create_persona(*place, Persona(full_name="b"), request_id=request_id)


def test_a_bad_field_is_named(client: PersonaClient, place: Place) -> None:
    with pytest.raises(InvalidField) as raised:
        client.batch_create_personas(*place, [Persona(full_name="a"), Persona(full_name="")])
    assert [violation.field for violation in raised.value.violations] == ["personas[1].full_name"]


def test_a_taken_id_says_by_what(client: PersonaClient, place: Place) -> None:
    made = client.create_persona(*place, Persona(full_name="a"))
    with pytest.raises(AlreadyExists) as raised:
        client.create_persona(*place, Persona(id=made.id, full_name="b"))
    assert raised.value.metadata["state"] == "visible"


def test_without_a_token_nothing_is_read(service: Service) -> None:
    with PersonaClient(service.grpc) as client, pytest.raises(Unauthenticated):
        list(client.list_projects())


def test_a_call_may_have_any_time_but_no_number_is_refused(
    client: PersonaClient, place: Place
) -> None:
    assert client.get_project(place[0], timeout=float("inf")).id == place[0]
    assert client.get_project(place[0], timeout=1e10).id == place[0]
    with pytest.raises(ValueError, match="got nan"):
        client.get_project(place[0], timeout=float("nan"))
