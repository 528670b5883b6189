"""Page tokens over the wire: bound to tenant, method and arguments, and to nothing else."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from rpc.conftest import Connect

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_pb2
from persona.v1 import project_service_pb2 as projects_pb
from support.data import Place, make_group, make_place, make_project
from support.errors import refusal_of, refused
from support.service import Caller

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
def token(place: Place) -> str:
    """A token of the place's first page."""
    place.fill(4, gender="a")
    return place.page(page_size=2).next_page_token


@pytest.mark.parametrize(
    "arguments",
    [
        {"gender": "a"},
        {"income_level": "Low"},
        {"location": "a"},
        {"occupation": "a"},
        {"age_min": 1},
        {"age_max": 99},
    ],
)
def test_a_filter_that_was_not_there_is_refused(
    place: Place, token: str, arguments: dict[str, Any]
) -> None:
    with refused("INVALID_PAGE_TOKEN", INVALID):
        place.page(page_token=token, **arguments)


def test_a_filter_that_is_left_out_is_refused(place: Place, token: str) -> None:
    filtered = place.page(page_size=2, gender="a").next_page_token
    assert len(place.page(page_token=filtered, gender="a").personas) == 2
    with refused("INVALID_PAGE_TOKEN"):
        place.page(page_token=filtered)
    with refused("INVALID_PAGE_TOKEN"):
        place.page(page_token=filtered, gender="b")


@pytest.mark.parametrize("page_size", [0, 1, 2, 1000, 5000])
def test_another_page_size_is_honoured(place: Place, token: str, page_size: int) -> None:
    found = place.page(page_size=page_size, page_token=token).personas
    assert len(found) == min(page_size or 1000, 2)


def test_ids_in_another_case_are_the_same_arguments(place: Place, token: str) -> None:
    page = place.page(
        project_id=place.project.upper(), group_id=place.group.upper(), page_token=token
    )
    assert len(page.personas) == 2


def test_another_groups_token_is_refused(place: Place, token: str) -> None:
    sibling = make_place(place.caller, place.project)
    sibling.fill(3)
    with refused("INVALID_PAGE_TOKEN", INVALID):
        sibling.page(page_token=token)


def test_another_tenants_token_is_refused(place: Place, token: str, connect: Connect) -> None:
    """Even where the tenant has a group of the same ids."""
    foreign = connect(of="foreign-tokens")
    own = Place(foreign, place.project, place.group)
    project = project_pb2.Project(id=place.project, name="Tests")
    foreign.projects.CreateProject(projects_pb.CreateProjectRequest(project=project))
    make_group(foreign, place.project, id=place.group)
    own.fill(3)
    with refused("INVALID_PAGE_TOKEN", INVALID):
        own.page(page_token=token)


def test_export_and_list_do_not_share_tokens(place: Place, token: str) -> None:
    with refused("INVALID_PAGE_TOKEN", INVALID):
        place.export(resume_token=token)
    (chunk,) = place.export()
    with refused("INVALID_PAGE_TOKEN", INVALID):
        place.page(page_token=chunk.resume_token)


@pytest.mark.parametrize(
    "text", ["x", "AAAA", "%", "é", "A" * 5000, "\u2028", "0" * 54, " ", "null"]
)
def test_what_is_no_token_is_refused(place: Place, text: str) -> None:
    place.fill(1)
    with refused("INVALID_PAGE_TOKEN", INVALID):
        place.page(page_token=text)


def test_a_token_is_checked_before_the_parents(place: Place) -> None:
    for arguments in ({"project_id": place.group}, {"group_id": place.project}):
        with refused("INVALID_PAGE_TOKEN", INVALID):
            place.page(page_token="AAAA", **arguments)


Walk = Callable[..., Any]


def projects(caller: Caller, **arguments: Any) -> projects_pb.ListProjectsResponse:
    return caller.projects.ListProjects(projects_pb.ListProjectsRequest(**arguments))


def groups(caller: Caller, project: str, **arguments: Any) -> projects_pb.ListPersonaGroupsResponse:
    request = projects_pb.ListPersonaGroupsRequest(project_id=project, **arguments)
    return caller.projects.ListPersonaGroups(request)


def test_tokens_of_projects_and_groups_are_bound_too(caller: Caller, connect: Connect) -> None:
    first, second = make_project(caller), make_project(caller)
    for project in (first.id, second.id):
        make_group(caller, project)
        make_group(caller, project)
    of_projects = projects(caller, page_size=1).next_page_token
    of_groups = groups(caller, first.id, page_size=1).next_page_token
    assert len(projects(caller, page_token=of_projects).projects) == 1
    assert len(groups(caller, first.id, page_token=of_groups).persona_groups) == 1
    foreign = connect(of="foreign-tokens")
    for call in (
        lambda: projects(caller, page_token=of_groups),
        lambda: groups(caller, first.id, page_token=of_projects),
        lambda: groups(caller, second.id, page_token=of_groups),
        lambda: projects(foreign, page_token=of_projects),
        lambda: groups(foreign, first.id, page_token=of_groups),
    ):
        assert refusal_of(call).reason == "INVALID_PAGE_TOKEN"


def test_a_token_outlives_the_persona_that_it_was_made_at(place: Place, token: str) -> None:
    made = place.walk()
    place.delete(made[1].id)
    rest = place.page(page_token=token).personas
    assert [one.id for one in rest] == [one.id for one in made[2:]]


def test_a_request_without_a_token_starts_anew(place: Place, token: str) -> None:
    request = pb.ListPersonasRequest(project_id=place.project, group_id=place.group, page_token="")
    assert len(place.caller.personas.ListPersonas(request).personas) == 4
