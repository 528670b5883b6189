"""Paths and methods: what is no route is an error, and never another route."""

import uuid
from collections.abc import Callable

import pytest
from rest.conftest import Place, recorded_answer
from rest.routes import ROUTES, Route, by_path, without_path
from rest.wire import Rest

from support.answering.shelf import Shelf

ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def test_every_rpc_but_import_has_a_path() -> None:
    assert without_path() == {"persona.v1.PersonaService.ImportPersonas"}


@pytest.mark.parametrize("path", by_path())
def test_a_wrong_method_is_405_and_names_the_right_ones(rest: Rest, path: str) -> None:
    right = {route.verb for route in by_path()[path]}
    right |= {"HEAD"} if "GET" in right else set()
    for method in ALL:
        if method in right:
            continue
        answer = rest.call(method, path.replace("{", "").replace("}", ""))
        if method != "HEAD":
            answer.problem(405, "METHOD_NOT_ALLOWED")
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == right


@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1", "/api/v2/projects", "/api/v1/project", "/readyz/x", "/API/v1/projects"],
)
@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_an_unknown_path_is_404(rest: Rest, method: str, path: str) -> None:
    rest.call(method, path).problem(404, "UNKNOWN_PATH")


@pytest.mark.parametrize("target", ["*", "//", "//api/v1/projects"])
def test_a_target_that_is_no_path_is_404(rest: Rest, target: str) -> None:
    rest.raw(f"OPTIONS {target} HTTP/1.1").problem(404, "UNKNOWN_PATH")


@pytest.mark.parametrize(
    "end",
    [
        "/",
        "//",
        "/.",
        "/..",
        "/x/..",
        "/x/../",
        "/x/%2e%2e",
        "/x/.%2E",
        "/%2e",
        "/x/.",
        "/x/",
        "/x%2F..",
        "/x%2fy",
        "%2F",
        "%2F..",
        "/../personas",
        ":nope",
    ],
)
def test_a_path_that_could_be_read_as_another_deletes_nothing(
    rest: Rest, place: Place, filled: Callable[[int], list[str]], end: str
) -> None:
    filled(2)
    for method in ("DELETE", "GET", "POST"):
        rest.raw(f"{method} {place.path}{end} HTTP/1.1").problem(404, "UNKNOWN_PATH")
    encoded_slash = place.path.replace("/personas", "%2Fpersonas")
    rest.raw(f"DELETE {encoded_slash} HTTP/1.1").problem(404, "UNKNOWN_PATH")
    assert len(rest.call("GET", place.path).json()) == 2


def test_an_empty_id_is_404(rest: Rest, place: Place) -> None:
    for path in (
        f"/api/v1/projects/{place.project}/persona-groups//personas",
        "/api/v1/projects//",
    ):
        rest.call("DELETE", path).problem(404, "UNKNOWN_PATH")


def test_a_verb_is_no_part_of_an_id(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    """A verb that there is takes its own method alone; one that there is not is no path at all."""
    (known,) = filled(1)
    verbs = {f"/{known}:promote": "POST", ":reuse": "POST", ":export": "GET, HEAD"}
    for end, right in verbs.items():
        answer = rest.call("DELETE", place.path + end)
        answer.problem(405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"] == right
        escaped = rest.call("DELETE", place.path + end.replace(":", "%3A"))
        escaped.problem(405, "METHOD_NOT_ALLOWED")
    for method in ALL:
        answer = rest.call(method, f"{place.path}/{known}:nope")
        assert answer.status == 404
        if method != "HEAD":
            answer.problem(404, "UNKNOWN_PATH")
    assert rest.call("GET", f"{place.path}/{known}").status == 200


@pytest.mark.parametrize("colon", ["%3A", "%3a"])
def test_an_escaped_colon_is_one(rest: Rest, place: Place, colon: str) -> None:
    path = f"{place.path}{colon}batchCreate"
    made = rest.call("POST", path, {"personas": [{"full_name": "X"}]}).json()
    assert rest.call("GET", f"{place.path}{colon}export").lines() == made
    promote = rest.call("POST", f"{place.path}/{made[0]['id']}{colon}promote")
    promote.problem(400, "NOT_ELIGIBLE")


@pytest.mark.parametrize("end", ["%253AbatchCreate", "%25253AbatchCreate", "%2F:batchCreate"])
def test_nothing_is_unescaped_twice(rest: Rest, place: Place, end: str) -> None:
    body = {"personas": [{"full_name": "X"}]}
    rest.call("POST", f"{place.path}{end}", body).problem(404, "UNKNOWN_PATH")
    rest.call("GET", f"{place.path}/x%253Aexport").problem(400, "INVALID_FIELD", "persona_id")
    slash = place.path.replace("/personas", "%252Fpersonas")
    rest.call("GET", slash).problem(400, "INVALID_FIELD", "group_id")
    assert rest.call("GET", place.path).json() == []


def test_an_escaped_id_is_the_same_id(rest: Rest, place: Place) -> None:
    escaped = "".join(f"%{ord(c):02X}" for c in place.project)
    assert rest.call("GET", f"/api/v1/projects/{escaped}").json()["id"] == place.project


@pytest.mark.parametrize(("end", "field"), [("%ff", "project_id"), ("%00", "project_id")])
def test_an_id_that_is_no_text_is_refused(rest: Rest, end: str, field: str) -> None:
    rest.call("GET", f"/api/v1/projects/{end}").problem(400, "INVALID_FIELD", field)


def test_methods_can_not_be_overridden(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    filled(1)
    override = [("X-HTTP-Method-Override", "DELETE")]
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    rest.call("POST", place.path, b"", override, sent=form).problem(400, "INVALID_FIELD", "body")
    rest.call("POST", place.path, b"a=b", override, sent=form).problem(
        415, "INVALID_FIELD", "Content-Type"
    )
    assert len(rest.call("GET", place.path, headers=override).json()) == 1


@pytest.mark.parametrize("route", [r for r in ROUTES if r.verb == "GET"], ids=lambda r: r.key)
def test_head_is_get_without_a_body(
    rest: Rest, place: Place, filled: Callable[[int], list[str]], shelf: Shelf, route: Route
) -> None:
    ids = {"project_id": place.project, "group_id": place.group, "persona_id": filled(1)[0]}
    recorded = recorded_answer(rest, ids["persona_id"])
    simulation = rest.call("GET", f"/api/v1/responses/{recorded}").json()["simulation_id"]
    ids |= {"response_id": recorded, "simulation_id": simulation}
    path = route.path.format(**ids, library_persona_id=shelf.ids[0])
    path += f"?persona_id={ids['persona_id']}" if route.name == "ListResponses" else ""
    get, head = rest.call("GET", path), rest.call("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]
    if not route.name.endswith(
        "Reliability"
    ):  # whose time of measuring has as many digits as it needs
        assert head.headers["Content-Length"] in (None, get.headers["Content-Length"])


def test_head_of_what_is_not_there_has_its_status(rest: Rest) -> None:
    answer = rest.call("HEAD", f"/api/v1/projects/{uuid.uuid4()}")
    assert (answer.status, answer.body) == (404, b"")
