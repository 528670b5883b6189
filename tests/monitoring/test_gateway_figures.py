"""What the gateway tells: figures and lines for what it refuses itself, and whom it tells them."""

import contextlib
import json
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from http.client import IncompleteRead
from pathlib import Path
from typing import Any

import pytest
from rest.processes import Backend, Gateway, gateway
from rest.wire import Rest

from support.operating.authority import Authority
from support.operating.metrics import samples, value
from support.processes import children
from support.service import Service, running_service
from support.waiting import LIMIT, eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"
AT_ONCE, A_SECOND = 50, 5  # lines of one kind
MANY = 300


@pytest.fixture
def backend() -> Iterator[Backend]:
    running = Backend()
    yield running
    running.stop()


def refusals(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in log if line["message"] == "refused"]


def allowed(lines: list[dict[str, Any]]) -> float:
    """Return how many lines of a kind there may be from the first to the last of these."""
    first, last = (datetime.fromisoformat(line["time"]) for line in (lines[0], lines[-1]))
    return AT_ONCE + 1 + A_SECOND * (last - first).total_seconds()


def test_what_it_refuses_itself_has_a_line_and_is_counted(backend: Backend) -> None:
    with gateway(backend.address) as running:
        headers = [("X-Request-Id", "r1"), ("Traceparent", f"00-{TRACE}-b7ad6b7169203331-01")]
        Rest(running.base, None).call("GET", "/api/v1/projects", headers=headers)
        client = Rest(running.base, "any")
        client.call("GET", "/nowhere").problem(404, "UNKNOWN_PATH")
        client.call("GET", "/api/v1/projects/INTERNAL").problem(500, "INTERNAL")
        assert client.call("GET", "/api/v1/projects/one").status == 200
        count = running.figures()
        assert count("refused_total", reason="UNAUTHENTICATED") == 1
        assert count("refused_total", reason="UNKNOWN_PATH") == 1
        assert count("refused_total", reason="TOO_MANY_REQUESTS") == 0
        assert count("requests_total", method="GET", status="200") == 1
        assert count("requests_total", method="GET", status="401") == 1
        assert count("request_seconds_count") == 4
        assert count("requests_in_flight") == 0
        line, *_ = refusals(running.stop()[1])
        assert (line["level"], line["reason"], line["status"]) == ("info", "UNAUTHENTICATED", 401)
        assert (line["request_id"], line["trace_id"]) == ("r1", TRACE)
        assert (line["method"], line["peer"]) == ("GET", "127.0.0.1")


def test_what_the_server_refuses_is_none_of_its_refusals(service: Service) -> None:
    before = samples(service, "persona_gateway_refused_total")
    client = Rest(service.rest, service.token())
    missing = "/api/v1/projects/018f0000-0000-7000-8000-000000000000"
    client.call("GET", missing).problem(404, "PROJECT_NOT_FOUND")
    client.call("POST", "/api/v1/projects", {"name": ""}).problem(400, "INVALID_FIELD")
    assert samples(service, "persona_gateway_refused_total") == before
    client.call("GET", f"{missing}?nothing=1").problem(400, "INVALID_FIELD")
    after = samples(service, "persona_gateway_refused_total")
    assert {dict(at)["reason"] for at in after if after[at] > before[at]} == {"INVALID_FIELD"}


@pytest.mark.parametrize("path", ["", "/persona-groups/wait/personas"])
def test_who_leaves_was_not_refused(backend: Backend, path: str) -> None:
    """Neither before the answer, nor in the middle of a list: the server could be reached."""
    with gateway(backend.address) as running:
        with tab(running, f"GET /api/v1/projects/wait{path}"):
            assert backend.called.wait(LIMIT)
        assert eventually(lambda: running.figures()("requests_in_flight") == 0)
        count = running.figures()
        assert count("requests_total", method="GET", status="cut") == 1
        assert count("refused_total", reason="UNREACHABLE") == 0
        assert [line["message"] for line in running.stop()[1]][1:] == ["stopping", "stopped"]


@pytest.mark.parametrize("header", ["Accept: */*", "Grpc-Timeout: 60S"])
def test_who_leaves_before_his_turn_was_not_refused(backend: Backend, header: str) -> None:
    """However long he would have waited."""
    with (
        gateway(backend.address, "--max-calls", "1") as running,
        tab(running, "GET /api/v1/projects/wait"),
    ):
        assert backend.called.wait(LIMIT)
        with tab(running, "GET /api/v1/projects/next", header):
            assert eventually(lambda: running.figures()("waiting", of="calls") == 1)
        assert eventually(lambda: running.figures()("requests_in_flight") == 1)
        count = running.figures()
        assert count("requests_total", method="GET", status="cut") == 1
        assert count("refused_total", reason="UNREACHABLE") == 0
        assert count("refused_total", reason="DEADLINE_EXCEEDED") == 0


def test_a_list_that_breaks_off_is_cut(backend: Backend) -> None:
    with gateway(backend.address) as running:
        with pytest.raises(IncompleteRead):
            Rest(running.base, "any").call(
                "GET", "/api/v1/projects/x/persona-groups/y/personas?age_max=2"
            )
        assert eventually(lambda: running.figures()("requests_in_flight") == 0)
        assert running.figures()("requests_total", method="GET", status="cut") == 1
        assert "answer cut" in [line["message"] for line in running.stop()[1]]


