"""An upgrade says what it does, and the ports answer that the service is not ready."""

import json
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from persona.v1 import project_service_pb2 as projects_pb
from persona_server.storage.engine.folder import lock_file
from persona_server.storage.migrate import MIGRATIONS
from support.databases.older import older_database
from support.dbfile import connection
from support.errors import refusal_of
from support.operating.health import status_at
from support.service import PERSONA, Caller
from support.waiting import LIMIT

NAMES = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))
BEFORE, NEWEST = "0015_copies_and_erasure", NAMES[-1]
STATUS = health_pb2.HealthCheckResponse


class Start:
    """A start of the service, whose log is read as it comes."""

    def __init__(self, data: Path, *flags: str) -> None:
        command = [str(PERSONA), "serve", "--data", str(data), *flags]
        for flag in ("--listen", "--rest", "--metrics"):
            command += [flag, "127.0.0.1:0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def line(self, message: str) -> dict[str, Any]:
        """Wait for a line of the log."""
        assert self.process.stderr is not None
        seen = []
        for text in self.process.stderr:
            seen.append(text)
            line: dict[str, Any] = json.loads(text)
            if line["message"] == message:
                return line
        raise AssertionError(f"it ended: {seen}")

    def stop(self) -> int:
        """End it; return its exit code."""
        assert self.process.stderr is not None
        self.process.terminate()
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        return self.process.wait(LIMIT)


@contextmanager
def starting(data: Path, *flags: str) -> Iterator[Start]:
    start = Start(data, *flags)
    try:
        yield start
    finally:
        start.process.kill()
        start.process.wait()


def ready(address: str) -> int:
    """Return the status of /readyz."""
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_damage_that_an_upgrade_finds_is_one_sentence(
    data: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    older_database(data, BEFORE, monkeypatch).close_all()
    anything: dict[str, Any] = {"INTEGER": 1, "TEXT": "x", "BLOB": bytes(24)}
    with connection(data) as opened:
        opened.execute("PRAGMA ignore_check_constraints = 1")
        opened.execute("INSERT INTO tenant (id, name, created_at) VALUES (7, 'acme', 1)")
        for table, given in (
            ("simulation", {"id": bytes(16)}),
            ("response", {"simulation_id": bytes(16), "framed": b"\xff"}),
        ):
            columns = opened.execute(f"PRAGMA table_info({table})").fetchall()
            row = {name: anything[kind] for _, name, kind, *_ in columns}
            row |= {"tenant_id": 7, **given}
            places = ", ".join("?" * len(row))
            opened.execute(f"INSERT INTO {table} VALUES ({places})", tuple(row.values()))  # noqa: S608
    words = [str(PERSONA), command, "--data", str(data)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT, check=False)
    said = [line for line in done.stderr.splitlines() if line.startswith(f"persona {command}: ")]
    assert (done.returncode, len(said)) == (1, 1)
    assert "is damaged" in said[0]
    assert "have `persona doctor` look" in said[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ports_answer_while_a_database_is_upgraded(
    data: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    older_database(data, BEFORE, monkeypatch).close_all()
    with starting(data, "--workers", workers) as start:
        with connection(data) as beside:
            beside.execute("BEGIN IMMEDIATE")  # so that it lasts
            line = start.line("upgrading the database")
            assert (line["from"], line["to"]) == (BEFORE, NEWEST)
            assert line["migrations"] == len(NAMES) - 1 - NAMES.index(BEFORE)
            assert status_at(line["grpc"]) == STATUS.NOT_SERVING
            assert ready(line["rest"]) == 503
            start.process.send_signal(signal.SIGHUP)  # which ends no start
            caller = Caller(line["grpc"], "")
            request = projects_pb.ListProjectsRequest()
            refusal = refusal_of(lambda: caller.projects.ListProjects(request))
            caller.close()
            assert (refusal.code, refusal.retry) == (grpc.StatusCode.UNAVAILABLE, True)
            assert refusal.reason == "DATABASE_UNAVAILABLE"
            beside.execute("ROLLBACK")
        assert start.line("upgraded")["to"] == NEWEST
        listening = start.line("listening")
        assert status_at(listening["grpc"]) == STATUS.SERVING
        assert ready(listening["rest"]) == 200
        assert start.stop() == 0


def test_a_database_of_this_version_is_not_upgraded(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for before in (NEWEST, ""):  # and none
        folder = data / (before or "none")
        if before:
            older_database(folder, before, monkeypatch).close_all()
        with starting(folder) as start:
            assert start.process.stderr is not None
            messages = []
            for text in start.process.stderr:
                messages.append(json.loads(text)["message"])
                if messages[-1] == "listening":
                    break
            assert not [message for message in messages if "upgrad" in message]


def test_a_port_that_is_taken_is_said_before_anything_is_upgraded(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older_database(data, BEFORE, monkeypatch).close_all()
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    command = [str(PERSONA), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken.close()
    assert done.returncode == 1
    assert "can't listen" in done.stderr
    with connection(data) as opened:
        ((last,),) = opened.execute("SELECT max(name) FROM schema_migration")
    assert last == BEFORE


@pytest.mark.parametrize("words", [["migrate"], ["token", "--tenant", "acme", "--init"]])
def test_a_command_upgrades_no_folder_that_a_server_has(
    data: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Of the version before: it would go on by the schema that it knows."""
    older_database(data, BEFORE, monkeypatch).close_all()

    def run() -> "subprocess.CompletedProcess[str]":
        command = [str(PERSONA), *words, "--data", str(data)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with lock_file(data):
        refused = run()
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Another server" in refused.stderr
        assert newest(data) == BEFORE
    assert run().returncode == 0
    assert newest(data) == NEWEST


def newest(data: Path) -> str:
    """Return the last migration of a database."""
    with connection(data) as opened:
        ((last,),) = opened.execute("SELECT max(name) FROM schema_migration")
    return str(last)
