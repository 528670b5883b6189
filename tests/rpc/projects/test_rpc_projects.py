"""Projects and groups: create, list, get, delete."""

from typing import Any

import grpc
import pytest

from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as pb
from support.data import Place, make_group, make_place, make_project, persona, uid
from support.errors import refusal_of, refused
from support.service import Caller

TAKEN = grpc.StatusCode.ALREADY_EXISTS


def get_project(caller: Caller, project: str) -> project_pb2.Project:
    return caller.projects.GetProject(pb.GetProjectRequest(project_id=project)).project


def delete_project(caller: Caller, project: str) -> None:
    caller.projects.DeleteProject(pb.DeleteProjectRequest(project_id=project))


def delete_group(place: Place) -> None:
    place.caller.projects.DeletePersonaGroup(pb.DeletePersonaGroupRequest(**place.ids))


def list_projects(caller: Caller, **arguments: Any) -> pb.ListProjectsResponse:
    return caller.projects.ListProjects(pb.ListProjectsRequest(**arguments))


def list_groups(caller: Caller, project: str, **arguments: Any) -> pb.ListPersonaGroupsResponse:
    request = pb.ListPersonaGroupsRequest(project_id=project, **arguments)
    return caller.projects.ListPersonaGroups(request)


def test_a_project_comes_back_as_it_was_given(caller: Caller) -> None:
    made = make_project(caller, name="Ünï", description="Two\nlines")
    assert (made.name, made.description) == ("Ünï", "Two\nlines")
    assert made.id[14] == "7"
    assert made.created_at == made.updated_at
    assert made.created_at.nanos % 1000 == 0
    assert made.persona_group_count == 0
    assert get_project(caller, made.id) == made == get_project(caller, made.id.upper())


def test_output_only_fields_are_ignored_in_a_create(caller: Caller) -> None:
    made = make_project(caller, persona_group_count=7, created_at={"seconds": 5})
    assert made.persona_group_count == 0
    assert made.created_at.seconds > 5
    group = make_group(
        caller, made.id, persona_count=7, project_id=uid(), updated_at={"seconds": 5}
    )
    assert (group.persona_count, group.project_id) == (0, made.id)
    assert group.updated_at == group.created_at


def test_a_group_comes_back_as_it_was_given(caller: Caller) -> None:
    project = make_project(caller)
    fields = {
        "name": "Nurses",
        "description": "Two\nlines",
        "age_min": 20,
        "age_max": 60,
        "gender": "Any",
        "location": "All",
        "occupation": "Nurse",
        "income_level": "Middle",
        "psychographic_notes": "Notes",
    }
    made = make_group(caller, project.id, **fields)
    assert {name: getattr(made, name) for name in fields} == fields
    assert Place(caller, project.id, made.id).described() == made
    assert get_project(caller, project.id).persona_group_count == 1


def test_names_need_not_be_unique(caller: Caller) -> None:
    one, other = make_project(caller, name="Same"), make_project(caller, name="Same")
    assert one.id != other.id
    assert make_group(caller, one.id, name="G").id != make_group(caller, one.id, name="G").id


@pytest.mark.parametrize("page_size", [0, 1, 2, 3])
def test_lists_are_newest_first_and_paged(caller: Caller, page_size: int) -> None:
    made = [make_project(caller) for _ in range(3)]
    groups = [make_group(caller, made[0].id) for _ in range(3)]
    projects, token = [], ""
    while True:
        page = list_projects(caller, page_size=page_size, page_token=token)
        projects += [one.id for one in page.projects]
        if not (token := page.next_page_token):
            break
    found = []
    while True:
        answer = list_groups(caller, made[0].id, page_size=page_size, page_token=token)
        found += [one.id for one in answer.persona_groups]
        if not (token := answer.next_page_token):
            break
    assert projects == [one.id for one in reversed(made)]
    assert found == [one.id for one in reversed(groups)]


def test_empty_lists_and_page_sizes(caller: Caller) -> None:
    assert list_projects(caller) == pb.ListProjectsResponse()
    project = make_project(caller)
    assert list_groups(caller, project.id) == pb.ListPersonaGroupsResponse()
    for call in (
        lambda: list_projects(caller, page_size=-1),
        lambda: list_groups(caller, project.id, page_size=-1),
    ):
        assert set(refusal_of(call).fields) == {"page_size"}
    assert len(list_projects(caller, page_size=9999).projects) == 1


