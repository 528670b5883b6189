"""Headers: what goes on to the server, what comes back, and what may be there once only."""

import uuid
from collections.abc import Callable

import pytest
from rest.conftest import Place
from rest.processes import Backend
from rest.wire import Rest, is_uuid

from support.service import Service

X = "/api/v1/projects/x"


@pytest.mark.parametrize("name", ["a", "!~", "x" * 128, "0f8fad5b-d9cb-469f-a165-70867728950e"])
def test_a_request_id_is_kept(broken: Rest, backend: Backend, name: str) -> None:
    for path in (X, "/api/v1/projects/NOT_FOUND", f"{X}?y=1", "/nowhere"):
        answer = broken.call("GET", path, headers=[("X-Request-Id", name)])
        assert answer.headers["X-Request-Id"] == name
    broken.call("GET", X, headers=[("X-Request-Id", name)])
    assert ("x-request-id", name) in backend.metadata


@pytest.mark.parametrize("given", [[], [""], ["x" * 129], ["a b"], ["\xe9"], ["\t"], ["a", "b"]])
def test_another_request_id_is_replaced(broken: Rest, backend: Backend, given: list[str]) -> None:
    made = set()
    for _ in range(2):
        answer = broken.call("GET", X, headers=[("X-Request-Id", value) for value in given])
        made.add(answer.headers["X-Request-Id"])
        assert ("x-request-id", answer.headers["X-Request-Id"]) in backend.metadata
    assert len(made) == 2
    assert all(is_uuid(value) for value in made)


