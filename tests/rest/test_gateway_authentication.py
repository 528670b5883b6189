"""Who calls is answered first: nobody is told what is wrong with a call that they may not make."""

import json
import uuid
from typing import NamedTuple

import pytest
from rest.conftest import Place
from rest.processes import Backend, Gateway, gateway
from rest.routes import ROUTES, Route
from rest.wire import Answer, Headers, Rest

from support.service import Service

KIND = ("Content-Type", "application/json")
TEXT = ("Content-Type", "text/plain")
SOON = ("Grpc-Timeout", "soon")
WAITS = ("Expect", "100-continue")
HUGE = ("Content-Length", str(100 << 20))


class Wrong(NamedTuple):
    """A request that something is wrong with, and what is said to who may make it."""

    status: int
    reason: str
    method: str
    end: str  # of the path, behind that of the place
    headers: Headers = ()
    body: bytes | None = None


NO_RPC = {  # no scope is asked for
    "path": Wrong(404, "UNKNOWN_PATH", "GET", "/x/nope"),
    "verb": Wrong(404, "UNKNOWN_PATH", "POST", ":nope"),
    "dots": Wrong(404, "UNKNOWN_PATH", "DELETE", "/x/.."),
    "slash": Wrong(404, "UNKNOWN_PATH", "DELETE", "/"),
    "escaped slash": Wrong(404, "UNKNOWN_PATH", "DELETE", "%2Fx"),
    "method": Wrong(405, "METHOD_NOT_ALLOWED", "PUT", "", [KIND], b"{}"),
    "method of a verb": Wrong(405, "METHOD_NOT_ALLOWED", "DELETE", "/x:promote"),
}
OF_AN_RPC = {
    "parameter": Wrong(400, "INVALID_FIELD", "DELETE", "?persona_id=x"),
    "parameter of an export": Wrong(400, "INVALID_FIELD", "GET", ":export?nope=x"),
    "number": Wrong(400, "INVALID_FIELD", "GET", "?page_size=many"),
    "query": Wrong(400, "INVALID_FIELD", "GET", "?%zz"),
    "id": Wrong(400, "INVALID_FIELD", "GET", "/%ff"),
    "key": Wrong(400, "INVALID_FIELD", "DELETE", "", [("Idempotency-Key", "a b")]),
    "timeout": Wrong(400, "INVALID_FIELD", "GET", "", [SOON]),
    "timeout of an export": Wrong(400, "INVALID_FIELD", "GET", ":export", [SOON]),
    "body": Wrong(400, "INVALID_FIELD", "DELETE", "", [KIND], b"{}"),
    "JSON": Wrong(400, "INVALID_FIELD", "POST", "", [KIND], b"{"),
    "field": Wrong(400, "INVALID_FIELD", "POST", ":batchCreate", [KIND], b'{"nope": 1}'),
    "items": Wrong(400, "INVALID_FIELD", "POST", "", [KIND], b"[" + b"{}," * 1000 + b"{}]"),
    "content type": Wrong(415, "INVALID_FIELD", "POST", "", [TEXT], b"{}"),
    "no content type": Wrong(415, "INVALID_FIELD", "POST", "", [("Content-Type", ";")], b"{}"),
    "length": Wrong(413, "MESSAGE_TOO_LARGE", "POST", "", [KIND, HUGE, WAITS]),
}
WRONG = NO_RPC | OF_AN_RPC


def send(rest: Rest, path: str, wrong: Wrong) -> Answer:
    """Send a wrong request as it is written down."""
    lines = [f"{wrong.method} {path}{wrong.end} HTTP/1.1", *map(": ".join, wrong.headers)]
    lines += [f"Content-Length: {len(wrong.body)}"] if wrong.body is not None else []
    return rest.raw("\r\n".join(lines), [wrong.body or b""])


@pytest.fixture
def running(own_gateway: Gateway) -> str:
    """A gateway that knows no token yet."""
    return own_gateway.base


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_is_answered_to_who_may_make_it(
    running: str, service: Service, place: Place, name: str
) -> None:
    wrong = WRONG[name]
    for token in (None, "", "x", service.token() + "x"):
        send(Rest(running, token), place.path, wrong).problem(401, "UNAUTHENTICATED")
    scopeless = send(Rest(running, service.token(scopes="")), place.path, wrong)
    if name in OF_AN_RPC:
        scopeless.problem(403, "PERMISSION_DENIED")
    else:
        scopeless.problem(wrong.status, wrong.reason)
    send(Rest(running, service.token()), place.path, wrong).problem(wrong.status, wrong.reason)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_every_route_asks_first_who_calls(rest: Rest, service: Service, route: Route) -> None:
    """With a parameter that no route has, and ids that are none."""
    path = f"{route.path.replace('{', '').replace('}', '')}?nope=1"
    body: dict[str, str] | None = {} if route.body else None
    Rest(f"http://{rest.host}", "x").call(route.verb, path, body).problem(401, "UNAUTHENTICATED")
    for scopes, status, reason in (("", 403, "PERMISSION_DENIED"), ("all", 400, "INVALID_FIELD")):
        one = Rest(f"http://{rest.host}", service.token(scopes=scopes))
        problem = one.call(route.verb, path, body).problem(status, reason)
        assert ("missing_scopes" in problem["metadata"]) == (status == 403)


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api", "/v1/projects", "/API/v1/projects"])
def test_outside_of_the_api_nobody_is_asked(rest: Rest, path: str) -> None:
    for token in (None, "x"):
        Rest(f"http://{rest.host}", token).call("GET", path).problem(404, "UNKNOWN_PATH")


def test_a_server_that_can_not_be_asked_tells_nothing() -> None:
    """Of the request, that is: the caller may be anybody."""
    with gateway("127.0.0.1:1") as running:
        rest = Rest(running.base, "any")
        for path in ("/api/v1/nope", "/api/v1/projects?x=1", "/api/v1/projects/x/.."):
            rest.raw(f"GET {path} HTTP/1.1").problem(503, "UNREACHABLE")


def test_asking_forwards_nothing_of_the_request(broken: Rest, backend: Backend) -> None:
    headers = [("Idempotency-Key", str(uuid.uuid4())), ("X-Request-Id", "r")]
    answer = broken.call("GET", "/api/v1/projects/NOT_FOUND?nope=1", headers=headers)
    answer.problem(400, "INVALID_FIELD", "nope")  # and not what the server says of this id
    assert dict(backend.metadata)["authorization"] == "Bearer any"
    assert json.loads(answer.body)["status"] == 400
