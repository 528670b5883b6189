"""What the system keeps of answers that nobody reads: little of each, and not for long."""

import contextlib
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rest.flood import ATTACKER, TIMEOUT, pour, start
from rest.processes import Backend, Gateway, gateway

from support.waiting import eventually

CONNECTIONS = 8
LONG, SHORT = start("GET", "/openapi.json", None), start("GET", "/healthz", None)
MOST = 320 << 10  # bytes for a connection; by itself the system keeps 2 MiB and more
OPEN, CLOSING = (
    "01",
    "04",
)  # the second by the gateway, before its client has taken all (FIN-WAIT-1)


def kept(running: Gateway) -> list[tuple[str, int]]:
    """Return each connection's state, and how many bytes its client has not taken."""
    port = f":{urlsplit(running.base).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row for row in rows if row[1].endswith(port) and row[3] in {OPEN, CLOSING}]
    return [(row[3], int(row[4].split(":")[0], 16)) for row in ours]


def shut(running: Gateway) -> socket.socket:
    """Connect with a window that takes next to nothing."""
    url = urlsplit(running.base)
    connection = socket.socket()
    connection.settimeout(TIMEOUT)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.bind((ATTACKER, 0))
    connection.connect((url.hostname, url.port))
    return connection


@pytest.mark.parametrize(("one", "number"), [(LONG, 40), (SHORT, 4000)], ids=["long", "short"])
def test_the_system_keeps_little_of_answers_that_nobody_reads(
    backend: Backend, one: bytes, number: int
) -> None:
    with gateway(backend.address, "--max-stall", "3") as running, contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            pour(stack.enter_context(shut(running)), one * number)
        seen: list[int] = []

        def ended() -> bool:
            now = kept(running)
            seen.append(sum(size for _, size in now))
            return all(state == CLOSING for state, _ in now)

        eventually(ended)
        assert CONNECTIONS * (64 << 10) < max(seen) < CONNECTIONS * MOST
        assert kept(running) == []