def test_nothing_but_five_headers_is_forwarded(broken: Rest, backend: Backend) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    forwarded = {
        "authorization": "Bearer any",
        "x-request-id": "r",
        "idempotency-key": str(uuid.uuid4()),
        "traceparent": trace,
        "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    }
    others = [
        ("Grpc-Metadata-X", "1"),
        ("Grpc-Metadata-Authorization", "Bearer other"),
        ("Grpc-Metadata-X-Bin", "AAAA"),
        ("Grpcgateway-Authorization", "Bearer other"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Forwarded-Host", "elsewhere"),
        ("Cookie", "a=b"),
        ("Accept-Language", "en"),
        ("TE", "trailers"),
        ("Baggage", "k=v"),
    ]
    answer = broken.call("GET", X, headers=[*forwarded.items(), *others])
    assert answer.status == 200
    assert {key: value for key, value in backend.metadata if key != "user-agent"} == forwarded


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NO_TRACES = [  # W3C Trace Context, level 1
    *("", "x", "00-zz-1-1", "00-" + "a" * 200, "é"),
    *(f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01"),
    *(f"00-{TRACE}-{SPAN}-01-more", f"cc-{TRACE}-{SPAN}-01-{'x' * 74}"),
]


def test_a_trace_of_a_later_version_is_forwarded(broken: Rest, backend: Backend) -> None:
    trace = f"cc-{TRACE}-{SPAN}-01-what-more"
    assert broken.call("GET", X, headers=[("Traceparent", trace)]).status == 200
    assert dict(backend.metadata)["traceparent"] == trace


@pytest.mark.parametrize("trace", NO_TRACES)
def test_a_malformed_traceparent_is_left_out(broken: Rest, backend: Backend, trace: str) -> None:
    assert broken.call("GET", X, headers=[("Traceparent", trace)]).status == 200
    assert "traceparent" not in dict(backend.metadata)


@pytest.mark.parametrize(
    ("states", "forwarded"),
    [
        (["a=1", "b=2"], "a=1,b=2"),
        (["a=" + "x" * 510], "a=" + "x" * 510),
        (["a=" + "x" * 511], None),
        (["a=é"], None),
        ([""], None),
    ],
)
def test_a_tracestate_goes_with_its_trace(
    broken: Rest, backend: Backend, states: list[str], forwarded: str | None
) -> None:
    named = [("Tracestate", state) for state in states]
    trace = ("Traceparent", f"00-{TRACE}-{SPAN}-01")
    assert broken.call("GET", X, headers=[trace, *named]).status == 200
    assert dict(backend.metadata).get("tracestate") == forwarded
    assert broken.call("GET", X, headers=named).status == 200
    assert "tracestate" not in dict(backend.metadata)


def test_two_authorizations_are_refused(service: Service, rest: Rest, place: Place) -> None:
    good = ("Authorization", f"Bearer {service.token()}")
    other = ("Authorization", f"Bearer {service.token(tenant='other')}")
    for headers in ([good, other], [good, good], [good, ("authorization", "")]):
        rest.call("GET", place.path, headers=headers).problem(401, "UNAUTHENTICATED")
    joined = ("Authorization", f"{good[1]}, {other[1]}")
    rest.call("GET", place.path, headers=[joined]).problem(401, "UNAUTHENTICATED")


def test_what_may_be_there_once_is_not_forwarded_twice(broken: Rest, backend: Backend) -> None:
    twice = {name: [(name, "a"), (name, "a")] for name in ("Authorization", "Idempotency-Key")}
    broken.call("GET", X, headers=twice["Authorization"]).problem(401, "UNAUTHENTICATED")
    assert not backend.called.is_set()
    answer = broken.call("GET", X, headers=twice["Idempotency-Key"])
    answer.problem(400, "INVALID_FIELD", "Idempotency-Key")
    assert backend.called.is_set()  # for who calls: what is wrong is told to nobody else
    assert "idempotency-key" not in dict(backend.metadata)


@pytest.mark.parametrize("token", ["Bearer \xe9", "Bearer " + "x" * 9300, "Bearer a\tb"])
def test_an_authorization_that_can_be_no_token_is_refused(rest: Rest, token: str) -> None:
    answer = rest.call("GET", "/api/v1/projects", headers=[("Authorization", token)])
    answer.problem(401, "UNAUTHENTICATED")


def test_no_answer_is_shared_or_guessed_at(rest: Rest, place: Place) -> None:
    answers = [
        rest.call("GET", place.path),
        rest.call("POST", place.path, b"{"),
        rest.call("GET", f"{place.path}:export"),
        rest.call("GET", "/nowhere"),
        rest.call("DELETE", place.path),
        Rest(f"http://{rest.host}", None).call("GET", place.path),
    ]
    assert [answer.status for answer in answers] == [200, 400, 200, 404, 204, 401]
    # What was read may be kept by who read it, and is asked for again each time.
    assert [answer.headers["Cache-Control"] for answer in answers] == [
        "private, no-cache",
        *["no-store"] * 5,
    ]
    assert {answer.headers["X-Content-Type-Options"] for answer in answers} == {"nosniff"}


def test_headers_over_the_limit_are_431(rest: Rest) -> None:
    answer = rest.call("GET", "/api/v1/projects", headers=[("X-Large", "x" * 40_000)])
    assert answer.status == 431


@pytest.mark.parametrize("keys", [["nope"], [""], ["\xe9"], ["x" * 200]])
def test_a_malformed_idempotency_key_is_refused(rest: Rest, place: Place, keys: list[str]) -> None:
    headers = [("Idempotency-Key", key) for key in keys]
    answer = rest.call("POST", place.path, {"full_name": "X"}, headers)
    answer.problem(400, "INVALID_FIELD", "Idempotency-Key")


def test_two_idempotency_keys_are_refused(rest: Rest, place: Place) -> None:
    key = str(uuid.uuid4())
    headers = [("Idempotency-Key", key), ("Idempotency-Key", key)]
    answer = rest.call("POST", place.path, {"full_name": "X"}, headers)
    answer.problem(400, "INVALID_FIELD", "Idempotency-Key")
    assert rest.call("GET", place.path).json() == []


def test_a_quoted_idempotency_key_is_the_same_key(rest: Rest, place: Place) -> None:
    """The header's draft makes it a structured field's string; many clients send the bare UUID."""
    key = str(uuid.uuid4())
    made = [
        rest.call("POST", place.path, {"full_name": "X"}, [("Idempotency-Key", value)]).json()
        for value in (f'"{key}"', key, f' "{key}" ')
    ]
    assert made == made[:1] * 3
    for value in ('"', '""', f'"{key}', f'{key}"', f'""{key}""', f'"{key}", "{key}"', f"'{key}'"):
        answer = rest.call("POST", place.path, {"full_name": "X"}, [("Idempotency-Key", value)])
        answer.problem(400, "INVALID_FIELD", "Idempotency-Key")


def test_an_idempotency_key_makes_a_retry_safe(rest: Rest, place: Place) -> None:
    key = [("Idempotency-Key", str(uuid.uuid4()))]
    first = rest.call("POST", place.path, {"full_name": "X"}, key)
    again = rest.call("POST", place.path, {"full_name": "X"}, key)
    assert first.json() == again.json()
    assert len(rest.call("GET", place.path).json()) == 1
    other = rest.call("POST", place.path, {"full_name": "Y"}, key)
    other.problem(400, "REQUEST_ID_REUSED")
    differs = rest.call("DELETE", f"{place.path}?request_id={uuid.uuid4()}", headers=key)
    differs.problem(400, "INVALID_FIELD", "request_id")


def test_what_is_created_has_a_location(rest: Rest) -> None:
    def made(path: str, body: dict[str, str]) -> str:
        answer = rest.call("POST", path, body)
        assert answer.status == 201
        where = str(answer.headers["Location"])
        assert rest.call("GET", where).json() == answer.json()
        assert where.endswith(f"/{answer.json()['id']}")
        return where

    project = made("/api/v1/projects", {"name": "X"})
    group = made(f"{project[:-36]}{project[-36:].upper()}/persona-groups", {"name": "Y"})
    assert group.startswith(f"{project}/persona-groups/")
    persona = made(f"{group}/personas", {"full_name": "Z"})
    assert persona.startswith(f"{group}/personas/")
    simulation = made(f"{project}/simulations", {"name": "W"})
    assert simulation.startswith(f"{project}/simulations/")


def test_several_have_no_location(rest: Rest, place: Place) -> None:
    body = {"personas": [{"full_name": "X"}]}
    for answer in (
        rest.call("POST", f"{place.path}:batchCreate", body),
        rest.call("PATCH", f"/api/v1/projects/{place.project}", {"name": "X"}),
        rest.call("GET", place.path),
    ):
        assert answer.status == 200
        assert answer.headers["Location"] is None


def test_how_many_were_deleted_is_in_a_header(
    rest: Rest, place: Place, filled: Callable[[int], list[str]]
) -> None:
    filled(3)
    key = [("Idempotency-Key", str(uuid.uuid4()))]
    answers = [rest.call("DELETE", place.path, headers=key) for _ in range(2)]  # with its retry
    answers.append(rest.call("DELETE", place.path))
    assert [(a.status, a.body) for a in answers] == [(204, b"")] * 3
    assert [a.headers["X-Deleted-Count"] for a in answers] == ["3", "3", "0"]
    one = rest.call("DELETE", f"{place.path}/{uuid.uuid4()}")
    assert one.headers["X-Deleted-Count"] is None
