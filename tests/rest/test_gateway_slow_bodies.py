"""Bodies that hardly come take nothing from others."""

import contextlib
import time

import pytest
from rest.flood import ATTACKER, NEIGHBOUR, call, dial, hold, send, start
from rest.processes import Gateway

from support.service import Service
from support.waiting import eventually

MIB = 1 << 20
PATH = "/api/v1/projects"
SLOW = (
    "127.0.0.3",
    "127.0.0.4",
)  # who could hold all there is, were there room for what is to come
LENGTH = f"Content-Length: {4 * MIB}"
BODY = b'{"name":"Beside","description":"' + b"x" * 3000 + b'"}'


@pytest.fixture
def token(service: Service) -> str:
    """A token that the service takes."""
    return service.token()


def whole(token: str, timeout: str) -> bytes:
    """Return a request that says how long it waits."""
    headers = (f"Content-Length: {len(BODY)}", f"Grpc-Timeout: {timeout}")
    return start("POST", PATH, token, *headers) + BODY


@pytest.mark.parametrize("framing", [LENGTH, "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("each", [1, 50])
def test_bodies_that_hardly_come_keep_no_others_waiting(
    own_gateway: Gateway, token: str, framing: str, each: int
) -> None:
    begun = b"{" if framing == LENGTH else b"800\r\n{" + b" " * 2047 + b"\r\n"
    with contextlib.ExitStack() as stack:
        for source in SLOW * each:
            connection = stack.enter_context(dial(own_gateway, source))
            send(connection, start("POST", PATH, token, framing) + begun)
        eventually(lambda: own_gateway.figures()("taken", of="requests") == len(SLOW) * each)
        for _ in range(5):
            assert call(own_gateway, whole(token, "5S"), NEIGHBOUR) == 201


def test_a_body_that_hardly_comes_is_given_up_and_counts_as_in_vain(
    own_gateway: Gateway, token: str
) -> None:
    with contextlib.ExitStack() as stack:
        begun = time.monotonic()
        slow = hold(stack, own_gateway, 20, start("POST", PATH, token, LENGTH) + b"{")
        answers = [connection.recv(4096) for connection in slow]
        assert time.monotonic() - begun < 30  # not when all of it should have come
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"\r\nRetry-After: 1\r\n" in answer
        assert b'"reason":"DEADLINE_EXCEEDED"' in answer
    assert call(own_gateway, whole(token, "1m"), ATTACKER) == 429
    assert call(own_gateway, whole(token, "20S"), NEIGHBOUR) == 201
