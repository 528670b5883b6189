"""Filters of lists and exports over the wire; tests/conformance has every fold and every engine."""

from typing import Any

import pytest

from support.data import Place, persona
from support.errors import refused

PEOPLE: dict[str, dict[str, Any]] = {
    "ana": {"gender": "Female", "age": 30, "income_level": "Low", "location": "Porto, Portugal"},
    "bob": {"gender": "MALE", "age": 45, "income_level": "High", "location": "Port Louis"},
    "cem": {"gender": "male", "location": "İzmir", "occupation": "50%_Nurse"},
    "dee": {"gender": "Straße", "age": 130, "income_level": "Middle", "occupation": "nurse"},
}


@pytest.fixture
def people(place: Place) -> Place:
    place.batch(persona(full_name=name, **fields) for name, fields in PEOPLE.items())
    return place


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "ana bob cem dee"),
        ({"gender": "", "age_min": 0, "age_max": 0}, "ana bob cem dee"),
        ({"gender": "male"}, "bob cem"),
        ({"gender": "ＭＡＬＥ"}, "bob cem"),
        ({"gender": "mal"}, ""),
        ({"gender": "STRASSE"}, "dee"),
        ({"income_level": "LOW"}, "ana"),
        ({"income_level": "Lo"}, ""),
        ({"location": "port"}, "ana bob"),
        ({"location": "i\u0307zmir"}, "cem"),
        ({"occupation": "NURSE"}, "cem dee"),
        ({"occupation": "%"}, "cem"),
        ({"occupation": "_"}, "cem"),
        ({"occupation": "n%e"}, ""),
        ({"age_min": 1}, "ana bob dee"),
        ({"age_max": 45}, "ana bob"),
        ({"age_min": 30, "age_max": 30}, "ana"),
        ({"age_min": 46, "age_max": 130}, "dee"),
        ({"gender": "male", "age_min": 1}, "bob"),
        ({"gender": "male", "location": "porto"}, ""),
    ],
)
@pytest.mark.parametrize("how", ["list", "export"])
def test_filters(people: Place, arguments: dict[str, Any], expected: str, how: str) -> None:
    if how == "list":
        found = people.walk(page_size=1, **arguments)
    else:
        found = [one for chunk in people.export(**arguments) for one in chunk.personas]
    assert " ".join(one.full_name for one in found) == expected


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ({"gender": "x" * 65}, {"gender"}),
        ({"gender": "x\0"}, {"gender"}),
        ({"income_level": "x" * 65}, {"income_level"}),
        ({"location": "x" * 256}, {"location"}),
        ({"location": "a\nb"}, {"location"}),
        ({"occupation": "x" * 256}, {"occupation"}),
        ({"age_min": -1}, {"age_min"}),
        ({"age_min": 131}, {"age_min"}),
        ({"age_max": -1}, {"age_max"}),
        ({"age_max": 131}, {"age_max"}),
        ({"age_min": 40, "age_max": 39}, {"age_min"}),
        ({"gender": "\0", "age_max": 999}, {"gender", "age_max"}),
    ],
)
@pytest.mark.parametrize("how", ["list", "export"])
def test_bad_filters(place: Place, arguments: dict[str, Any], fields: set[str], how: str) -> None:
    with refused("INVALID_FIELD") as refusal:
        (place.page if how == "list" else place.export)(**arguments)
    assert set(refusal.problem.fields) == fields


def test_a_deleted_persona_matches_no_filter(people: Place) -> None:
    (ana,) = people.page(gender="female").personas
    people.delete(ana.id)
    assert people.walk(gender="female") == []
