"""Attribute filters of lists, exports and the library: which match, which are refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from persona.v1 import library_service_pb2 as library_pb
from persona.v1.persona_pb2 import Persona
from support.data import Place, persona
from support.errors import refused
from support.library import individual, retire

PEOPLE: dict[str, dict[str, str]] = {
    "ana": {"state": "AR", "party": "left", "note": "two\nlines"},
    "bob": {"state": "AR", "party": "right", "empty": ""},
    "cem": {"state": "ar", "party": "left", "a b": "c=d"},
    "dee": {"state": "NE", "ärger": "weiß", "long": "x" * 256},
}
HOW = ("list", "export", "library")


@pytest.fixture
def people(place: Place) -> Place:
    place.batch(persona(full_name=name, attributes=each) for name, each in PEOPLE.items())
    return place


def library(place: Place, **arguments: Any) -> Iterator[Persona]:
    """Yield the profiles of the library that match, page by page."""
    request = library_pb.ListLibraryPersonasRequest(page_size=1, **arguments)
    while True:
        page = place.caller.library.ListLibraryPersonas(request)
        yield from (one.profile for one in page.library_personas)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def found(place: Place, how: str, **arguments: Any) -> str:
    if how == "list":
        personas = place.walk(page_size=1, **arguments)
    elif how == "export":
        personas = [one for chunk in place.export(**arguments) for one in chunk.personas]
    else:
        personas = list(library(place, **arguments))
    return " ".join(sorted(one.full_name for one in personas))


CASES = [
    ({"state": "AR"}, "ana bob"),
    ({"state": "ar"}, "cem"),
    ({"State": "AR"}, ""),
    ({"state": "AR "}, ""),
    ({"state": ""}, ""),
    ({"empty": ""}, "bob"),
    ({"note": "two\nlines"}, "ana"),
    ({"a b": "c=d"}, "cem"),
    ({"ärger": "weiß"}, "dee"),
    ({"ärger": "weiss"}, ""),
    ({"long": "x" * 255}, ""),
    ({"party": "left"}, "ana cem"),
    ({"party": "left", "state": "AR"}, "ana"),
    ({"party": "left", "state": "NE"}, ""),
    ({"party": "left", "nothing": "x"}, ""),
    ({}, "ana bob cem dee"),
]


@pytest.mark.parametrize(("attributes", "expected"), CASES)
@pytest.mark.parametrize("how", HOW[:2])
def test_attributes_match_verbatim(
    people: Place, how: str, attributes: dict[str, str], expected: str
) -> None:
    assert found(people, how, attributes=attributes) == expected


def test_the_library_is_filtered_likewise(place: Place) -> None:
    """In each of its orders, and together with its other filters."""
    ids = [individual(place, full_name=name, attributes=each).id for name, each in PEOPLE.items()]
    for attributes, expected in CASES:
        for order in ("", "created_at", "project_count desc"):
            assert found(place, "library", attributes=attributes, order_by=order) == expected
    retire(place.caller, ids[0])
    assert found(place, "library", attributes={"state": "AR"}) == "bob"
    assert found(place, "library", attributes={"state": "AR"}, include_retired=True) == "ana bob"
    assert found(place, "library", attributes={"state": "AR"}, lower_bound_min=1) == ""


def test_all_conditions_hold_at_once(place: Place) -> None:
    for name, gender in (("ana", "F"), ("bob", "M"), ("cem", "F")):
        place.create(persona(full_name=name, gender=gender, attributes={"state": "AR"}))
    assert found(place, "list", attributes={"state": "AR"}, gender="f") == "ana cem"
    assert found(place, "list", attributes={"state": "AR"}, gender="x") == ""


def test_eight_are_taken(place: Place) -> None:
    eight = {f"k{i}": f"{i}" for i in range(8)}
    place.create(persona(full_name="ana", attributes=eight | {"more": "x"}))
    place.create(persona(full_name="bob", attributes=eight | {"k7": "x"}))
    assert found(place, "list", attributes=eight) == "ana"


@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ({f"k{i}": "x" for i in range(9)}, "attributes"),
        ({"": "x"}, 'attributes[""]'),
        ({" ": "x"}, 'attributes[" "]'),
        ({"k" * 129: "x"}, f'attributes["{"k" * 128}"]'),
        ({"a\nb": "x"}, 'attributes["a\nb"]'),
        ({"k": "x" * 256}, 'attributes["k"]'),
        ({"k": "x\0"}, 'attributes["k"]'),
    ],
)
@pytest.mark.parametrize("how", HOW)
def test_what_no_persona_can_be_found_by_is_refused(
    place: Place, how: str, attributes: dict[str, str], field: str
) -> None:
    with refused("INVALID_FIELD") as refusal:
        found(place, how, attributes=attributes)
    assert set(refusal.problem.fields) == {field}


def test_a_page_by_attributes_has_250_at_most(place: Place) -> None:
    made = place.batch(persona(attributes={"a": "1"}, full_name="Ana") for _ in range(600))
    for filters in ({"attributes": {"a": "1"}}, {"full_name": "ana"}):
        pages = list(place.pages(**filters))
        assert [len(page.personas) for page in pages] == [250, 250, 100]
        assert [one for page in pages for one in page.personas] == made
    assert len(place.page().personas) == 600


def test_a_token_belongs_to_its_attributes(people: Place) -> None:
    token = people.page(page_size=1, attributes={"state": "AR"}).next_page_token
    assert token
    with refused("INVALID_PAGE_TOKEN"):
        people.page(attributes={"state": "ar"}, page_token=token)
    with refused("INVALID_PAGE_TOKEN"):
        people.page(page_token=token)


def test_a_deleted_persona_has_none(people: Place) -> None:
    (cem,) = people.walk(attributes={"state": "ar"})
    people.delete(cem.id)
    assert found(people, "list", attributes={"state": "ar"}) == ""
    people.delete_all()
    assert found(people, "list", attributes={"state": "AR"}) == ""
