"""PATCH: what its body has is changed, and nothing else; a mask in the query says otherwise."""

from typing import Any

import pytest
from rest.conforming import validate
from rest.conftest import Place
from rest.wire import Rest

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
EMPTY = dict.fromkeys(GROUP, "") | {"age_min": 0, "age_max": 0}
OUTPUT_ONLY = {"persona_count": 9, "created_at": "2020-01-01T00:00:00Z", "updated_at": None}


@pytest.fixture
def group(rest: Rest, place: Place) -> str:
    """The path of a group that has something in every field."""
    path = place.path.removesuffix("/personas")
    return str(rest.call("POST", path.rpartition("/")[0], GROUP).headers["Location"])


def definition(found: dict[str, Any]) -> dict[str, Any]:
    """Return what an update can change."""
    return {name: found[name] for name in GROUP}


@pytest.mark.parametrize("value", [None, "empty"])
@pytest.mark.parametrize("name", [name for name in GROUP if name != "name"])
def test_null_and_empty_values_clear(rest: Rest, group: str, name: str, value: object) -> None:
    body = {name: value and EMPTY[name]}
    validate({"$ref": "#/components/schemas/PersonaGroupPatch"}, body)
    changed = rest.call("PATCH", group, body).json()
    assert definition(changed) == GROUP | {name: EMPTY[name]}


def test_both_spellings_of_a_name_are_in_the_mask(rest: Rest, group: str) -> None:
    body = {"psychographicNotes": "", "ageMin": None, "incomeLevel": "High"}
    changed = GROUP | {"psychographic_notes": "", "age_min": 0, "income_level": "High"}
    assert definition(rest.call("PATCH", group, body).json()) == changed


@pytest.mark.parametrize("value", [None, "", " "])
def test_what_is_required_is_not_cleared(rest: Rest, group: str, value: object) -> None:
    body = {"name": value, "description": "New"}
    rest.call("PATCH", group, body).problem(400, "INVALID_FIELD", "name")
    assert definition(rest.call("GET", group).json()) == GROUP


def test_ages_are_compared_as_they_will_be(rest: Rest, group: str) -> None:
    problem = rest.call("PATCH", group, {"age_min": 61}).problem(400, "INVALID_FIELD", "age_min")
    assert problem["detail"] == "age_min: must not be greater than age_max"
    assert rest.call("PATCH", group, {"age_min": 61, "age_max": None}).json()["age_max"] == 0


def test_what_the_server_sets_is_ignored(rest: Rest, group: str) -> None:
    """So that what GET gave can be sent back with one field changed, or none."""
    before = rest.call("GET", group).json()
    for body in ({}, OUTPUT_ONLY, before, {"id": before["project_id"]}, {"project_id": "x"}):
        assert rest.call("PATCH", group, body).json() == before
    changed = rest.call("PATCH", group, before | OUTPUT_ONLY | {"description": ""}).json()
    assert definition(changed) == GROUP | {"description": ""}
    kept = ("id", "project_id", "persona_count", "created_at")
    assert [changed[name] for name in kept] == [before[name] for name in kept]


@pytest.mark.parametrize("body", [b'{"nope": null}', b'{"name": "X", "name": "Y"}', b"null", b""])
def test_a_bad_body_changes_nothing(rest: Rest, group: str, body: bytes) -> None:
    rest.call("PATCH", group, body).problem(400, "INVALID_FIELD")
    assert definition(rest.call("GET", group).json()) == GROUP


def test_a_mask_in_the_query_says_which_fields(rest: Rest, place: Place) -> None:
    path = f"/api/v1/projects/{place.project}"
    both = rest.call("PATCH", path, {"name": "New", "description": "Words"}).json()
    assert (both["name"], both["description"]) == ("New", "Words")
    masked = rest.call("PATCH", f"{path}?update_mask=description", {"name": "Ignored"}).json()
    assert (masked["name"], masked["description"]) == ("New", "")
    none = rest.call("PATCH", f"{path}?update_mask=", {"description": "More"}).json()
    assert (none["name"], none["description"]) == ("New", "More")
    for mask in ("nope", "name,nope", ",", "name,*"):
        answer = rest.call("PATCH", f"{path}?update_mask={mask}", {"name": "X"})
        answer.problem(400, "INVALID_FIELD", "update_mask")
    assert rest.call("GET", path).json()["name"] == "New"


def test_the_mask_of_everything_replaces(rest: Rest, group: str) -> None:
    replaced = rest.call("PATCH", f"{group}?update_mask=*", {"name": "X", "age_max": 30}).json()
    assert definition(replaced) == EMPTY | {"name": "X", "age_max": 30}
    nameless = rest.call("PATCH", f"{group}?update_mask=*", {"age_max": 40})
    nameless.problem(400, "INVALID_FIELD", "name")
    assert rest.call("GET", group).json() == replaced
