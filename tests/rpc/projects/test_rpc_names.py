"""Lists of projects and persona groups by name: whole, folded, and as it is now."""

from typing import Any

import pytest

from persona.v1 import project_service_pb2 as pb
from persona.v1.project_pb2 import PersonaGroup, Project
from support.data import Place, make_group, make_place, make_project, persona, uid
from support.errors import refused
from support.service import Caller

NAMES = ["Weiße Straße", "WEISSE STRASSE", "Weiße", "ＷEISSE STRASSE "]


def projects(caller: Caller, name: str, page_size: int = 1) -> list[str]:
    """Return the names of the projects that are found, read page by page."""
    request = pb.ListProjectsRequest(name=name, page_size=page_size)
    found = []
    while True:
        page = caller.projects.ListProjects(request)
        found += [one.name for one in page.projects]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def groups(place: Place, name: str, page_size: int = 1) -> list[str]:
    request = pb.ListPersonaGroupsRequest(project_id=place.project, name=name, page_size=page_size)
    found = []
    while True:
        page = place.caller.projects.ListPersonaGroups(request)
        found += [one.name for one in page.persona_groups]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def test_projects_are_found_by_their_whole_name(place: Place) -> None:
    made = [make_project(place.caller, name=name) for name in NAMES]
    assert projects(place.caller, "weisse straße") == [NAMES[1], NAMES[0]]
    assert projects(place.caller, "weisse strasse ") == [NAMES[3]]
    assert projects(place.caller, "strasse") == []
    assert len(projects(place.caller, "")) == 5
    place.caller.projects.DeleteProject(pb.DeleteProjectRequest(project_id=made[1].id))
    assert projects(place.caller, "weisse straße") == [NAMES[0]]
    renamed = pb.UpdateProjectRequest(project_id=made[0].id, project=Project(name="New"))
    place.caller.projects.UpdateProject(renamed)
    assert projects(place.caller, "weisse straße") == []
    assert projects(place.caller, "NEW") == ["New"]


def test_groups_are_found_by_their_whole_name(place: Place) -> None:
    made = [make_group(place.caller, place.project, name=name) for name in NAMES]
    make_group(place.caller, make_project(place.caller).id, name=NAMES[0])
    assert groups(place, "weisse straße") == [NAMES[1], NAMES[0]]
    assert groups(place, "weisse") == [NAMES[2]]
    assert len(groups(place, "")) == 5
    ids: dict[str, Any] = {"project_id": place.project, "group_id": made[0].id}
    update = pb.UpdatePersonaGroupRequest(**ids, persona_group=PersonaGroup(description="x"))
    place.caller.projects.UpdatePersonaGroup(update)
    assert groups(place, "weisse straße") == [NAMES[1], NAMES[0]]
    update.persona_group.name = "New"
    update.update_mask.paths[:] = ["name"]
    place.caller.projects.UpdatePersonaGroup(update)
    assert (groups(place, "weisse straße"), groups(place, "new")) == ([NAMES[1]], ["New"])
    place.caller.projects.DeletePersonaGroup(pb.DeletePersonaGroupRequest(**ids))
    assert groups(place, "new") == []


@pytest.mark.parametrize("name", ["x" * 256, "a\0"])
def test_a_name_that_none_can_have_is_refused(place: Place, name: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        projects(place.caller, name)
    assert set(refusal.problem.fields) == {"name"}
    with refused("INVALID_FIELD") as refusal:
        groups(place, name)
    assert set(refusal.problem.fields) == {"name"}


def test_a_missing_project_is_refused_whatever_the_name(place: Place) -> None:
    with refused("PROJECT_NOT_FOUND"):
        groups(Place(place.caller, uid(), ""), "x")


def test_personas_are_found_by_their_whole_name(place: Place) -> None:
    place.batch(persona(full_name=name) for name in NAMES)
    make_place(place.caller, place.project).create(persona(full_name=NAMES[0]))
    for how in ("list", "export"):
        assert people(place, how, full_name="weisse straße") == NAMES[:2]
        assert people(place, how, full_name="weiss") == []
        assert people(place, how, full_name="weisse", age_min=1) == []


def people(place: Place, how: str, **filters: Any) -> list[str]:
    pages = place.pages(**filters) if how == "list" else place.export(**filters)
    return [one.full_name for page in pages for one in page.personas]
