"""ListPersonas of all groups of a project: their order, their tokens, and what a call looks at."""

from typing import Any

import pytest

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from persona_server.services.personas.all_groups import MOST_GROUPS
from support.data import Place, at, make_group, make_place, persona, uid
from support.errors import refused


def everybody(place: Place) -> Place:
    """Return all groups of a place's project, to be listed as one is."""
    return Place(place.caller, place.project, "-")


@pytest.fixture
def project(place: Place) -> list[Place]:
    """Four groups of one project, of 3, 0, 5 and 1 personas, and one of another project."""
    groups = [place, *(make_place(place.caller, place.project) for _ in range(3))]
    for number, group in zip((3, 0, 5, 1), groups, strict=True):
        for i in range(number):
            made = at(2_000_000_000_000_000 - groups.index(group) * 1000 + i)
            group.create(persona(full_name=f"{i}", gender="fm"[i % 2], created_at=made))
    make_place(place.caller).create(persona())
    return groups


def names(found: list[Any]) -> list[str]:
    return [one.full_name for one in found]


@pytest.mark.parametrize("page_size", [0, 1, 2, 3, 4, 8, 9])
def test_it_is_group_after_group_the_oldest_first(project: list[Place], page_size: int) -> None:
    """Whatever the times of their personas are."""
    one_by_one = [one for group in project for one in group.walk()]
    found = everybody(project[0]).walk(page_size=page_size)
    assert found == one_by_one
    assert len(found) == 9
    first = everybody(project[0]).page(page_size=page_size)
    assert len(first.personas) == (page_size or 9)


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_filters_hold_in_every_group(project: list[Place], page_size: int) -> None:
    project[1].create(persona(full_name="last", external_id="x", attributes={"a": "1"}))
    project[2].create(persona(full_name="more", external_id="x", attributes={"a": "1", "b": "1"}))
    whole = everybody(project[0])

    def found(**filters: Any) -> list[str]:
        return names(whole.walk(page_size=page_size, **filters))

    assert found(gender="m") == ["1", "1", "3"]
    assert found(external_id="x") == found(attributes={"a": "1"}) == ["last", "more"]
    assert found(attributes={"a": "1", "b": "1"}) == ["more"]
    assert found(full_name="2") == ["2", "2"]
    assert found(gender="nobody") == []


def test_a_walk_goes_on_where_groups_come_and_go(project: list[Place]) -> None:
    whole = everybody(project[0])
    first = whole.page(page_size=4)
    request = projects_pb.DeletePersonaGroupRequest(**project[2].ids)
    project[2].caller.projects.DeletePersonaGroup(request)
    make_place(project[0].caller, project[0].project).create(persona(full_name="new"))
    project[0].create(persona(full_name="behind"))
    rest = whole.page(page_token=first.next_page_token)
    assert names([*first.personas, *rest.personas]) == ["0", "1", "2", "0", "0", "new"]
    assert rest.next_page_token == ""


def test_a_call_looks_at_so_many_groups(place: Place) -> None:
    for _ in range(MOST_GROUPS):
        make_group(place.caller, place.project)
    last = make_place(place.caller, place.project).create(persona())
    pages = list(everybody(place).pages())
    assert [len(page.personas) for page in pages] == [0, 1]
    assert pages[1].personas[0] == last


def test_a_page_stays_below_3_mib(project: list[Place]) -> None:
    large = {"psychographic_notes": "x" * (16 << 10), "digital_habits": "x" * 8192}
    for group in project[:3]:
        group.fill(50, **large)
    pages = list(everybody(project[0]).pages())
    assert len(pages) > 1
    assert all(page.ByteSize() < 3 << 20 for page in pages)
    found = [one for page in pages for one in page.personas]
    assert found == [one for group in project for one in group.walk()]


def test_a_project_without_groups_is_empty_and_one_that_is_not_there_missing(place: Place) -> None:
    assert everybody(place).walk() == []
    with refused("PROJECT_NOT_FOUND"):
        Place(place.caller, uid(), "-").page()
    with refused("INVALID_FIELD") as refusal:
        Place(place.caller, "-", "-").page()
    assert set(refusal.problem.fields) == {"project_id"}


def test_a_token_is_of_all_groups_alone(project: list[Place]) -> None:
    token = everybody(project[0]).page(page_size=1).next_page_token
    with refused("INVALID_PAGE_TOKEN"):
        project[0].page(page_token=token)
    with refused("INVALID_PAGE_TOKEN"):
        everybody(project[0]).page(page_token=project[0].page(page_size=1).next_page_token)


def test_nothing_else_takes_all_groups(place: Place) -> None:
    with refused("INVALID_FIELD"):
        everybody(place).export()
    with refused("INVALID_FIELD"):
        place.caller.personas.CountPersonas(
            pb.CountPersonasRequest(project_id=place.project, group_id="-")
        )
