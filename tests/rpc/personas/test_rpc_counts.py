"""CountPersonas: what lists would show, without showing it."""

from typing import Any

import pytest

from persona.v1 import persona_service_pb2 as pb
from support.data import Place, persona, uid
from support.errors import refused

FILTERS: list[dict[str, Any]] = [
    {},
    {"gender": "F"},
    {"age_min": 5},
    {"full_name": "ＰERSON 3"},
    {"external_id": "e7"},
    {"external_id": "e99"},
    {"attributes": {"third": "1"}},
    {"attributes": {"third": "1", "half": "0"}},
    {"attributes": {"third": "1"}, "gender": "f"},
    {"attributes": {"third": "1"}, "gender": "nobody"},
    {"attributes": {"third": "x"}},
]


@pytest.fixture
def people(place: Place) -> Place:
    place.batch(
        persona(
            full_name=f"Person {i}",
            external_id=f"e{i}",
            gender="fm"[i % 2],
            age=i + 1,
            attributes={"third": f"{i % 3}", "half": f"{i % 2}"},
        )
        for i in range(12)
    )
    return place


def count(place: Place, **arguments: Any) -> pb.CountPersonasResponse:
    request = pb.CountPersonasRequest(**(place.ids | arguments))
    return place.caller.personas.CountPersonas(request)


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_it_is_how_many_a_list_shows(people: Place, filters: dict[str, Any]) -> None:
    counted = count(people, **filters)
    assert counted.count == len(people.walk(page_size=2, **filters))
    assert counted.next_page_token == ""


def test_the_deleted_are_not_counted(people: Place) -> None:
    people.delete(people.walk()[0].id)
    assert (count(people).count, count(people, gender="f").count) == (11, 5)
    assert count(people, attributes={"third": "0"}).count == 3
    people.delete_all()
    for filters in FILTERS:
        assert count(people, **filters).count == 0


def test_missing_parents_are_refused(place: Place) -> None:
    with refused("PROJECT_NOT_FOUND"):
        count(place, project_id=uid())
    for filters in ({}, {"gender": "f"}):
        with refused("PERSONA_GROUP_NOT_FOUND"):
            count(place, group_id=uid(), **filters)


@pytest.mark.parametrize(
    "arguments", [{"gender": "x" * 65}, {"full_name": "x" * 256}, {"age_min": -1}]
)
def test_bad_filters_are_refused(place: Place, arguments: dict[str, Any]) -> None:
    with refused("INVALID_FIELD") as refusal:
        count(place, **arguments)
    assert set(refusal.problem.fields) == set(arguments)


def test_a_bad_token_is_refused(place: Place) -> None:
    for filters in ({}, {"gender": "f"}):
        with refused("INVALID_PAGE_TOKEN"):
            count(place, page_token="nope", **filters)
