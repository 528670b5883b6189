"""Lists of the library and lineages over REST: pages, whole lists, and what their rows say."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from rest.conftest import Place
from rest.library import next_of, personas_of
from rest.wire import Rest

from support.answering.shelf import Shelf
from support.library import QUESTIONS, SIMULATIONS
from support.service import Service

LIBRARY = "/api/v1/library/personas"


@pytest.fixture
def own(service: Service) -> tuple[Rest, Shelf]:
    """A client of a tenant that has nothing but its own shelf."""
    token = service.token(tenant=f"t-{uuid.uuid4().hex[:20]}")
    return Rest(service.rest, token), Shelf(service.connect(token))


def test_a_lineage_is_an_object_with_and_without_a_page_size(own: tuple[Rest, Shelf]) -> None:
    rest, shelf = own
    path = f"{personas_of(shelf.place.ids)}/{shelf.copies[0].id}/lineage"
    whole = rest.call("GET", path)
    assert whole.headers["Content-Length"]
    found = whole.json()
    assert set(found) == {"personas", "next_page_token", "library_persona"}
    assert (found["next_page_token"], next_of(whole)) == ("", "")
    assert found["library_persona"]["id"] == shelf.ids[0]
    copy, origin = found["personas"][0], found["personas"][-1]
    assert (copy["relation"], copy["persona_id"]) == (
        "LIBRARY_LINK_RELATION_REUSE",
        shelf.copies[0].id,
    )
    assert (copy["project_name"], copy["group_name"]) == ("Tests", "Everyone")
    assert (copy["match_score"], copy["persona_deleted_at"]) == (1, None)
    assert origin["relation"] == "LIBRARY_LINK_RELATION_ORIGIN"
    assert (origin["match_score"], origin["linked_at"] is None) == (None, False)
    for query in ("page_size=0", "page_size=1000", "page_token="):
        assert rest.call("GET", f"{path}?{query}").json() == found


def test_pages_of_a_lineage_follow_their_links(rest: Rest, shelf: Shelf) -> None:
    path = f"{personas_of(shelf.place.ids)}/{shelf.copies[0].id}/lineage"
    whole = rest.call("GET", path).json()
    seen: list[Any] = []
    target = f"{path}?page_size=1"
    while target:
        answer = rest.call("GET", target)
        page = answer.json()
        assert (answer.headers["X-Next-Page-Token"] or "") == page["next_page_token"]
        assert page["library_persona"] == whole["library_persona"]
        assert len(page["personas"]) == 1
        seen, target = seen + page["personas"], next_of(answer)
    assert seen == whole["personas"]


def test_a_persona_outside_the_library_has_an_empty_lineage(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    (one,) = filled(1)
    found = rest.call("GET", f"{place.path}/{one}/lineage").json()
    assert found == {"personas": [], "next_page_token": "", "library_persona": None}
    assert rest.call("DELETE", f"{place.path}/{one}").status == 204
    assert rest.call("GET", f"{place.path}/{one}/lineage").json() == found


LISTS = ("library", "projects", "timeline", "matches")


def list_path(shelf: Shelf, name: str) -> str:
    """Return the path of one of the library's lists."""
    if name == "library":
        return LIBRARY
    if name == "matches":
        return personas_of(shelf.place.ids).removesuffix("personas") + "library-matches"
    return f"{LIBRARY}/{shelf.ids[0]}/{name}"


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_pages_or_whole(own: tuple[Rest, Shelf], name: str) -> None:
    rest, shelf = own
    path = list_path(shelf, name)
    whole = rest.call("GET", path)
    assert whole.headers["Transfer-Encoding"] == "chunked"
    assert next_of(whole) == ""
    everything = whole.json()
    assert len(everything) == {"projects": 2, "timeline": QUESTIONS}.get(name, len(shelf.ids))
    seen: list[Any] = []
    target = f"{path}?page_size=1"
    while target:
        answer = rest.call("GET", target)
        assert len(answer.json()) == 1
        seen, target = seen + answer.json(), next_of(answer)
    assert seen == everything
    for query in ("page_size=0", "page_token="):
        assert rest.call("GET", f"{path}?{query}").json() == everything


