"""Whom the gateway takes a call to be from, and what it can refuse without the server."""

import base64
import json
import time
from pathlib import Path

import grpc
import pytest
from rest.flood import dial, send, start, status
from rest.processes import Backend, Gateway, gateway
from rest.wire import JSON, Rest

from persona.v1 import project_service_pb2 as projects
from persona.v1.project_service_pb2_grpc import ProjectServiceStub
from support.errors import assert_no_leak, problem_of
from support.service import Service, running_service
from support.waiting import eventually

X = "/api/v1/projects/x"
SECRET = {"PERSONA_GATEWAY_SECRET": "known-to-the-server"}
LOOPBACK = "127.0.0.0/8"


def hops(*values: str) -> list[tuple[str, str]]:
    """Return X-Forwarded-For headers."""
    return [("X-Forwarded-For", value) for value in values]


CALLERS = [  # trusted networks, headers, who is taken to call
    ("", [], "127.0.0.1"),
    ("", ["192.0.2.1"], "127.0.0.1"),
    ("10.0.0.0/8", ["192.0.2.1"], "127.0.0.1"),
    (LOOPBACK, [], "127.0.0.1"),
    (LOOPBACK, ["192.0.2.1"], "192.0.2.1"),
    (LOOPBACK, ["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
    (LOOPBACK, ["198.51.100.9", "192.0.2.1"], "192.0.2.1"),
    (LOOPBACK, ["192.0.2.1, 127.0.0.9"], "192.0.2.1"),
    (f"10.0.0.0/8, {LOOPBACK}", ["198.51.100.9,192.0.2.1,10.1.2.3"], "192.0.2.1"),
    ("127.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"),
    (LOOPBACK, ["[2001:db8::1]:4711"], "2001:db8::1"),
    (LOOPBACK, ["::ffff:192.0.2.1"], "192.0.2.1"),
    (LOOPBACK, ["192.0.2.1, unknown"], "127.0.0.1"),
    (LOOPBACK, ["192.0.2.1, nonsense, 127.0.0.5"], "127.0.0.5"),
]


@pytest.mark.parametrize(("trusted", "forwarded", "caller"), CALLERS)
def test_only_trusted_proxies_name_the_caller(
    backend: Backend, trusted: str, forwarded: list[str], caller: str
) -> None:
    flags = ("--trusted-proxies", trusted)
    with gateway(backend.address, *flags, environment=SECRET) as running:
        assert Rest(running.base, "any").call("GET", X, headers=hops(*forwarded)).status == 200
    sent = dict(backend.metadata)
    assert sent["persona-caller-address"] == caller
    assert sent["persona-gateway-secret"] == "known-to-the-server"


def test_nobody_else_can_send_what_the_gateway_says(backend: Backend) -> None:
    forged = [("Persona-Gateway-Secret", "x"), ("Persona-Caller-Address", "192.0.2.1")]
    with gateway(backend.address, environment=SECRET) as running:
        assert Rest(running.base, "any").call("GET", X, headers=forged).status == 200
    said = [pair for pair in backend.metadata if pair[0].startswith("persona-")]
    assert sorted(said) == [
        ("persona-caller-address", "127.0.0.1"),
        ("persona-gateway-secret", "known-to-the-server"),
    ]


def test_callers_behind_a_proxy_are_counted_by_their_own_address(backend: Backend) -> None:
    flags = ("--trusted-proxies", LOOPBACK, "--max-refusals", "0.1")
    with gateway(backend.address, *flags) as running:
        client = Rest(running.base, None)
        client.call("GET", X, headers=hops("192.0.2.1")).problem(401, "UNAUTHENTICATED")
        client.call("GET", X, headers=hops("192.0.2.1")).problem(429, "TOO_MANY_REQUESTS")
        client.call("GET", X, headers=hops("192.0.2.2")).problem(401, "UNAUTHENTICATED")
        subnet = hops("2001:db8::1"), hops("2001:db8::2"), hops("2001:db8:0:1::1")
        statuses = [client.call("GET", X, headers=headers).status for headers in subnet]
        assert statuses == [401, 429, 401]


def test_an_address_has_so_many_requests_at_once(backend: Backend) -> None:
    with gateway(backend.address, "--max-requests-per-address", "1") as running:
        client = Rest(running.base, "any")
        with dial(running) as waiting:
            waiting.sendall(start("GET", "/api/v1/projects/wait", "any"))
            assert backend.called.wait(20)
            refused = client.call("GET", X)
            assert refused.problem(429, "TOO_MANY_REQUESTS")["code"] == "RESOURCE_EXHAUSTED"
            backend.released.set()
            assert waiting.recv(64).startswith(b"HTTP/1.1 200 ")
        assert client.call("GET", X).status == 200


def jwt(expires: float, **claims: str) -> str:
    """Return what looks like a token, with an end."""
    parts = ({"alg": "ES256"}, {"exp": expires} | claims)
    words = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*words, b"c2ln"]).decode()


