"""The program: how it starts, and how it ends."""

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from http.client import RemoteDisconnected

import pytest
from rest.processes import Backend, Gateway, gateway, program
from rest.wire import Answer, Rest

from support.waiting import LIMIT


def in_background(call: Callable[[], Answer]) -> tuple[threading.Thread, list[Answer | Exception]]:
    """Start a call; its answer or error is in the list when the thread has ended."""
    outcome: list[Answer | Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_it_prints_one_line_when_it_listens(backend: Backend) -> None:
    running = Gateway(backend.address)
    assert re.fullmatch(r'{"listening":"127\.0\.0\.1:[1-9]\d*"}\n', running.first_line)
    code, log = running.stop()
    assert code == 0
    assert [line["message"] for line in log] == ["started", "stopping", "stopped"]
    assert all({"time", "level", "message"} <= set(line) for line in log)
    assert running.process.stdout is not None


def test_it_starts_without_a_server() -> None:
    running = Gateway("127.0.0.1:1")
    Rest(running.base, "any").call("GET", "/api/v1/projects").problem(503, "UNREACHABLE")
    assert running.stop()[0] == 0


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http"])
def test_a_port_that_can_not_be_ends_it(address: str) -> None:
    command = [program(), "--listen", "127.0.0.1:0", "--grpc", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 1
    told = f"persona-gateway: can't use --grpc {address}: its port must be 1 to 65535\n"
    assert done.stderr == told


@pytest.mark.parametrize("path", ["projects", "projects/x/persona-groups/y/personas:export"])
def test_why_the_server_can_not_be_reached_is_logged_once(path: str) -> None:
    """Callers are not told: it may name addresses."""
    with gateway("127.0.0.1:1") as running:
        client = Rest(running.base, "any")
        for _ in range(3):
            refused = client.call("GET", f"/api/v1/{path}").problem(503, "UNREACHABLE")
            assert "127.0.0.1" not in refused["detail"]
        _, log = running.stop()
    (line,) = [line for line in log if line["message"] == "the server can't be reached"]
    assert line["level"] == "warning"
    assert "connection refused" in line["cause"]


@pytest.mark.parametrize("how", ["stdin", "SIGTERM", "SIGINT", "SIGHUP"])
def test_it_finishes_what_is_in_flight(backend: Backend, how: str) -> None:
    running = Gateway(backend.address)
    client = Rest(running.base, "any")
    thread, outcome = in_background(lambda: client.call("GET", "/api/v1/projects/wait"))
    assert backend.called.wait(LIMIT)
    if how == "stdin":
        assert running.process.stdin is not None
        running.process.stdin.close()
    else:
        running.process.send_signal(signal.Signals[how])
    assert running.process.stderr is not None
    assert any('"stopping"' in line for line in running.process.stderr)  # reads up to that line
    backend.released.set()
    thread.join(LIMIT)
    assert isinstance(outcome[0], Answer)
    assert outcome[0].json()["id"] == "wait"
    assert running.process.wait(LIMIT) == 0


def test_it_cuts_what_outlasts_the_grace(backend: Backend) -> None:
    running = Gateway(backend.address, "--grace", "0.1")
    client = Rest(running.base, "any")
    thread, outcome = in_background(lambda: client.call("GET", "/api/v1/projects/wait"))
    assert backend.called.wait(LIMIT)
    assert running.stop()[0] == 0
    thread.join(LIMIT)
    assert isinstance(outcome[0], (RemoteDisconnected, ConnectionResetError))


def test_a_taken_port_is_one_line(backend: Backend) -> None:
    command = [program(), "--listen", backend.address, "--grpc", "127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert backend.address in line
    assert "--rest" in line


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--listen", "127.0.0.1:0"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "more"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--nope"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--grace", "-1"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--grace", "NaN"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--grace", "1e30"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--max-stall", "0"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--max-connections", "0"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--body-memory", "99999999999999"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--max-refusals", "NaN"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--max-new-connections", "0"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--max-refusals", "0"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--trusted-proxies", "10.0.0.0/33"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--tls-cert", "x.pem"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--tls-client-ca", "x.pem"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--grpc-ca", "x.pem", "--grpc-key", "x.key"],
        ["--listen", "127.0.0.1:0", "--grpc", "x:1", "--grpc-cert", "x.pem", "--grpc-key", "x.key"],
    ],
)
def test_a_wrong_command_line_is_2(flags: list[str]) -> None:
    done = subprocess.run(
        [program(), *flags], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("persona-gateway: ")
    assert "--help" in line


def test_its_help_lists_the_flags() -> None:
    done = subprocess.run(
        [program(), "--help"], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "-max-connections" in done.stderr


def test_the_log_is_json_when_a_client_misbehaves(backend: Backend) -> None:
    running = Gateway(backend.address)
    client = Rest(running.base, "any")
    assert client.raw("GET / HTTP/9.9").status == 505
    assert client.raw("GET /api/v1/projects/%zz HTTP/1.1").status == 400
    _, log = running.stop()
    assert json.dumps(log)
