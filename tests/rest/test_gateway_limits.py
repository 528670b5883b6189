"""Sizes: a body over 4 MiB is 413, however it comes, and is never held in memory (R20)."""

import json
from collections.abc import Iterator

import pytest
from rest.conftest import Place
from rest.flood import dial, send, start
from rest.processes import Gateway
from rest.wire import Rest

from support.service import Service

LIMIT = 4 << 20
HUGE = 100 << 20
STEP = 64 << 10


def head(path: str, *headers: str) -> str:
    """Return the start of a POST of JSON."""
    return "\r\n".join([f"POST {path} HTTP/1.1", "Content-Type: application/json", *headers])


def parts(size: int, chunked: bool) -> Iterator[bytes]:
    """Yield a body of one long array, as it is or in chunks."""
    for _ in range(size // STEP):
        piece = b"[" * STEP
        yield b"%x\r\n%s\r\n" % (STEP, piece) if chunked else piece
    if chunked:
        yield b"0\r\n\r\n"


@pytest.mark.parametrize("chunked", [False, True])
def test_100_mib_are_413_and_take_no_memory(
    service: Service, own_gateway: Gateway, place: Place, chunked: bool
) -> None:
    client = Rest(own_gateway.base, service.token())
    for path in (place.path, f"{place.path}:batchCreate"):  # what any request takes once
        client.raw(head(path, "Transfer-Encoding: chunked"), parts(0, True)).problem(
            400, "INVALID_FIELD"
        )
    before = own_gateway.memory("VmRSS")
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {HUGE}"
    for path in (place.path, f"{place.path}:batchCreate"):
        answer = client.raw(head(path, length), parts(HUGE, chunked))
        problem = answer.problem(413, "MESSAGE_TOO_LARGE")
        assert problem["code"] == "INVALID_ARGUMENT"
        assert problem["metadata"] == {"limit": str(LIMIT)}
    assert own_gateway.memory("VmHWM") - before < 20 << 20
    assert client.call("GET", place.path).json() == []


def test_a_client_that_waits_for_100_continue_sends_nothing(rest: Rest, place: Place) -> None:
    answer = rest.raw(head(place.path, f"Content-Length: {HUGE}", "Expect: 100-continue"))
    answer.problem(413, "MESSAGE_TOO_LARGE")


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1])
def test_the_limit_is_4_mib(rest: Rest, place: Place, size: int) -> None:
    body = json.dumps({"full_name": "X"}).encode()
    answer = rest.call("POST", place.path, body + b" " * (size - len(body)))
    if size > LIMIT:
        answer.problem(413, "MESSAGE_TOO_LARGE")
    else:
        assert answer.status == 201


def test_a_message_over_3_mib_is_the_service_s_to_refuse(rest: Rest, place: Place) -> None:
    people = [{"full_name": "X", "psychographic_notes": "x" * 16_000} for _ in range(210)]
    answer = rest.call("POST", f"{place.path}:batchCreate", {"personas": people})
    answer.problem(400, "MESSAGE_TOO_LARGE")
    assert rest.call("GET", place.path).json() == []


def test_a_body_that_breaks_off_writes_nothing(rest: Rest, place: Place) -> None:
    broken = [b"zz\r\n"]
    answer = rest.raw(head(place.path, "Transfer-Encoding: chunked"), broken)
    answer.problem(400, "INVALID_FIELD", "body")
    assert rest.call("GET", place.path).json() == []


def test_a_deeply_nested_body_is_refused(rest: Rest, place: Place) -> None:
    nested = b'{"attributes":' * 20_000 + b"{}" + b"}" * 20_000
    rest.call("POST", place.path, nested).problem(400, "INVALID_FIELD")


@pytest.mark.parametrize("sent", [b"", b'{"name":"Tea"}'])
def test_a_body_that_does_not_come_is_answered_and_ends_its_connection(
    own_gateway: Gateway, service: Service, sent: bytes
) -> None:
    """Also on one that could be used again: what never comes is not waited for."""
    request = start("POST", "/api/v1/projects", service.token(), "Content-Length: 20")
    with dial(own_gateway) as connection:
        send(connection, request + sent)
        found = b""
        while piece := connection.recv(4096):
            found += piece
    assert found.startswith(b"HTTP/1.1 408 ")
    assert b"DEADLINE_EXCEEDED" in found
