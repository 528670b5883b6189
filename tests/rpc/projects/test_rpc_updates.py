"""UpdateProject and UpdatePersonaGroup: masks, clearing, and updates that change nothing."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as pb
from support.data import Place, make_group, make_project, micros, uid
from support.errors import refused
from support.service import Caller

GROUP: dict[str, Any] = {
    "name": "Nurses",
    "description": "Text",
    "age_min": 20,
    "age_max": 60,
    "gender": "Female",
    "location": "Lima",
    "occupation": "Nurse",
    "income_level": "Low",
    "psychographic_notes": "Notes",
}


def update_project(
    caller: Caller, project: str, mask: list[str] | None = None, **fields: Any
) -> project_pb2.Project:
    request = pb.UpdateProjectRequest(project_id=project, project=project_pb2.Project(**fields))
    if mask is not None:
        request.update_mask.CopyFrom(FieldMask(paths=mask))
    return caller.projects.UpdateProject(request).project


def update_group(
    place: Place, mask: list[str] | None = None, **fields: Any
) -> project_pb2.PersonaGroup:
    group = project_pb2.PersonaGroup(**fields)
    request = pb.UpdatePersonaGroupRequest(
        project_id=place.project, group_id=place.group, persona_group=group
    )
    if mask is not None:
        request.update_mask.CopyFrom(FieldMask(paths=mask))
    return place.caller.projects.UpdatePersonaGroup(request).persona_group


@pytest.fixture
def project(caller: Caller) -> project_pb2.Project:
    return make_project(caller, name="Name", description="Text")


@pytest.fixture
def nurses(caller: Caller, project: project_pb2.Project) -> Place:
    return Place(caller, project.id, make_group(caller, project.id, **GROUP).id)


def stored(place: Place) -> dict[str, Any]:
    group = place.described()
    return {name: getattr(group, name) for name in GROUP}


def test_an_absent_mask_means_the_populated_fields(
    caller: Caller, project: project_pb2.Project
) -> None:
    assert update_project(caller, project.id, name="New").description == "Text"
    found = update_project(caller, project.id, description="Other")
    assert (found.name, found.description) == ("New", "Other")


def test_clearing_a_field_needs_the_mask(caller: Caller, project: project_pb2.Project) -> None:
    found = update_project(caller, project.id, ["description"])
    assert (found.name, found.description) == ("Name", "")


def test_a_mask_takes_its_fields_alone(caller: Caller, project: project_pb2.Project) -> None:
    found = update_project(caller, project.id, ["description"], name="No", description="Yes")
    assert (found.name, found.description) == ("Name", "Yes")


@pytest.mark.parametrize("field", GROUP)
def test_every_field_of_a_group_alone(nurses: Place, field: str) -> None:
    new: Any = {"age_min": 21, "age_max": 61}.get(field, "Any")
    update_group(nurses, **{field: new})
    assert stored(nurses) == GROUP | {field: new}
    cleared = 0 if field.startswith("age") else ""
    if field == "name":
        with refused("INVALID_FIELD"):
            update_group(nurses, [field])
    else:
        update_group(nurses, [field])
        assert stored(nurses) == GROUP | {field: cleared}


@pytest.mark.parametrize(
    "path",
    ["nothing", "", "*", "Name", "name.x", "persona_group.name", "age_min,age_max"],
)
def test_a_mask_names_what_there_is(nurses: Place, path: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        update_group(nurses, ["name", path], name="New")
    assert set(refusal.problem.fields) == {"update_mask"}
    with refused("INVALID_FIELD") as refusal:
        update_project(nurses.caller, nurses.project, ["name", path], name="New")
    assert set(refusal.problem.fields) == {"update_mask"}
    assert stored(nurses) == GROUP


@pytest.mark.parametrize("path", ["id", "project_id", "persona_count", "created_at", "updated_at"])
def test_output_only_fields_in_a_mask_are_ignored(nurses: Place, path: str) -> None:
    before = nurses.described()
    alone = update_group(nurses, [path], id=uid(), name="New", persona_count=9)
    assert alone == before
    found = update_group(nurses, ["name", path], id=uid(), name="New", persona_count=9)
    assert stored(nurses) == GROUP | {"name": "New"}
    assert (found.id, found.persona_count, found.created_at) == (before.id, 0, before.created_at)
    with refused("INVALID_FIELD"):  # those of another resource are not known
        update_project(nurses.caller, nurses.project, ["persona_count"], name="New")


def test_the_mask_of_everything_replaces(nurses: Place, project: project_pb2.Project) -> None:
    update_group(nurses, ["*"], name="Other", age_max=30)
    cleared = dict.fromkeys(GROUP, "") | {"age_min": 0}
    assert stored(nurses) == cleared | {"name": "Other", "age_max": 30}
    with refused("INVALID_FIELD") as refusal:
        update_group(nurses, ["*"], age_max=40)
    assert set(refusal.problem.fields) == {"persona_group.name"}
    assert update_project(nurses.caller, project.id, ["*"], name="Other").description == ""
    with refused("INVALID_FIELD"):
        update_project(nurses.caller, project.id, ["*", "*"], name="Other")


def test_output_only_fields_are_ignored(nurses: Place) -> None:
    """So that what Get gave can be sent back with one field changed."""
    group = nurses.described()
    group.description = "New"
    group.persona_count = 99
    request = pb.UpdatePersonaGroupRequest(
        project_id=nurses.project, group_id=nurses.group, persona_group=group
    )
    found = nurses.caller.projects.UpdatePersonaGroup(request).persona_group
    assert (found.description, found.persona_count, found.id) == ("New", 0, nurses.group)
    assert found.created_at == group.created_at


def test_an_update_moves_updated_at_alone(caller: Caller, project: project_pb2.Project) -> None:
    found = update_project(caller, project.id, name="New")
    assert found.created_at == project.created_at
    assert micros(found.updated_at) > micros(project.updated_at)


def test_an_update_that_changes_nothing_writes_nothing(
    nurses: Place, project: project_pb2.Project
) -> None:
    before = nurses.described()
    assert update_group(nurses, **GROUP) == before
    assert update_group(nurses, ["name"], name="Nurses") == before
    assert update_group(nurses) == before
    again = update_project(nurses.caller, project.id, name="Name", description="Text")
    assert again.updated_at == project.updated_at


def test_personas_do_not_move_updated_at(nurses: Place) -> None:
    before = nurses.described()
    nurses.fill(2)
    nurses.delete_all()
    assert nurses.described() == before


def test_the_last_write_wins(caller: Caller, project: project_pb2.Project) -> None:
    def write(number: int) -> str:
        return update_project(caller, project.id, name=f"Name {number}").name

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(20))) == [f"Name {number}" for number in range(20)]
    assert update_project(caller, project.id, name="Last").name == "Last"


def test_ages_are_compared_as_they_will_be(nurses: Place) -> None:
    cases: list[dict[str, Any]] = [{"age_min": 61}, {"age_max": 19}, {"age_min": 50, "age_max": 40}]
    for fields in cases:
        with refused("INVALID_FIELD") as refusal:
            update_group(nurses, **fields)
        assert set(refusal.problem.fields) == {"persona_group.age_min"}
    assert stored(nurses) == GROUP
    update_group(nurses, age_min=61, age_max=62)
    update_group(nurses, ["age_max"])
    assert stored(nurses)["age_max"] == 0


def test_an_update_needs_a_resource_and_a_target(nurses: Place) -> None:
    request = pb.UpdatePersonaGroupRequest(project_id=nurses.project, group_id=nurses.group)
    with refused("INVALID_FIELD") as refusal:
        nurses.caller.projects.UpdatePersonaGroup(request)
    assert set(refusal.problem.fields) == {"persona_group"}
    with refused("PROJECT_NOT_FOUND"):
        update_project(nurses.caller, uid(), name="x")
    with refused("PERSONA_GROUP_NOT_FOUND"):
        update_group(Place(nurses.caller, nurses.project, uid()), name="x")


def test_an_empty_mask_is_none(caller: Caller, project: project_pb2.Project) -> None:
    """Many clients send one always: it must not make an update that silently does nothing."""
    assert update_project(caller, project.id, [], description="New").description == "New"
