"""R10: what goes wrong inside is told as a fixed sentence and an id; the log has the cause."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest

from persona_server.storage.engine.folder import FILE_NAME
from persona_server.transport.methods import Method
from support.data import Place, make_place, persona, uid
from support.dbfile import connection, reading
from support.errors import assert_no_leak, refused
from support.requests.world import World
from support.rpcs import METHODS, bearer, send
from support.service import Caller, Service, running_service
from support.waiting import eventually

MISSING = ("no such table", "UndefinedTable")  # as each engine says it
TABLES = ("persona_group", "project", "response", "library_persona", "library_link")
SENTENCE = "The server failed on this call. The error id finds the cause in its log."

LEAKS = [
    "Traceback (most recent call last):",
    'File "server/app.py", line 3',
    "see persona_server/running/app.py",
    "ValueError: bad",
    "apsw.SQLError",
    "peewee.OperationalError",
    "no such table in SQLite",
    "SELECT id FROM persona",
    "near: INSERT INTO persona",
    "/tmp/data/persona.db",  # noqa: S108 (a text)
    "/home/somebody/data",
    "<class 'int'>",
    "<Store object at 0x7f1c>",
    "rpc error: code = Unavailable",
    "proto: cannot parse invalid wire-format data",
    "dial tcp: connection refused",
    "google.protobuf.message.DecodeError",
    "goroutine 1 [running]",
]
CLEAN = [
    SENTENCE,
    "personas[12].age: must be from 0 to 130",
    "There is no persona group 01a8 in this project.",
    "has field 9, which google.protobuf.Timestamp of this server does not know",
]


@pytest.mark.parametrize("text", LEAKS)
def test_oracle_catches(text: str) -> None:
    with pytest.raises(AssertionError, match="shows"):
        assert_no_leak(f"The call failed: {text}")


@pytest.mark.parametrize("text", CLEAN)
def test_oracle_lets_pass(text: str) -> None:
    assert_no_leak(text)


class Broken(NamedTuple):
    """A service that fails, and the messages of a good call of every RPC."""

    service: Service
    caller: Caller
    calls: dict[str, list[Any]]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    """A running service whose tables somebody has renamed under it, and calls made before."""
    data = tmp_path_factory.mktemp("broken") / "data"
    with running_service(data, "--rest", "off") as service:
        caller = service.connect()
        world = World(caller)
        calls = {m.name: world.messages(m, uid() if m.has_request_id else "") for m in METHODS}
        with connection(data) as beside:
            for table in TABLES:
                beside.execute(f"ALTER TABLE {table} RENAME TO {table}_elsewhere")
        yield Broken(service, caller, calls)
        caller.close()


@pytest.mark.parametrize("method", METHODS, ids=lambda m: str(m.name))
def test_fault_of_ours_is_internal(broken: Broken, method: Method) -> None:
    service = broken.service
    metadata = [*bearer(service.token()), ("x-request-id", f"broken-{method.name}")]
    messages = broken.calls[method.name]
    problem = send(broken.caller.channel, method, messages, metadata).problem
    assert (problem.code, problem.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert problem.message == SENTENCE
    assert set(problem.metadata) == {"error_id"}
    error_id = problem.metadata["error_id"]
    lines = eventually(lambda: two(found(service, error_id)))
    cause, call = lines
    assert (cause["level"], cause["request_id"]) == ("error", f"broken-{method.name}")
    assert any(missing in cause["traceback"] for missing in MISSING)
    assert (call["method"], call["code"]) == (method.name, "INTERNAL")
    assert call["request_id"] == f"broken-{method.name}"


def found(service: Service, error_id: str) -> list[dict[str, str]]:
    return [line for line in list(service.log) if line.get("error_id") == error_id]


def two(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    return lines if len(lines) == 2 else []


def test_fault_in_the_last_statement_leaves_nothing(data: Path) -> None:
    """The answer for retries is written last; if that fails, so does all before it."""
    with running_service(data, "--rest", "off") as service, reading(data) as file:
        place = make_place(service.connect())
        before = file.fingerprint("local")
        with connection(data) as beside:
            beside.execute("ALTER TABLE idempotency RENAME TO elsewhere")
        with refused("INTERNAL"):
            place.create(persona(), uid())
        with connection(data) as beside:
            beside.execute("ALTER TABLE elsewhere RENAME TO idempotency")
        assert file.fingerprint("local") == before
        assert (place.count(), place.walk()) == (0, [])
        place.create(persona(), uid())
        assert place.count() == 1


@pytest.mark.sqlite("its file is damaged")
def test_damage_is_told_as_such_and_the_log_has_the_cause(data: Path) -> None:
    with running_service(data, "--rest", "off") as service:
        place = make_place(service.connect())
        place.fill(1000, psychographic_notes="x" * 2000)
    damage(data / FILE_NAME)
    with running_service(data, "--rest", "off") as service:
        place = Place(service.connect(), place.project, place.group)
        with refused("DATABASE_DAMAGED", grpc.StatusCode.DATA_LOSS) as refusal:
            place.walk()
        assert not refusal.problem.retry
        message = refusal.problem.message
        cause = eventually(lambda: [e for e in list(service.log) if e["message"] == message])[0]
        assert (cause["level"], "malformed" in cause["traceback"]) == ("warning", True)


def damage(path: Path) -> None:
    """Overwrite the last half of a database file's pages."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xa5" * (size - size // 2))


@pytest.mark.sqlite("nobody can hold a whole database of PostgreSQL")
def test_database_held_by_another_is_unavailable(data: Path) -> None:
    with running_service(data, "--rest", "off") as service:
        place, request_id = make_place(service.connect()), uid()
        with connection(data) as beside:
            beside.execute("BEGIN EXCLUSIVE")
            with refused("DATABASE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE) as refusal:
                place.create(persona(), request_id)
            assert refusal.problem.retry
            assert place.walk() == []  # readers never wait for a writer
            beside.execute("ROLLBACK")
        made = place.create(persona(), request_id)
        assert place.create(persona(), request_id) == made
        assert place.walk() == [made]
