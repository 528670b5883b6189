"""Export over REST: one persona a line, no envelope, whole or cut."""

import uuid
from collections.abc import Callable
from http.client import IncompleteRead

import pytest
from rest.conftest import Place
from rest.wire import Rest

from support.service import Service

GROUP = "/api/v1/projects/x/persona-groups/y/personas:export"


def test_one_persona_a_line(rest: Rest, place: Place, filled: Callable[[int], list[str]]) -> None:
    everything = filled(2300)
    answer = rest.call("GET", f"{place.path}:export")
    rows = answer.lines()
    assert [row["id"] for row in rows] == everything
    assert rows == rest.call("GET", place.path).json()
    assert answer.headers["Transfer-Encoding"] == "chunked"


def test_an_empty_group_is_an_empty_body(rest: Rest, place: Place) -> None:
    answer = rest.call("GET", f"{place.path}:export")
    assert (answer.status, answer.lines()) == (200, [])


def test_filters_apply(rest: Rest, place: Place, filled: Callable[[int], list[str]]) -> None:
    filled(60)
    rows = rest.call("GET", f"{place.path}:export?age_min=30&age_max=31").lines()
    assert [row["age"] for row in rows] == [30, 31]


def test_an_error_before_the_first_line_is_a_problem(
    service: Service, rest: Rest, place: Place
) -> None:
    nobody = place.path.replace(place.group, str(uuid.uuid4()))
    rest.call("GET", f"{nobody}:export").problem(404, "PERSONA_GROUP_NOT_FOUND")
    rest.call("GET", f"{place.path}:export?age_min=x").problem(400, "INVALID_FIELD", "age_min")
    rest.call("GET", f"{place.path}:export?page_size=5").problem(400, "INVALID_FIELD", "page_size")
    rest.call("GET", f"{place.path}:export?age_min=131").problem(400, "INVALID_FIELD", "age_min")
    answer = Rest(service.rest, None).call("GET", f"{place.path}:export")
    answer.problem(401, "UNAUTHENTICATED")


def test_a_failure_in_mid_body_cuts_the_connection(broken: Rest) -> None:
    with pytest.raises(IncompleteRead) as cut:
        broken.call("GET", f"{GROUP}?age_max=3")
    lines = cut.value.partial.splitlines(keepends=True)
    assert len(lines) == 3
    assert all(line.startswith(b'{"id"') and line.endswith(b"}\n") for line in lines)


def test_http_1_0_sees_the_cut_as_a_reset(broken: Rest) -> None:
    with pytest.raises(ConnectionResetError):
        broken.raw(f"GET {GROUP}?age_max=3 HTTP/1.0")


def test_head_has_no_lines(rest: Rest, place: Place, filled: Callable[[int], list[str]]) -> None:
    filled(3)
    answer = rest.call("HEAD", f"{place.path}:export")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
