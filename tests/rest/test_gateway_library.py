"""The library over REST: statuses, bodies with their nulls, and why a promotion is refused."""

import uuid
from collections.abc import Callable

import pytest
from rest.conftest import Place, recorded_answer
from rest.library import personas_of
from rest.wire import Rest, is_uuid

from support.answering.shelf import Shelf
from support.library import BOUND, PEERS, QUESTIONS, SIMULATIONS
from support.service import Service

LIBRARY = "/api/v1/library/personas"
NULL_MEASURES = ("coefficient", "lower_bound", "attainable", "contradiction_rate")


def answer_reliably(rest: Rest, place: Place) -> str:
    """Record by REST what makes a new persona of the place eligible, and return its id."""
    people = [{"full_name": f"Person {i}"} for i in range(len(PEERS) + 1)]
    made = rest.call("POST", f"{place.path}:batchCreate", {"personas": people}).json()
    one, *peers = [person["id"] for person in made]
    tag = uuid.uuid4()
    for day in range(SIMULATIONS):
        given = [(one, 4), *zip(peers, PEERS, strict=True)]
        answers = [
            {
                "persona_id": persona,
                "question_key": f"{tag}-{i}",
                "rating": {"value": 6 - value if i % 2 else value, "min": 1, "max": 5},
                "occurred_at": f"2026-01-0{day + 1}T00:00:00Z",
            }
            for persona, value in given
            for i in range(QUESTIONS)
        ]
        path = f"/api/v1/simulations/{uuid.uuid4()}/responses"
        assert rest.call("POST", path, {"responses": answers}).status == 200
    return str(one)


def test_a_promotion_is_created_and_created_again(rest: Rest, place: Place) -> None:
    one = answer_reliably(rest, place)
    first = rest.call("POST", f"{place.path}/{one}:promote")
    assert first.status == 201
    found = first.json()
    assert is_uuid(found["id"])
    assert (found["origin_project_id"], found["origin_persona_id"]) == (place.project, one)
    assert (found["project_count"], found["response_count"]) == (1, QUESTIONS * SIMULATIONS)
    assert found["retired_at"] is None
    profile = found["profile"]
    assert profile["full_name"] == "Person 0"
    assert (profile["id"], profile["project_id"], profile["group_id"]) == ("", "", "")
    assert profile["library_persona_id"] is None
    measured = found["reliability"]
    assert measured["status"] == "RELIABILITY_STATUS_ELIGIBLE"
    assert measured["lower_bound"] == measured["attainable"] == pytest.approx(BOUND, abs=1e-6)
    assert (measured["coefficient"], measured["contradiction_rate"]) == (1, 0)
    again = rest.call("POST", f"{place.path}/{one}:promote", {})
    assert (again.status, again.json()) == (201, found)
    assert first.headers["Location"] == again.headers["Location"] == f"{LIBRARY}/{found['id']}"
    assert rest.call("GET", first.headers["Location"]).json() == found
    # The persona itself is as it was.
    assert rest.call("GET", f"{place.path}/{one}").json()["library_persona_id"] is None


def test_a_promotion_is_safe_to_retry(rest: Rest, place: Place) -> None:
    one, key = answer_reliably(rest, place), [("Idempotency-Key", str(uuid.uuid4()))]
    first = rest.call("POST", f"{place.path}/{one}:promote", headers=key)
    again = rest.call("POST", f"{place.path}/{one}:promote", headers=key)
    assert (first.status, again.status) == (201, 201)
    assert first.json() == again.json()
    other = rest.call("POST", f"{place.path}/{answer_reliably(rest, place)}:promote", headers=key)
    other.problem(400, "REQUEST_ID_REUSED")