def test_a_list_of_fat_groups_stays_under_3_mib(caller: Caller) -> None:
    project = make_project(caller)
    fat = {"description": "d" * 4096, "psychographic_notes": "n" * 16_384}
    made = [make_group(caller, project.id, **fat).id for _ in range(170)]
    pages, token = [], ""
    while True:
        pages.append(list_groups(caller, project.id, page_token=token))
        if not (token := pages[-1].next_page_token):
            break
    assert len(pages) == 2
    assert all(page.ByteSize() <= 3 << 20 for page in pages)
    assert [one.id for page in pages for one in page.persona_groups] == made[::-1]


class TestOwnId:
    """Ids that a client brings: the same content is the same resource, anything else is taken."""

    def test_of_a_project(self, caller: Caller) -> None:
        given = uid()
        made = make_project(caller, id=given.upper(), name="A", description="D")
        assert made.id == given
        make_group(caller, given)
        again = make_project(caller, id=given, name="A", description="D", persona_group_count=9)
        assert (again.created_at, again.persona_group_count) == (made.created_at, 1)
        for fields in ({"name": "B", "description": "D"}, {"name": "A"}):
            with refused("ALREADY_EXISTS", TAKEN) as refusal:
                make_project(caller, id=given, **fields)
            assert refusal.problem.metadata["state"] == "visible"
        assert len(list_projects(caller).projects) == 1

    def test_of_a_group(self, caller: Caller) -> None:
        project, other = make_project(caller), make_project(caller)
        given = uid()
        made = make_group(caller, project.id, id=given.upper(), name="A", age_min=3)
        assert made == make_group(caller, project.id, id=given, name="A", age_min=3)
        for parent, fields in (
            (project.id, {"name": "B", "age_min": 3}),
            (project.id, {"name": "A"}),
            (other.id, {"name": "A", "age_min": 3}),
        ):
            with refused("ALREADY_EXISTS", TAKEN) as refusal:
                make_group(caller, parent, id=given, **fields)
            assert refusal.problem.metadata["state"] == "visible"

    def test_of_a_deleted_one_is_never_used_again(self, caller: Caller) -> None:
        project = make_project(caller)
        group = make_group(caller, project.id)
        delete_group(Place(caller, project.id, group.id))
        with refused("ALREADY_EXISTS", TAKEN) as refusal:
            make_group(caller, project.id, id=group.id)
        assert refusal.problem.metadata["state"] == "deleted"
        kept = make_group(caller, project.id)
        delete_project(caller, project.id)
        with refused("ALREADY_EXISTS", TAKEN) as refusal:
            make_project(caller, id=project.id)
        assert refusal.problem.metadata["state"] == "deleted"
        other = make_project(caller)
        with refused("ALREADY_EXISTS", TAKEN) as refusal:
            make_group(caller, other.id, id=kept.id)
        assert refusal.problem.metadata["state"] == "deleted"


def test_a_deleted_project_takes_everything_with_it(caller: Caller) -> None:
    place, other = make_place(caller), make_place(caller)
    (one,) = place.fill(1)
    delete_project(caller, place.project)
    for call in (
        lambda: get_project(caller, place.project),
        lambda: delete_project(caller, place.project),
        lambda: list_groups(caller, place.project),
        lambda: make_group(caller, place.project),
        lambda: delete_group(place),
        lambda: place.get(one.id),
        place.page,
        place.export,
        place.delete_all,
        lambda: place.create(persona()),
    ):
        problem = refusal_of(call)
        assert (problem.reason, problem.code) == ("PROJECT_NOT_FOUND", grpc.StatusCode.NOT_FOUND)
    assert [p.id for p in list_projects(caller).projects] == [other.project]
    assert other.count() == 0


def test_a_deleted_group_takes_its_personas_with_it(caller: Caller) -> None:
    place = make_place(caller)
    sibling = make_place(caller, place.project)
    (one,) = place.fill(1)
    sibling.fill(2)
    delete_group(place)
    for call in (
        place.described,
        lambda: delete_group(place),
        lambda: place.get(one.id),
        place.page,
        place.export,
        place.delete_all,
        lambda: place.create(persona()),
    ):
        problem = refusal_of(call)
        assert problem.reason == "PERSONA_GROUP_NOT_FOUND"
        assert problem.metadata == {"group_id": place.group}
    assert [g.id for g in list_groups(caller, place.project).persona_groups] == [sibling.group]
    assert get_project(caller, place.project).persona_group_count == 1
    assert sibling.count() == 2
