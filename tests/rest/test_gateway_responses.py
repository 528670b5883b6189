"""Responses over REST: recorded in one call, listed by one parent, as pages or whole."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest.conftest import Place, recorded_answer
from rest.wire import Rest

LIST = "/api/v1/responses"


def simulation() -> str:
    """Return the path of a new simulation's responses."""
    return f"/api/v1/simulations/{uuid.uuid4()}/responses"


def answers(persona_id: str, number: int) -> list[dict[str, Any]]:
    """Return ratings of one persona, a second apart."""
    return [
        {
            "persona_id": persona_id,
            "question_key": f"q{i % 2}",
            "rating": {"value": i % 5, "max": 4},
            "occurred_at": f"2026-01-01T00:00:{i:02d}Z",
        }
        for i in range(number)
    ]


def test_recording_answers_200_with_what_was_recorded(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (one,) = filled(1)
    path = simulation()
    answer = rest.call("POST", path, {"responses": answers(one, 2)})
    assert answer.status == 200
    first, second = answer.json()["responses"]
    assert first["rating"] == {"value": 0, "min": 0, "max": 4}
    assert (first["library_persona_id"], first["persona_deleted"]) == (None, False)
    assert (first["project_id"], first["group_id"]) == (place.project, place.group)
    assert path == f"/api/v1/simulations/{first['simulation_id']}/responses"
    assert "sentiment" not in first
    assert first["occurred_at"] == "2026-01-01T00:00:00Z"
    # What was read can be recorded again, and is not recorded twice.
    again = rest.call("POST", path, {"responses": [second, first]})
    assert again.json() == {"responses": [second, first], "warnings": again.json()["warnings"]}
    listed = rest.call("GET", f"{LIST}?simulation_id={first['simulation_id']}")
    assert listed.json() == [first, second]


def test_lists_are_pages_or_whole(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (one,) = filled(1)
    made = rest.call("POST", simulation(), {"responses": answers(one, 5)}).json()["responses"]
    whole = rest.call("GET", f"{LIST}?persona_id={one}")
    assert whole.headers["Transfer-Encoding"] == "chunked"
    assert whole.json() == made
    seen, target = [], f"{LIST}?persona_id={one}&page_size=2"
    while target:
        page = rest.call("GET", target)
        seen.append(page.json())
        link = page.headers["Link"]
        target = link.removeprefix("<").partition(">")[0] if link else ""
    assert seen == [made[:2], made[2:4], made[4:]]
    window = "occurred_from=2026-01-01T00:00:01Z&occurred_before=2026-01-01T00:00:04Z"
    some = rest.call("GET", f"{LIST}?project_id={place.project}&question_key=q1&{window}")
    assert some.json() == [made[1], made[3]]


def test_a_list_names_something(rest: Rest) -> None:
    rest.call("GET", LIST).problem(400, "INVALID_FIELD", "simulation_id")
    rest.call("GET", f"{LIST}?page_size=1").problem(400, "INVALID_FIELD", "simulation_id")
    rest.call("GET", f"{LIST}?persona_id=").problem(400, "INVALID_FIELD", "simulation_id")
    rest.call("GET", f"{LIST}?group_id=x").problem(400, "INVALID_FIELD", "group_id")


def test_the_persona_outlives_its_deletion(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (one,) = filled(1)
    before = rest.call("GET", f"{place.path}/{one}").json()
    recorded = recorded_answer(rest, one)
    assert rest.call("DELETE", f"/api/v1/projects/{place.project}").status == 204
    assert rest.call("GET", f"{LIST}/{recorded}/persona").json() == before
    (row,) = rest.call("GET", f"{LIST}?project_id={place.project}").json()
    assert row["persona_deleted"] is True
    rest.call("GET", f"{LIST}/{one}/persona").problem(404, "RESPONSE_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rating": {"value": 1.5}}, "responses[1].rating.value"),
        ({"rating": {"value": 9, "max": 4}}, "responses[1].rating.value"),
        ({"rating": None}, "responses[1].answer"),
        ({"sentiment": 0.5}, "responses[1].sentiment"),  # beside the rating
        ({"rating": None, "sentiment": "NaN"}, "responses[1].sentiment"),
        ({"rating": None, "sentiment": "high"}, "responses[1].sentiment"),
        ({"rating": None, "choice": {"value": "a"}}, "responses[1].choice.options"),
        ({"occurred_at": "yesterday"}, "responses[1].occurred_at"),
        ({"answer": {}}, "responses[1].answer"),
        ({"persona_id": "x"}, "responses[1].persona_id"),
    ],
)
def test_a_bad_answer_is_named(
    rest: Rest, filled: Callable[[int], list[str]], change: dict[str, Any], field: str
) -> None:
    good, bad = answers(filled(1)[0], 2)
    path = simulation()
    answer = rest.call("POST", path, {"responses": [good, bad | change]})
    answer.problem(400, "INVALID_FIELD", field)
    listed = rest.call("GET", f"{LIST}?simulation_id={path.split('/')[4]}")
    assert listed.json() == []
