"""Errors: problem+json for every one, from the service's details or from a bare status of gRPC."""

import json
import re
import socket
import uuid

import grpc
import pytest
from rest.conftest import Place
from rest.flood import dial, start
from rest.processes import SECRET, Backend, gateway
from rest.wire import Rest

from support.service import Service
from support.waiting import LIMIT

NOBODY = str(uuid.UUID(int=7))


def test_not_found_says_what_is_missing(rest: Rest, place: Place) -> None:
    missing = {
        "PROJECT_NOT_FOUND": place.path.replace(place.project, NOBODY),
        "PERSONA_GROUP_NOT_FOUND": place.path.replace(place.group, NOBODY),
        "PERSONA_NOT_FOUND": f"{place.path}/{NOBODY}",
    }
    for reason, path in missing.items():
        problem = rest.call("GET", path).problem(404, reason)
        assert (problem["code"], problem["title"]) == ("NOT_FOUND", "Not Found")
        assert problem["violations"] == []


def test_a_taken_id_is_409(rest: Rest, place: Place) -> None:
    made = rest.call("POST", place.path, {"full_name": "X"}).json()
    answer = rest.call("POST", place.path, {"id": made["id"], "full_name": "Y"})
    problem = answer.problem(409, "ALREADY_EXISTS")
    assert problem["code"] == "ALREADY_EXISTS"
    assert problem["metadata"]["state"] == "visible"


def test_every_bad_field_is_named(rest: Rest, place: Place) -> None:
    body = {"full_name": "", "age": 200, "income_level": "Huge"}
    problem = rest.call("POST", place.path, body).problem(400, "INVALID_FIELD")
    named = {violation["field"]: violation["description"] for violation in problem["violations"]}
    assert set(named) == {"full_name", "age", "income_level"}
    assert all(named.values())
    assert problem["detail"].startswith("full_name: ")
    assert problem["metadata"]["field"] == "full_name"
    assert problem["code"] == "INVALID_ARGUMENT"


def test_a_bad_page_token_is_400(rest: Rest, place: Place) -> None:
    rest.call("GET", f"{place.path}?page_token=x").problem(400, "INVALID_PAGE_TOKEN")


def test_no_token_or_a_bad_one_is_401(service: Service, place: Place) -> None:
    for token in (None, "", "x", "x" * 8000):
        answer = Rest(service.rest, token).call("GET", place.path)
        assert answer.problem(401, "UNAUTHENTICATED")["code"] == "UNAUTHENTICATED"


def test_a_missing_scope_is_403(service: Service, place: Place) -> None:
    reader = Rest(service.rest, service.token(scopes="personas:read"))
    assert reader.call("GET", place.path).json() == []
    problem = reader.call("DELETE", place.path).problem(403, "PERMISSION_DENIED")
    assert problem["metadata"]["missing_scopes"] == "personas:write"


