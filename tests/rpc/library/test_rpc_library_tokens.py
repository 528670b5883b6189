"""Page tokens of the library's lists: bound to every argument, and walks that miss nobody."""

from typing import Any

import pytest
from rpc.conftest import Connect

from persona.v1 import library_service_pb2 as pb
from persona.v1 import persona_service_pb2 as personas_pb
from support.answering.shelf import Shelf
from support.data import make_group, make_place, uid
from support.errors import refused
from support.library import individual
from support.service import Caller


class Lists:
    """A library of three, each used twice, and every list that there is of it."""

    def __init__(self, caller: Caller) -> None:
        shelf = Shelf(caller)
        self.caller, self.ids = caller, shelf.ids
        self.place, self.copies = shelf.place, shelf.copies

    def call(self, name: str, **arguments: Any) -> Any:
        """Return one page of a list of the library, and of its first individual."""
        first = self.ids[0]
        calls: dict[str, tuple[Any, Any, dict[str, Any]]] = {
            "library": (self.caller.library.ListLibraryPersonas, pb.ListLibraryPersonasRequest, {}),
            "matches": (
                self.caller.library.MatchLibraryPersonas,
                pb.MatchLibraryPersonasRequest,
                self.place.ids,
            ),
            "timelines": (
                self.caller.library.GetLibraryPersonaAttitudeTimeline,
                pb.GetLibraryPersonaAttitudeTimelineRequest,
                {"library_persona_id": first},
            ),
            "own timelines": (
                self.caller.library.GetAttitudeTimeline,
                pb.GetAttitudeTimelineRequest,
                {**self.place.ids, "persona_id": self.copies[0].id},
            ),
            "reliabilities": (
                self.caller.library.ListReliabilities,
                pb.ListReliabilitiesRequest,
                self.place.ids,
            ),
            "uses": (
                self.caller.library.ListLibraryPersonaProjects,
                pb.ListLibraryPersonaProjectsRequest,
                {"library_persona_id": first},
            ),
            "lineage": (
                self.caller.personas.GetPersonaLineage,
                personas_pb.GetPersonaLineageRequest,
                {**self.place.ids, "persona_id": self.copies[0].id},
            ),
        }
        call, request, given = calls[name]
        return call(request(**(given | arguments)))

    def changes(self, name: str) -> list[dict[str, Any]]:
        """Return arguments, each of which makes another list of it."""
        filters: list[dict[str, Any]] = [
            {"gender": "female"},
            {"income_level": "Middle"},
            {"location": "brazil"},
            {"occupation": "nurse"},
            {"age_min": 1},
            {"age_max": 99},
            {"lower_bound_min": 0.5},
            {"include_retired": True},
            {"order_by": "created_at"},
            {"order_by": "lower_bound"},
            {"order_by": "project_count desc"},
        ]
        sibling = make_group(self.caller, self.place.project).id
        changes: dict[str, list[dict[str, Any]]] = {
            "library": filters,
            "matches": [
                {"exclude_used_in_project": True},
                {"min_score": 0.5},
                {"group_id": sibling},
            ],
            "timelines": [{"question_key": "q"}, {"library_persona_id": self.ids[1]}],
            "own timelines": [{"question_key": "q"}, {"persona_id": self.copies[1].id}],
            "reliabilities": [{"order_by": "lower_bound"}, {"group_id": sibling}],
            "uses": [{"library_persona_id": self.ids[1]}],
            "lineage": [{"persona_id": self.copies[1].id}],
        }
        return changes[name]


NAMES = ["library", "matches", "timelines", "own timelines", "reliabilities", "uses", "lineage"]
LISTS = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def lists(caller: Caller) -> Lists:
    return Lists(caller)


def rows(page: Any) -> list[Any]:
    """Return the rows of any page."""
    return list(getattr(page, page.DESCRIPTOR.fields_by_number[1].name))


@LISTS
def test_a_token_is_bound_to_every_argument(lists: Lists, name: str) -> None:
    token = lists.call(name, page_size=1).next_page_token
    for change in lists.changes(name):
        lists.call(name, **change)  # good by itself
        with refused("INVALID_PAGE_TOKEN"):
            lists.call(name, page_token=token, **change)
    assert rows(lists.call(name, page_token=token))


@LISTS
def test_pages_of_any_size_give_the_same_rows(lists: Lists, name: str) -> None:
    whole = rows(lists.call(name))
    assert len(whole) >= 2
    for size in (1, 2, 5):
        seen: list[Any] = []
        token = ""
        while token or not seen:
            page = lists.call(name, page_size=size, page_token=token)
            seen += rows(page)
            token = page.next_page_token
        assert seen == whole


@LISTS
def test_lists_do_not_share_tokens(lists: Lists, name: str) -> None:
    token = lists.call(name, page_size=1).next_page_token
    assert token
    for other in {*NAMES} - {name}:
        with refused("INVALID_PAGE_TOKEN"):
            lists.call(other, page_token=token)


@LISTS
def test_what_is_no_page_is_refused(lists: Lists, name: str) -> None:
    with refused("INVALID_PAGE_TOKEN"):
        lists.call(name, page_token="AAAA")
    with refused("INVALID_FIELD") as refusal:
        lists.call(name, page_size=-1)
    assert set(refusal.problem.fields) == {"page_size"}


def test_another_tenants_token_is_refused(lists: Lists, connect: Connect) -> None:
    """Of the one list that names nothing."""
    token = lists.call("library", page_size=1).next_page_token
    foreign = connect(of=f"x-{uid()}")
    with refused("INVALID_PAGE_TOKEN"):
        foreign.library.ListLibraryPersonas(pb.ListLibraryPersonasRequest(page_token=token))


def test_a_walk_goes_on_beside_promotions_and_retirements(lists: Lists) -> None:
    """Who is there from the first to the last page comes exactly once."""
    first = lists.call("library", page_size=1, order_by="created_at")
    added = individual(make_place(lists.caller)).id
    request = pb.RetireLibraryPersonaRequest(library_persona_id=lists.ids[1])
    lists.caller.library.RetireLibraryPersona(request)
    rest = lists.call("library", order_by="created_at", page_token=first.next_page_token)
    assert [one.id for one in (*rows(first), *rows(rest))] == [lists.ids[0], lists.ids[2], added]


def test_an_id_in_another_case_is_the_same_argument(lists: Lists) -> None:
    token = lists.call("timelines", page_size=1).next_page_token
    upper = lists.ids[0].upper()
    assert rows(lists.call("timelines", library_persona_id=upper, page_token=token))
