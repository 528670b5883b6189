"""New connections of an address that come too fast wait for their turn; others do not."""

import contextlib
import signal
import socket
from collections import Counter
from collections.abc import Iterator

import pytest
from rest.flood import NEIGHBOUR, call, dial, hold, send, start, status
from rest.processes import Backend, Gateway, gateway

from support.waiting import eventually

AT_ONCE = 64  # that wait for nothing
NEVER = ("--max-new-connections", "0.001")  # nobody's turn comes while a test runs
ASK = start("GET", "/api/v1/projects/one", "any")
KEPT = start("GET", "/api/v1/projects/wait", "any", "Grpc-Timeout: 60S")  # answered by the test


@pytest.fixture
def connections() -> Iterator[contextlib.ExitStack]:
    """What closes connections at the end."""
    with contextlib.ExitStack() as stack:
        yield stack


def waiting(running: Gateway) -> float:
    return running.figures()("connections_waiting")


def silent(connection: socket.socket) -> bool:
    """Return whether nothing has come yet, not even an end."""
    connection.setblocking(False)
    try:
        return connection.recv(1) is None
    except BlockingIOError:
        return True
    finally:
        connection.settimeout(20)


def test_all_are_answered_in_the_end(backend: Backend, connections: contextlib.ExitStack) -> None:
    with gateway(backend.address, "--max-new-connections", "40") as running:
        opened = hold(connections, running, AT_ONCE + 40, ASK)
        assert Counter(map(status, opened)) == {200: AT_ONCE + 40}
        assert waiting(running) == 0


def test_those_too_many_wait_and_others_do_not(
    backend: Backend, connections: contextlib.ExitStack
) -> None:
    with gateway(backend.address, *NEVER) as running:
        opened = hold(connections, running, AT_ONCE + 6, ASK)
        assert Counter(map(status, opened[:AT_ONCE])) == {200: AT_ONCE}
        assert eventually(lambda: waiting(running) == 6)
        assert running.figures()("connections") == AT_ONCE + 6
        assert all(map(silent, opened[AT_ONCE:]))
        assert call(running, ASK, NEIGHBOUR) == 200
        send(opened[0], ASK)  # who is connected goes on
        assert status(opened[0]) == 200


def test_those_that_wait_give_way_to_later_ones(
    backend: Backend, connections: contextlib.ExitStack
) -> None:
    limit = ("--max-connections-per-address", str(AT_ONCE + 1))
    with gateway(backend.address, *NEVER, *limit) as running:
        served = hold(connections, running, AT_ONCE, KEPT)
        eventually(lambda: running.figures()("requests_in_flight") == AT_ONCE)
        first, second = hold(connections, running, 2, ASK)
        assert status(first) == 0
        assert waiting(running) == 1
        assert silent(second)
        assert all(map(silent, served))


def test_a_trusted_proxy_never_waits(backend: Backend, connections: contextlib.ExitStack) -> None:
    with gateway(backend.address, *NEVER, "--trusted-proxies", "127.0.0.1") as running:
        opened = hold(connections, running, AT_ONCE + 6, ASK)
        assert Counter(map(status, opened)) == {200: AT_ONCE + 6}


def test_a_stop_closes_those_that_wait_and_ends_what_is_begun(
    backend: Backend, connections: contextlib.ExitStack
) -> None:
    with gateway(backend.address, *NEVER) as running:
        served = connections.enter_context(dial(running))
        send(served, KEPT)
        assert backend.called.wait(20)
        *_, late = hold(connections, running, AT_ONCE, b"")
        assert eventually(lambda: waiting(running) == 1)
        running.process.send_signal(signal.SIGTERM)
        assert status(late) == 0
        backend.released.set()
        assert status(served) == 200
        assert running.process.wait(20) == 0