EXPIRED = f"Bearer {jwt(time.time() - 3600, iss='persona-service')}"
NO_TOKENS = ["Basic YTpi", "Bearer", "any", EXPIRED]


@pytest.mark.parametrize("value", NO_TOKENS, ids=["scheme", "bare", "word", "expired"])
def test_what_is_no_token_is_refused_as_the_server_refuses_it(
    service: Service, broken: Rest, backend: Backend, value: str
) -> None:
    answer = broken.call("GET", X, headers=[("Authorization", value)])
    answer.problem(401, "UNAUTHENTICATED")
    assert not backend.called.is_set()
    channel = grpc.insecure_channel(service.grpc)
    request = projects.GetProjectRequest()
    with channel, pytest.raises(grpc.RpcError) as raised:
        ProjectServiceStub(channel).GetProject(request, metadata=(("authorization", value),))
    told = problem_of(raised.value).message
    if value == EXPIRED:  # the server looks at the key first
        told = "The token has expired. Get a new one: persona token."
    assert answer.problem(401, "UNAUTHENTICATED")["detail"] == told


def test_nobody_is_sent_to_the_local_key_for_a_providers_token(broken: Rest) -> None:
    token = jwt(time.time() - 3600, iss="https://id.example")
    answer = broken.call("GET", X, headers=[("Authorization", f"Bearer {token}")])
    detail = answer.problem(401, "UNAUTHENTICATED")["detail"]
    assert detail == "The token has expired. Get a new one."


def test_a_body_waits_for_the_server_to_take_the_token(broken: Rest, backend: Backend) -> None:
    answer = broken.call("POST", f"{X}/persona-groups", {"name": "X"})
    answer.problem(404, "UNKNOWN_PATH")  # this server has no CreatePersonaGroup
    assert backend.called.is_set()  # but was asked for the token first
    backend.called.clear()
    broken.call("POST", f"{X}/persona-groups", {"name": "X"})
    assert not backend.called.is_set()  # and not again


@pytest.mark.parametrize("header", ["bEaReR any", "Bearer   any"])
def test_a_token_is_the_same_however_its_header_is_written(
    broken: Rest, backend: Backend, header: str
) -> None:
    unknown = "/api/v1/nowhere"
    broken.call("GET", unknown).problem(404, "UNKNOWN_PATH")
    asked = backend.calls
    again = broken.call("GET", unknown, headers=[("Authorization", header)])
    again.problem(404, "UNKNOWN_PATH")
    assert (asked, backend.calls) == (1, 1)