def test_who_is_not_eligible_is_told_every_rule(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (one,) = filled(1)
    recorded_answer(rest, one)
    problem = rest.call("POST", f"{place.path}/{one}:promote").problem(400, "NOT_ELIGIBLE")
    assert (problem["code"], problem["violations"]) == ("FAILED_PRECONDITION", [])
    assert problem["metadata"] == {"persona_id": one, "status": "INSUFFICIENT_DATA"}
    found = rest.call("GET", f"{place.path}/{one}/reliability").json()
    told = problem["reliability"]
    assert told | {"measured_at": found["measured_at"], "models": found["models"]} == found
    assert len(told["rules"]) == 7
    nobody = f"{place.path}/{uuid.uuid4()}:promote"
    assert "reliability" not in rest.call("POST", nobody).problem(404, "PERSONA_NOT_FOUND")


def test_what_is_undefined_is_null_beside_its_reason(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (one,) = filled(1)
    found = rest.call("GET", f"{place.path}/{one}/reliability").json()
    assert found["status"] == "RELIABILITY_STATUS_INSUFFICIENT_DATA"
    assert {name: found[name] for name in NULL_MEASURES} == dict.fromkeys(NULL_MEASURES)
    assert found["coefficient_reason"] == "UNDEFINED_REASON_NO_REPEATED_QUESTION"
    assert found["contradiction_rate_reason"] == "UNDEFINED_REASON_NO_COMPARABLE_PAIR"
    assert (found["library_persona_id"], found["promotion_pending"]) == (None, False)
    rules = {rule["name"]: rule for rule in found["rules"]}
    assert rules["simulations"] == {"name": "simulations", "figure": 0, "limit": 3, "holds": False}
    assert rules["lower_bound"] == {
        "name": "lower_bound",
        "figure": None,
        "limit": 0.7,
        "holds": False,
    }
    assert (found["contradictions"], found["models"]) == ([], [])


def test_both_paths_measure_the_same_individual(rest: Rest, shelf: Shelf) -> None:
    by_library = rest.call("GET", f"{LIBRARY}/{shelf.ids[0]}/reliability").json()
    assert by_library["library_persona_id"] == shelf.ids[0]
    origin = shelf.library_personas[0].origin_persona_id
    for place, persona in ((shelf.home, origin), (shelf.place, shelf.copies[0].id)):
        path = f"{personas_of(place.ids)}/{persona}/reliability"
        found = rest.call("GET", path).json()
        assert found.pop("measured_at")
        assert found | {"measured_at": by_library["measured_at"]} == by_library
        followed = rest.call("GET", f"{personas_of(place.ids)}/{persona}/timeline").json()
        assert followed == rest.call("GET", f"{LIBRARY}/{shelf.ids[0]}/timeline").json() != []
    rest.call("GET", f"{LIBRARY}/{origin}/reliability").problem(404, "LIBRARY_PERSONA_NOT_FOUND")


def test_an_individual_is_named_in_one_way(rest: Rest, shelf: Shelf) -> None:
    """What another path names is no parameter of this one, even where it agrees."""
    persona = f"{personas_of(shelf.place.ids)}/{shelf.copies[0].id}/reliability"
    library = f"{LIBRARY}/{shelf.ids[0]}/reliability"
    ids = {**shelf.place.ids, "persona_id": shelf.copies[0].id}
    rest.call("GET", f"{persona}?library_persona_id={shelf.ids[0]}").problem(400, "INVALID_FIELD")
    for name, value in ids.items():
        rest.call("GET", f"{library}?{name}={value}").problem(400, "INVALID_FIELD")


def test_retiring_is_for_good_and_ends_reuse(rest: Rest, place: Place, service: Service) -> None:
    library = rest.call("POST", f"{place.path}/{answer_reliably(rest, place)}:promote").json()
    path = f"{LIBRARY}/{library['id']}"
    retired = rest.call("POST", f"{path}:retire")
    assert retired.status == 200
    assert retired.json() == library | {"retired_at": retired.json()["retired_at"]}
    assert retired.json()["retired_at"] is not None
    assert rest.call("POST", f"{path}:retire", {}).json() == retired.json()
    assert rest.call("GET", path).json() == retired.json()
    group = {"name": "Another"}
    groups = f"/api/v1/projects/{place.project}/persona-groups"
    other = f"{groups}/{rest.call('POST', groups, group).json()['id']}/personas"
    again = rest.call("POST", f"{other}:reuse", {"library_persona_ids": [library["id"]]})
    problem = again.problem(400, "LIBRARY_PERSONA_RETIRED")
    assert problem["code"] == "FAILED_PRECONDITION"
    assert problem["metadata"]["library_persona_id"] == library["id"]
    assert rest.call("GET", other).json() == []


def test_reused_personas_are_personas_of_the_group(rest: Rest, place: Place, shelf: Shelf) -> None:
    answer = rest.call("POST", f"{place.path}:reuse", {"library_persona_ids": shelf.ids[::-1]})
    assert answer.status == 200
    made = answer.json()
    assert [one["library_persona_id"] for one in made] == shelf.ids[::-1]
    assert rest.call("GET", place.path).json() == made
    for one in made:
        assert (one["project_id"], one["group_id"]) == (place.project, place.group)
        assert one["full_name"] == shelf.library_personas[0].profile.full_name
    twice = rest.call("POST", f"{place.path}:reuse", {"library_persona_ids": [shelf.ids[0]]})
    assert twice.problem(409, "ALREADY_EXISTS")["code"] == "ALREADY_EXISTS"


def test_lineage_and_reliability_outlive_what_they_are_of(rest: Rest, place: Place) -> None:
    one = answer_reliably(rest, place)
    library = rest.call("POST", f"{place.path}/{one}:promote").json()
    assert rest.call("DELETE", f"/api/v1/projects/{place.project}").status == 204
    (link,) = rest.call("GET", f"{place.path}/{one}/lineage").json()["personas"]
    assert link["persona_deleted_at"] is not None
    assert rest.call("GET", f"{LIBRARY}/{library['id']}/projects").json() == [link]
    assert rest.call("GET", f"{LIBRARY}/{library['id']}").json() == library
    measured = rest.call("GET", f"{place.path}/{one}/reliability").json()
    assert measured["lower_bound"] == library["reliability"]["lower_bound"]
    rows = rest.call("GET", f"/api/v1/responses?library_persona_id={library['id']}").json()
    assert len(rows) == QUESTIONS * SIMULATIONS
    assert all(row["persona_deleted"] for row in rows)


@pytest.mark.parametrize("name", ["", "/reliability", "/projects", "/timeline", ":retire"])
def test_an_individual_that_is_not_there(rest: Rest, name: str) -> None:
    method = "POST" if name == ":retire" else "GET"
    for query in ("", "?page_size=1") if name in ("/projects", "/timeline") else ("",):
        answer = rest.call(method, f"{LIBRARY}/{uuid.uuid4()}{name}{query}")
        answer.problem(404, "LIBRARY_PERSONA_NOT_FOUND")
    rest.call(method, f"{LIBRARY}/x{name}").problem(400, "INVALID_FIELD", "library_persona_id")


def test_a_group_is_promoted_page_by_page(rest: Rest, place: Place) -> None:
    """A request that is a body has its token there: no link is the next one."""
    one = answer_reliably(rest, place)
    rest.call("POST", place.path, {"full_name": "Nobody asked"})
    first = rest.call("POST", f"{place.path}:promote", {"page_size": 1})
    assert (first.status, first.headers["Link"]) == (200, None)
    token = first.json()["next_page_token"]
    assert first.headers["X-Next-Page-Token"] == token != ""
    (promotion,) = first.json()["promotions"]
    assert (promotion["persona_id"], promotion["explanation"]) == (one, "")
    assert promotion["outcome"] == "PROMOTION_OUTCOME_PROMOTED"
    assert rest.call("GET", f"{LIBRARY}/{promotion['library_persona_id']}").status == 200
    last = rest.call("POST", f"{place.path}:promote", {"page_token": token})
    assert last.json()["next_page_token"] == ""
    assert last.headers["X-Next-Page-Token"] is None
    promotion = last.json()["promotions"][-1]
    assert promotion["outcome"] == "PROMOTION_OUTCOME_INSUFFICIENT_DATA"
    assert promotion["library_persona_id"] is None
    empty = rest.call("POST", f"{place.path}:promote", {"persona_ids": [str(uuid.uuid4())]})
    assert empty.json()["promotions"][0]["outcome"] == "PROMOTION_OUTCOME_PERSONA_NOT_FOUND"
