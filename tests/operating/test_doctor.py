"""`persona doctor`: what it finds in a database that is well, and in one that is not."""

import json
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from persona_cli import app
from persona_server.storage.engine.folder import FILE_NAME, lock_file
from persona_server.storage.store import open_store
from support.answering.measuring import random_batches, record_all
from support.data import persona
from support.databases.disks import mounted
from support.dbfile import connection
from support.stored import StoredGroup

NAMES = [
    *("versions", "access", "schema", "integrity", "foreign keys", "messages"),
    *("clock", "disk", "log", "derived"),
]
HOUR = 3_600_000_000  # microseconds


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with personas and answers."""
    data = tmp_path_factory.mktemp("template") / "data"
    store = open_store(data)
    group = StoredGroup(store)
    personas = group.add(persona(), persona())
    record_all(group, random_batches(random.Random(1), personas, simulations=2, answers=30))
    store.close()
    return data


@pytest.fixture
def filled(template: Path, data: Path) -> Path:
    """The same, of a test's own, which no server uses."""
    return Path(shutil.copytree(template, data))


def examined(folder: Path, code: int) -> dict[str, tuple[str, str]]:
    """Return state and text of each finding by its name, in their order."""
    done = CliRunner().invoke(app, ["doctor", "--data", str(folder)])
    assert done.exit_code == code, done.output
    lines = [(line[:8].strip(), line[9:22].strip(), line[23:]) for line in done.stdout.splitlines()]
    return {name: (state, text) for state, name, text in lines}


def test_a_database_that_is_well_is_all_ok(filled: Path) -> None:
    found = examined(filled, 0)
    assert list(found) == NAMES
    wrong = {name: finding for name, finding in found.items() if finding[0] != "ok"}
    assert not wrong or list(wrong) == ["disk"]  # the machine's
    assert "SQLite 3." in found["versions"][1]


DAMAGE = {
    "foreign keys": "PRAGMA foreign_keys = 0; DELETE FROM project",
    "derived": "UPDATE tally SET bucket = bucket + 1",
    "messages": "DROP TRIGGER persona_immutable; UPDATE persona SET framed = zeroblob(700)",
    "schema": "INSERT INTO schema_migration (name, applied) VALUES ('0999_x', '2030-01-01')",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_wrong_is_a_problem(filled: Path, name: str) -> None:
    with connection(filled) as opened:
        opened.execute(DAMAGE[name])
    found = examined(filled, 1)
    assert [each for each, (state, _) in found.items() if state == "problem"] == [name]


def test_json_lines_say_the_same(filled: Path) -> None:
    with connection(filled) as opened:
        opened.execute(DAMAGE["derived"])
    done = CliRunner().invoke(app, ["doctor", "--data", str(filled), "--json"])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(line) for line in lines] == [{"state", "name", "text"}] * len(NAMES)
    assert [line["name"] for line in lines] == NAMES
    assert lines[-1]["state"] == "problem"
    assert done.exit_code == 1


def changed_of(filled: Path, table: str, change: Callable[[bytes], bytes]) -> None:
    """Change the stored message of one row, as a disk might."""
    with connection(filled) as opened:
        opened.execute("DROP TRIGGER persona_immutable; DROP TRIGGER response_update")
        rows = opened.execute(f"SELECT rowid, framed FROM {table} ORDER BY rowid").fetchall()  # noqa: S608
        row, framed = next(row for row in rows if change(row[1]) != row[1])
        update = f"UPDATE {table} SET framed = ? WHERE rowid = ?"  # noqa: S608 (ours)
        opened.execute(update, (change(framed), row))


A_FIELD = re.compile(rb"\x12\x24.", re.DOTALL)  # 2, an id of 36 bytes: as 30 it has 35
CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda framed: framed[:-4],
    "of another row": lambda framed: framed.replace(framed[5:9], b"0000"),
    "with a field that no version has": lambda framed: A_FIELD.sub(b"\xf2\x01#", framed, count=1),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", ["persona", "response"])
def test_a_message_that_is_not_what_was_stored_is_a_problem(
    filled: Path, table: str, change: str
) -> None:
    changed_of(filled, table, CHANGES[change])
    state, text = examined(filled, 1)["messages"]
    assert state == "problem"
    assert table in text