def test_lists_take_their_arguments(own: tuple[Rest, Shelf]) -> None:
    rest, shelf = own
    assert rest.call("POST", f"{LIBRARY}/{shelf.ids[1]}:retire").status == 200
    rest_of = [shelf.ids[0], shelf.ids[2]]
    matches = list_path(shelf, "matches")
    for path, expected in (
        (f"{LIBRARY}?order_by=created_at", rest_of),
        (f"{LIBRARY}?order_by=created_at&include_retired=false", rest_of),
        (f"{LIBRARY}?order_by=created_at&include_retired=true", shelf.ids),
        (f"{LIBRARY}?order_by=created_at%20desc&include_retired=true", shelf.ids[::-1]),
        (f"{LIBRARY}?order_by=created_at&lower_bound_min=0.8104", rest_of),
        (f"{LIBRARY}?lower_bound_min=0.8105", []),
        (f"{LIBRARY}?order_by=created_at&location=brazil&gender=FEMALE&age_min=34", rest_of),
        (f"{LIBRARY}?age_min=35", []),
    ):
        for end in ("", "&page_size=9"):
            assert [one["id"] for one in rest.call("GET", path + end).json()] == expected, path
    found = rest.call("GET", matches).json()
    assert {one["library_persona"]["id"] for one in found} == set(rest_of)
    assert rest.call("GET", f"{matches}?exclude_used_in_project=true").json() == []
    assert rest.call("GET", f"{matches}?exclude_used_in_project=false").json() == found
    key = rest.call("GET", list_path(shelf, "timeline")).json()[3]["question"]["key"]
    (one,) = rest.call("GET", f"{list_path(shelf, 'timeline')}?question_key={key}").json()
    assert one["question"]["key"] == key


def test_matches_say_their_parts(rest: Rest, shelf: Shelf, place: Place) -> None:
    groups = f"/api/v1/projects/{place.project}/persona-groups"
    wanted = {"name": "Nurses", "age_min": 30, "age_max": 38, "location": "Rio, Brazil"}
    group = rest.call("POST", groups, wanted).json()["id"]
    path = f"{groups}/{group}/library-matches"
    found = {one["library_persona"]["id"]: one for one in rest.call("GET", path).json()}
    match = found[shelf.ids[0]]
    # 34 is the middle of 30 … 38; the country fits, the city does not.
    assert match["parts"] == {"age": 1, "income_level": None, "location": 0.5, "occupation": None}
    assert match["score"] == 0.75
    assert shelf.ids[0] in {
        one["library_persona"]["id"] for one in rest.call("GET", f"{path}?min_score=0.75").json()
    }
    assert rest.call("GET", f"{path}?min_score=0.7501").json() == []


def test_a_timeline_shows_nulls_where_nothing_is_known(rest: Rest, shelf: Shelf) -> None:
    first = rest.call("GET", list_path(shelf, "timeline")).json()[0]
    assert first["choice_shift"] is None
    assert first["question"]["kind"] == "QUESTION_KIND_RATING"
    points = first["points"]
    assert [point["value"] for point in points] == [4] * SIMULATIONS
    assert [point["choice"] for point in points] == [None] * SIMULATIONS
    shift = first["numeric_shift"]
    assert (shift["first"], shift["last"], shift["mean"], shift["change"]) == (4, 4, 4, 0)
    assert (shift["reliable_change"], shift["reliable_change_reason"]) == (
        None,
        "UNDEFINED_REASON_TOO_FEW_DIFFERENCES",
    )
    assert (shift["trend"], shift["trend_reason"]) == (None, "UNDEFINED_REASON_TOO_FEW_POINTS")
    assert shift["slope"] == {
        "value": 0,
        "low": None,
        "high": None,
        "per": "SLOPE_UNIT_SIMULATION",
    }
    assert shift["interval_reason"] == "UNDEFINED_REASON_NO_RESIDUALS"