STATUSES = {
    "CANCELLED": (503, "UNREACHABLE"),
    "UNKNOWN": (500, "INTERNAL"),
    "INVALID_ARGUMENT": (500, "INTERNAL"),
    "DEADLINE_EXCEEDED": (504, "DEADLINE_EXCEEDED"),
    "NOT_FOUND": (500, "INTERNAL"),
    "ALREADY_EXISTS": (500, "INTERNAL"),
    "PERMISSION_DENIED": (403, "PERMISSION_DENIED"),
    "RESOURCE_EXHAUSTED": (503, "UNREACHABLE"),
    "FAILED_PRECONDITION": (500, "INTERNAL"),
    "ABORTED": (500, "INTERNAL"),
    "OUT_OF_RANGE": (500, "INTERNAL"),
    "UNIMPLEMENTED": (404, "UNKNOWN_PATH"),
    "INTERNAL": (500, "INTERNAL"),
    "UNAVAILABLE": (503, "UNREACHABLE"),
    "DATA_LOSS": (500, "INTERNAL"),
    "UNAUTHENTICATED": (401, "UNAUTHENTICATED"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_bare_status_gets_a_text_of_its_own(broken: Rest, name: str) -> None:
    status, reason = STATUSES[name]
    answer = broken.call("GET", f"/api/v1/projects/{name}")
    problem = answer.problem(status, reason)
    assert SECRET not in answer.body.decode()
    assert problem["detail"]
    assert problem["title"]
    codes = {"UNREACHABLE": "UNAVAILABLE", "UNKNOWN_PATH": "NOT_FOUND"}
    assert problem["code"] == codes.get(reason, reason)
    assert answer.headers["Retry-After"] == ("1" if reason == "UNREACHABLE" else None)


def test_every_code_is_covered() -> None:
    assert set(STATUSES) == set(grpc.StatusCode.__members__) - {"OK"}


def test_an_internal_error_is_in_the_log_under_its_id(backend: Backend) -> None:
    with gateway(backend.address) as running:
        answer = Rest(running.base, "secret-token").call("GET", "/api/v1/projects/INTERNAL")
        error_id = answer.problem(500, "INTERNAL")["metadata"]["error_id"]
        code, log = running.stop()
    (line,) = [line for line in log if line.get("error_id") == error_id]
    assert (code, line["level"], line["request_id"]) == (
        0,
        "error",
        answer.headers["X-Request-Id"],
    )
    assert SECRET in line["cause"]
    assert "secret-token" not in json.dumps(log)


def test_a_server_that_is_gone_is_503(backend: Backend, broken: Rest) -> None:
    assert broken.call("GET", "/api/v1/projects/x").status == 200
    backend.stop()
    people = "/api/v1/projects/x/persona-groups/y/personas"
    reads = ("/api/v1/projects/x", "/api/v1/projects", f"{people}?page_size=1", f"{people}:export")
    answers = [broken.call("GET", path) for path in reads]
    answers.append(broken.call("POST", people, {"full_name": "X"}))
    answers.append(broken.call("DELETE", people))
    for answer in answers:
        assert answer.problem(503, "UNREACHABLE")["code"] == "UNAVAILABLE"
        assert answer.headers["Retry-After"] == "1"
    # Who calls is known, and so is what is wrong with this.
    broken.call("GET", "/api/v1/projects/x?y=1").problem(400, "INVALID_FIELD", "y")


def test_who_shuts_the_side_on_which_it_sends_is_told_so(backend: Backend) -> None:
    """It counts as one who has left, since nothing on the wire tells them apart."""
    with gateway(backend.address) as running, dial(running) as connection:
        connection.sendall(start("GET", "/api/v1/projects/wait", "any"))
        assert backend.called.wait(LIMIT)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while piece := connection.recv(4096):
            found += piece
    assert found.startswith(b"HTTP/1.1 503 ")
    assert b"The caller shut its side of the connection before the answer." in found


def test_a_passed_deadline_is_504(backend: Backend, broken: Rest) -> None:
    short = [("Grpc-Timeout", "100m")]
    problem = broken.call("GET", "/api/v1/projects/wait", headers=short).problem(
        504, "DEADLINE_EXCEEDED"
    )
    assert problem["code"] == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("value", ["0S", "0n", "1n"])
def test_a_deadline_that_has_passed_already_is_504(broken: Rest, value: str) -> None:
    answer = broken.call("GET", "/api/v1/projects/x", headers=[("Grpc-Timeout", value)])
    assert "Nothing was done" in answer.problem(504, "DEADLINE_EXCEEDED")["detail"]


@pytest.mark.parametrize("name", ["If-Match", "If-Unmodified-Since"])
def test_conditions_of_a_change_are_refused_and_not_passed_over(
    rest: Rest, place: Place, name: str
) -> None:
    path, condition = f"/api/v1/projects/{place.project}", [(name, "*")]
    before = rest.call("GET", path).json()
    for verb, body in (("GET", None), ("PATCH", {"name": "Other"}), ("DELETE", None)):
        answer = rest.call(verb, path, body, headers=condition)
        answer.problem(400, "INVALID_FIELD", name)
    assert rest.call("GET", path).json() == before


def test_a_change_of_what_is_not_there_is_refused_and_not_passed_over(
    rest: Rest, place: Place
) -> None:
    path = f"/api/v1/projects/{place.project}"
    before = rest.call("GET", path).json()
    for verb, body in (("PATCH", {"name": "Other"}), ("DELETE", None)):
        answer = rest.call(verb, path, body, headers=[("If-None-Match", "*")])
        answer.problem(400, "INVALID_FIELD", "If-None-Match")
    assert rest.call("GET", path).json() == before


@pytest.mark.parametrize("value", ["", "5", "S", "-1S", "1.5S", "999999999S", "5s", " 5 S", "5SS"])
def test_a_malformed_timeout_is_refused(broken: Rest, value: str) -> None:
    answer = broken.call("GET", "/api/v1/projects/x", headers=[("Grpc-Timeout", value)])
    answer.problem(400, "INVALID_FIELD", "Grpc-Timeout")


@pytest.mark.parametrize("value", ["1H", "99999999H", "60M", "60S", "59999m", "99999999u"])
def test_a_timeout_in_any_unit_is_taken(broken: Rest, backend: Backend, value: str) -> None:
    answer = broken.call("GET", "/api/v1/projects/x", headers=[("Grpc-Timeout", value)])
    assert answer.status == 200


def test_retry_after_is_in_whole_seconds(broken: Rest) -> None:
    answer = broken.call("GET", "/api/v1/projects/UNAVAILABLE")
    assert re.fullmatch(r"\d+", answer.headers["Retry-After"])