@contextlib.contextmanager
def tab(running: Gateway, request: str, header: str = "Accept: */*") -> Iterator[None]:
    """Send a request, and leave at the end of the block without having read an answer."""
    host, _, port = running.base.removeprefix("http://").partition(":")
    head = f"{request} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer any\r\n{header}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode())
        yield


def test_many_refusals_are_counted_and_few_have_lines(backend: Backend) -> None:
    with gateway(backend.address) as running:
        client = Rest(running.base, None)
        for _ in range(MANY):
            client.call("GET", "/nowhere").problem(404, "UNKNOWN_PATH")
        assert running.figures()("refused_total", reason="UNKNOWN_PATH") == MANY
        lines = refusals(running.stop()[1])
        assert 1 < len(lines) <= allowed(lines)
        omitted = sum(line.get("omitted", 0) for line in lines)
        assert omitted <= MANY - len(lines)


def test_failed_handshakes_are_counted_and_few_have_lines(backend: Backend, tmp_path: Path) -> None:
    files = Authority("Authority").issue("gateway").write(tmp_path, "gateway")
    with gateway(backend.address, *files.flags) as running:
        host, _, port = running.base.removeprefix("http://").partition(":")
        for _ in range(MANY):
            with socket.create_connection((host, int(port)), timeout=20) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                plain.recv(100)
        assert eventually(lambda: running.figures()("tls_handshakes_failed_total") == MANY)
        lines = [line for line in running.stop()[1] if "handshake" in line["message"]]
        assert 1 < len(lines) <= allowed(lines)
        assert lines[0]["level"] == "warning"


def test_orders_change_its_level_and_others_do_nothing(backend: Backend) -> None:
    with gateway(backend.address, "--log-level", "warning") as running:
        client = Rest(running.base, None)

        def refused_at(level: str) -> None:
            running.order(f"level {level}")
            running.order("x" * 200)
            running.figures()  # so that it has obeyed
            client.call("GET", "/nowhere", headers=[("X-Request-Id", level)])

        client.call("GET", "/nowhere", headers=[("X-Request-Id", "first")])
        for level in ("info", "error", "none", "debug"):
            refused_at(level)
        lines = refusals(running.stop()[1])
        assert [line["request_id"] for line in lines] == ["info", "debug"]


def test_on_its_own_it_has_a_port_for_them(backend: Backend) -> None:
    running = Gateway(backend.address, "--metrics", "127.0.0.1:0")
    assert running.process.stderr is not None
    line = next(
        line for line in map(json.loads, running.process.stderr) if line["message"] == "metrics"
    )
    host, _, port = line["listening"].rpartition(":")
    with contextlib.ExitStack() as opened:
        silent = [
            opened.enter_context(socket.create_connection((host, int(port)), 20)) for _ in range(40)
        ]
        with urllib.request.urlopen(f"http://{line['listening']}/metrics", timeout=20) as answer:
            page = answer.read().decode()
        assert silent[0].recv(1) == b""  # it has made room for the others
        silent[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            silent[-1].recv(1)
    assert 'process_resident_memory_bytes{process="gateway"}' in page
    assert "persona_gateway_connections 0" in page
    assert running.stop()[0] == 0


def test_the_servers_level_is_its_own(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "persona.toml"
    file.write_text("log_level = 'warning'\n")
    with running_service(data, "--config", str(file), "--log-level", "info") as service:
        Rest(service.rest, None).call("GET", "/nowhere")
        eventually(lambda: refusals(service.log))
        assert service.stop() == 0


def test_sighup_changes_the_level_of_both(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "persona.toml"
    file.write_text("")
    with running_service(data, "--config", str(file)) as service:
        client = Rest(service.rest, None)

        def read_again(level: str) -> None:
            file.write_text(f"log_level = '{level}'\n")
            for _ in range(2):  # the second is begun when all that the first orders is ordered
                hang_up(service)
            value(service, "persona_gateway_goroutines")  # asked for behind the order

        for request_id, level in enumerate(("warning", "info", "warning", "debug")):
            read_again(level)
            client.call("GET", "/nowhere", headers=[("X-Request-Id", str(request_id))])

        def found() -> list[str]:
            return [line["request_id"] for line in refusals(service.log)]

        eventually(lambda: "3" in found())
        assert found() == ["1", "3"]


def hang_up(service: Service) -> None:
    count = len(changes(service))
    service.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(changes(service)) > count)


def changes(service: Service) -> list[dict[str, Any]]:
    return [line for line in service.log if line["message"] == "settings read again"]


def test_one_that_hangs_is_noticed(data: Path) -> None:
    """The server ends it and then itself, for a supervisor to start both, within half a minute."""
    with running_service(data) as service:
        pid = _gateway_of(service)
        eventually(lambda: value(service, "persona_gateway_goroutines"))
        os.kill(pid, signal.SIGSTOP)
        assert service.ended(90) == 1
        told = [line["message"] for line in service.log if line["level"] == "error"]
        assert told[0] == "the REST gateway does not answer: it is ended"
        assert len(told) == 2


def _gateway_of(service: Service) -> int:
    (pid,) = children(service.process.pid)
    return pid
