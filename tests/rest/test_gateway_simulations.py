"""Simulations and questions over REST, and warnings beside what was recorded."""

import uuid
from collections.abc import Callable

from rest.conftest import Place
from rest.wire import Rest


def test_a_simulation_is_created_named_and_found(rest: Rest, place: Place) -> None:
    path = f"/api/v1/projects/{place.project}/simulations"
    made = rest.call("POST", path, {"name": "Wave 1", "model": "m"})
    assert made.status == 201
    simulation = made.json()
    assert (simulation["first_answer_at"], simulation["response_count"]) == (None, 0)
    assert rest.call("GET", f"{path}/{simulation['id']}").json() == simulation
    rest.call("POST", path, {"name": "Wave 1"}).problem(409, "ALREADY_EXISTS")
    changed = rest.call("PATCH", f"{path}/{simulation['id']}?update_mask=model", {"name": "X"})
    assert (changed.json()["name"], changed.json()["model"]) == ("Wave 1", "")
    assert rest.call("GET", f"{path}?name=Wave%201").json() == [changed.json()]
    assert rest.call("GET", f"{path}?name=X").json() == []
    rest.call("GET", f"{path}/{uuid.uuid4()}").problem(404, "SIMULATION_NOT_FOUND")


def test_questions_and_warnings(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (one,) = filled(1)
    simulation = str(uuid.uuid4())
    choice = {"choice": {"value": "b", "options": ["b", "a"]}}
    said = {"persona_id": one, "question_key": "brew", **choice}
    path = f"/api/v1/simulations/{simulation}/responses"
    recorded = rest.call("POST", path, {"responses": [said, said]}).json()
    first, second = recorded["responses"]
    (warning,) = recorded["warnings"]
    assert (warning["index"], warning["earlier_response_id"]) == (1, first["id"])
    assert warning["reason"] == "RECORD_WARNING_REASON_DUPLICATE_ANSWER"
    project = f"/api/v1/projects/{place.project}"
    (asked,) = rest.call("GET", f"{project}/questions").json()
    assert asked["question"]["options"] == ["b", "a"]
    assert (asked["response_count"], asked["individual_count"]) == (2, 1)
    assert rest.call("GET", f"{project}/simulations/{simulation}/questions").json() == [asked]
    assert rest.call("GET", f"/api/v1/responses/{second['id']}").json() == second