def test_a_chunked_request_ends_its_connection(rest: Rest) -> None:
    path = "/api/v1/projects"
    body = "2\r\n{}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    for length in ("", "Content-Length: 2\r\n"):
        head = f"POST {path} HTTP/1.1\r\n{length}Transfer-Encoding: chunked"
        with_kind = f"{head}\r\n{JSON[0][0]}: {JSON[0][1]}"
        answer = rest.raw(with_kind, [body.encode()])
        answer.problem(400, "INVALID_FIELD", "name")
        assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_request_of_http_1_0_ends_its_connection(
    own_gateway: Gateway, service: Service, verb: str
) -> None:
    """It has no chunks; what a proxy on the way takes for them would be another request."""
    headers = ("Connection: keep-alive", "Transfer-Encoding: chunked")
    hidden = start("GET", "/healthz", None, "Connection: close")
    request = start(verb, "/api/v1/projects/x", service.token(), *headers)
    with dial(own_gateway) as connection:
        send(connection, request.replace(b"HTTP/1.1", b"HTTP/1.0") + hidden)
        found = b""
        while piece := connection.recv(4096):
            found += piece
    assert found.count(b"HTTP/1.") == 1


BODY_TO_COME = ["Content-Length: 10", "Transfer-Encoding: chunked"]


@pytest.mark.parametrize("header", BODY_TO_COME)
def test_a_refusal_does_not_wait_for_the_body(own_gateway: Gateway, header: str) -> None:
    for verb, path in (("POST", "/api/v1/projects"), ("PUT", "/nowhere"), ("GET", X)):
        with dial(own_gateway) as connection:
            connection.settimeout(20)
            connection.sendall(start(verb, path, None, header))
            assert status(connection) in (401, 404)


@pytest.mark.parametrize("header", BODY_TO_COME)
def test_a_body_where_none_belongs_is_not_waited_for(
    own_gateway: Gateway, service: Service, header: str
) -> None:
    for verb in ("GET", "DELETE"):
        with dial(own_gateway) as connection:
            connection.settimeout(20)
            connection.sendall(start(verb, X, service.token(), header))
            assert status(connection) == 400


@pytest.mark.parametrize(
    "head",
    [
        "POST /api/v1/projects HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2",
        "POST /api/v1/projects HTTP/1.1\r\nContent-Length: x",
        "POST /api/v1/projects HTTP/1.1\r\nTransfer-Encoding: gzip, chunked",
        "POST /api/v1/projects HTTP/1.1\r\nTransfer-Encoding: identity",
        "POST /api/v1/projects HTTP/1.0\r\nX : 1",
    ],
)
def test_malformed_framing_ends_its_connection(rest: Rest, head: str) -> None:
    answer = rest.raw(head)
    assert answer.status in (400, 501)
    assert answer.headers["Connection"] == "close"
    assert_no_leak(answer.body.decode())


def test_a_log_that_nobody_reads_holds_nothing_up(backend: Backend) -> None:
    with gateway(backend.address) as running:  # its stderr is a pipe of 64 KiB
        client = Rest(running.base, "any")
        ids = set()
        for _ in range(1500):  # of some 300 bytes each
            problem = client.call("GET", "/api/v1/projects/INTERNAL").problem(500, "INTERNAL")
            ids.add(problem["metadata"]["error_id"])
        code, log = running.stop()
    lost = sum(line["lines"] for line in log if line["message"] == "log lines dropped")
    written = {line["error_id"] for line in log if "error_id" in line}
    assert code == 0
    assert written <= ids
    assert lost > 0
    assert len(ids) - len(written) <= lost


def test_the_log_names_the_caller_behind_a_trusted_proxy(tmp_path: Path) -> None:
    """The server believes its own gateway, which takes the address from the proxy."""
    options = ("--trusted-proxies", LOOPBACK, "--gateway-options=--max-calls=8")
    with running_service(tmp_path / "data", *options) as service:

        def peers() -> list[str]:
            called = [line for line in service.log if line.get("method") == "ListProjects"]
            return [line["peer"].partition(":")[0] for line in called]

        rest = Rest(service.rest, service.token())
        assert rest.call("GET", "/api/v1/projects", headers=hops("192.0.2.1")).status == 200
        assert eventually(peers) == ["192.0.2.1"]
        service.connect().projects.ListProjects(projects.ListProjectsRequest())
        eventually(lambda: peers() == ["192.0.2.1", "127.0.0.1"])
