"""The port of the metrics: silent and slow connections cost no thread, and keep no scrape out."""

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from persona_server.telemetry.metrics_port import CONNECTIONS
from support.service import Service

CROWD = 200


@pytest.fixture
def address(own: Service) -> tuple[str, int]:
    host, port = own.metrics.split("/")[2].split(":")
    return host, int(port)


@pytest.fixture(params=[b"", b"GET /metrics HT"], ids=["silent", "slow"])
def crowd(
    request: pytest.FixtureRequest, address: tuple[str, int]
) -> Iterator[list[socket.socket]]:
    """Connections that send nothing, or begin a request and send nothing more."""
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(address)) for _ in range(CROWD)]
        for one in opened:
            one.sendall(request.param)
        yield opened


def threads(service: Service) -> int:
    return len(list(Path(f"/proc/{service.process.pid}/task").iterdir()))


def scraped(service: Service) -> str:
    with urllib.request.urlopen(service.metrics, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return str(answer.read().decode())


def test_a_crowd_keeps_no_scrape_out(own: Service, crowd: list[socket.socket]) -> None:
    for _ in range(3):
        assert "persona_rpc_seconds" in scraped(own)
    ended = 0
    for one in crowd[: CROWD - CONNECTIONS]:  # the oldest make room for the others
        one.settimeout(20)
        ended += reads_nothing(one)
    assert ended == CROWD - CONNECTIONS


def reads_nothing(connection: socket.socket) -> bool:
    """Return whether a connection was ended without an answer."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_crowd_costs_no_thread(own: Service, address: tuple[str, int]) -> None:
    scraped(own)
    before = threads(own)
    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(socket.create_connection(address))
        scraped(own)
        # Some come and go, as gRPC's own do; of a crowd there would be as many as connections.
        assert threads(own) < before + CONNECTIONS // 2


def test_a_connection_ends_in_its_time(own: Service, address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as silent:
        assert reads_nothing(silent)


@pytest.mark.parametrize("path", ["/", "/metrics/", "/favicon.ico", "/metrics2"])
def test_there_is_one_page(own: Service, path: str) -> None:
    base = own.metrics.removesuffix("/metrics")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(base + path, timeout=20)
    assert refused.value.code == 404


def test_it_is_only_read(own: Service) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(own.metrics, data=b"x", timeout=20)
    assert (refused.value.code, refused.value.headers["Allow"]) == (405, "GET")


@pytest.mark.parametrize("head", [b"x" * 20_000, b"\r\n\r\n", b"GET\r\n\r\n", b"\xff \xff\r\n\r\n"])
def test_bad_requests_do_no_harm(own: Service, address: tuple[str, int], head: bytes) -> None:
    with socket.create_connection(address, timeout=20) as bad:
        bad.sendall(head)
        bad.settimeout(20)
        with suppress(ConnectionResetError):
            assert bad.recv(100)[:12] in (b"", b"HTTP/1.1 404")
    assert "persona_rpc_seconds" in scraped(own)