def test_an_answer_that_nobody_could_give_is_a_problem(filled: Path) -> None:
    """A choice that is none of its options is a message all the same."""
    changed_of(filled, "response", lambda framed: framed.replace(b"\x04only", b"\x04noly", 1))
    found = examined(filled, 1)
    assert [each for each, (state, _) in found.items() if state == "problem"] == ["derived"]


def test_a_damaged_index_is_a_problem(filled: Path) -> None:
    with connection(filled) as opened:
        opened.execute("DROP TABLE IF EXISTS x; CREATE TABLE x (a); CREATE INDEX y ON x (a)")
        opened.execute("INSERT INTO x VALUES (1), (2)")
        ((page,),) = opened.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'y'")
        ((size,),) = opened.execute("PRAGMA page_size")
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with (filled / FILE_NAME).open("r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\0\0")  # an index without entries
    state, text = examined(filled, 1)["integrity"]
    assert state == "problem"
    assert "y" in text


def test_a_clock_that_is_behind_is_a_problem(filled: Path) -> None:
    later = int(time.time() * 1_000_000) + HOUR
    with connection(filled) as opened:
        opened.execute(
            "INSERT INTO audit (tenant_id, id, at, actor, method) SELECT id, 1, ?, 'x', 'x' "
            "FROM tenant LIMIT 1",
            (later,),
        )
    state, text = examined(filled, 1)["clock"]
    assert state == "problem"
    assert "behind" in text


def test_what_others_may_read_is_a_warning(filled: Path) -> None:
    filled.chmod(0o755)
    state, text = examined(filled, 0)["access"]
    assert (state, str(filled) in text) == ("warning", True)


def test_a_full_disk_and_one_that_is_only_read_are_said(filled: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=4m") as disk:
        folder = Path(shutil.copytree(filled, disk / "data"))
        with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(bytes(4096)):
                pass
        done = CliRunner().invoke(app, ["doctor", "--data", str(folder)])
        assert (done.exit_code, "the disk is full" in done.stdout) == (1, True)
        (disk / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        state, text = examined(folder, 0)["derived"]
        assert (state, "Read-only" in text) == ("skipped", True)


def test_while_a_server_runs_nothing_is_made_anew(filled: Path) -> None:
    with lock_file(filled):
        found = examined(filled, 0)
    assert list(found) == NAMES
    assert found["derived"][0] == "skipped"


def test_what_another_program_keeps_from_being_made_anew_is_no_problem(filled: Path) -> None:
    with connection(filled) as opened:
        opened.execute("BEGIN IMMEDIATE")
        state, text = examined(filled, 0)["derived"]
    assert (state, text.startswith("can't be looked at: ")) == ("skipped", True)
    assert "request_id" not in text  # of which an operator has none


def test_a_folder_without_a_database_is_a_problem(tmp_path: Path) -> None:
    found = examined(tmp_path, 1)
    assert list(found) == ["versions", "database"]
    state, text = found["database"]
    assert (state, text.startswith("There is no database")) == ("problem", True)
    assert not list(tmp_path.iterdir())


def test_who_reads_json_sees_the_problem_too(tmp_path: Path) -> None:
    (tmp_path / "persona.sqlite3").write_bytes(b"no database" * 1000)
    done = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path), "--json"])
    last = json.loads(done.stdout.splitlines()[-1])
    assert (done.exit_code, last["state"], last["name"]) == (1, "problem", "database")


def test_damage_ends_no_other_look(filled: Path) -> None:
    """A quarter of the pages is overwritten, but not the first ones, which say what there is."""
    file = filled / "persona.sqlite3"
    content = bytearray(file.read_bytes())
    for page in range(40, len(content) // 8192, 4):
        content[page * 8192 : (page + 1) * 8192] = b"\xa5" * 8192
    file.write_bytes(content)
    found = examined(filled, 1)
    assert list(found) == NAMES
    assert found["integrity"][0] == "problem"
    assert found["disk"][0] != "problem"


def test_an_unfinished_copy_is_a_problem(filled: Path) -> None:
    with connection(filled) as opened:
        opened.execute("CREATE TABLE unfinished_copy (name TEXT PRIMARY KEY, value TEXT)")
    state, text = examined(filled, 1)["derived"]
    assert (state, "unfinished copy" in text) == ("problem", True)
