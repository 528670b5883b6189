"""Pages of named origins may call, as the Fetch standard has it; no others."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rest.processes import gateway, program
from rest.wire import Answer, Headers, Rest

from support.service import PERSONA, Service, running_service

ONE, OTHER = "https://app.example.org", "http://localhost:3000"
EXPOSED = {
    *("Allow", "ETag", "Link", "Location", "Retry-After", "WWW-Authenticate"),
    *("X-Deleted-Count", "X-Next-Page-Token", "X-Request-Id"),
}
ASKING = [("Access-Control-Request-Method", "POST")]


@pytest.fixture(scope="module")
def named(service: Service) -> Iterator[Rest]:
    """A client of a gateway that lets two origins call."""
    with gateway(service.grpc, "--cors-origin", ONE, "--cors-origin", OTHER) as running:
        yield Rest(running.base, service.token())


def granted(answer: Answer) -> dict[str, str]:
    """Return the headers by which an answer lets a page do anything."""
    return {k: v for k, v in answer.headers.items() if k.startswith("Access-Control-")}


def varies(answer: Answer) -> set[str]:
    """Return what an answer says that it depends on."""
    return {name.strip() for line in answer.headers.get_all("Vary", []) for name in line.split(",")}


@pytest.mark.parametrize("origin", [ONE, OTHER])
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/api/v1/projects?page_size=1", [], 200),
        ("GET", "/api/v1/projects", [], 200),
        ("GET", "/api/v1/projects?page_size=x", [], 400),
        ("GET", "/api/v1/projects", [("Authorization", "Bearer x")], 401),
        ("DELETE", "/api/v1/projects", [], 405),
        ("GET", "/nowhere", [], 404),
        ("GET", "/readyz", [], 200),
    ],
)
def test_a_named_origin_reads_answers_and_errors(
    named: Rest, origin: str, method: str, path: str, headers: Headers, status: int
) -> None:
    answer = named.call(method, path, headers=[("Origin", origin), *headers])
    assert answer.status == status
    shown = granted(answer)
    assert shown.pop("Access-Control-Allow-Origin") == origin
    assert set(shown.pop("Access-Control-Expose-Headers").split(", ")) == EXPOSED
    assert shown == {}  # no credentials: there are no cookies
    assert "Origin" in varies(answer)


@pytest.mark.parametrize(
    "origins",
    [["https://evil.example"], ["null"], ["*"], [f"{ONE}.evil.example"], [ONE, ONE], []],
)
def test_any_other_origin_is_told_nothing(named: Rest, origins: list[str]) -> None:
    headers = [("Origin", origin) for origin in origins]
    answer = named.call("GET", "/api/v1/projects?page_size=1", headers=headers)
    assert (answer.status, granted(answer)) == (200, {})
    assert "Origin" in varies(answer)  # a cache must not give it to a named one
    asked = named.call("OPTIONS", "/api/v1/projects", headers=[*headers, *ASKING])
    asked.problem(405, "METHOD_NOT_ALLOWED")
    assert granted(asked) == {}


def test_a_preflight_says_what_may_be_sent(named: Rest) -> None:
    asking = [("Origin", ONE), *ASKING, ("Access-Control-Request-Headers", "authorization")]
    without_token = Rest(f"http://{named.host}", None)  # browsers send none
    answer = without_token.call("OPTIONS", "/api/v1/projects", headers=asking)
    assert (answer.status, answer.body) == (204, b"")
    shown = granted(answer)
    assert shown["Access-Control-Allow-Origin"] == ONE
    assert shown["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PATCH, DELETE"
    assert shown["Access-Control-Max-Age"] == "7200"
    assert {"Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"} <= set(
        shown["Access-Control-Allow-Headers"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in shown
    asked = {"Access-Control-Request-Method", "Access-Control-Request-Headers"}
    assert varies(answer) >= {"Origin", *asked}


def test_a_preflight_tells_nobody_what_there_is(named: Rest) -> None:
    asking = [("Origin", ONE), *ASKING]
    without_token = Rest(f"http://{named.host}", None)
    paths = ["/api/v1/projects", "/api/v1/nothing", "/api/v1/projects/x/../y"]
    answers = [without_token.call("OPTIONS", path, headers=asking) for path in paths]
    assert {(a.status, str(granted(a))) for a in answers} == {(204, str(granted(answers[0])))}


def test_without_a_named_origin_nothing_is_said(rest: Rest) -> None:
    answer = rest.call("GET", "/api/v1/projects?page_size=1", headers=[("Origin", ONE)])
    assert granted(answer) == {}
    assert "Origin" not in varies(answer)
    asked = rest.call("OPTIONS", "/api/v1/projects", headers=[("Origin", ONE), *ASKING])
    asked.problem(405, "METHOD_NOT_ALLOWED")


BAD = ["*", "null", "", "app.example.org", "https://app.example.org/", "https://*.example.org"]


@pytest.mark.parametrize("origin", [*BAD, "https://a b", "https://u@h", "https://é.example"])
def test_the_gateway_does_not_start_with_a_bad_origin(origin: str) -> None:
    flags = ["--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:1", "--cors-origin", origin]
    done = subprocess.run([program(), *flags], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "cors-origin" in done.stderr.splitlines()[0]


def test_the_server_does_not_start_with_a_bad_origin(tmp_path: Path) -> None:
    command = [
        str(PERSONA),
        "serve",
        "--data",
        str(tmp_path),
        "--cors-origin",
        ONE,
        "--cors-origin",
        "*",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("persona serve: --cors-origin wants SCHEME://HOST")


def test_the_server_passes_origins_on(tmp_path: Path) -> None:
    flags = ["--cors-origin", ONE, "--cors-origin", f"{OTHER},http://localhost:5173"]
    with running_service(tmp_path / "data", *flags) as running:
        client = Rest(running.rest, None)
        for origin in (ONE, OTHER, "http://localhost:5173"):
            answer = client.call("GET", "/healthz", headers=[("Origin", origin)])
            assert granted(answer)["Access-Control-Allow-Origin"] == origin


def test_an_origin_is_named_as_people_write_it(service: Service) -> None:
    with gateway(service.grpc, "--cors-origin", "HTTPS://App.Example.org:443") as running:
        answer = Rest(running.base, None).call("GET", "/healthz", headers=[("Origin", ONE)])
        assert granted(answer)["Access-Control-Allow-Origin"] == ONE
