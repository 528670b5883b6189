"""Migrations: an empty file is made by migrating, once, whole or not at all."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import peewee
import pytest

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.engine.history import MigrationRunner
from persona_server.storage.migrate import FIRST, MIGRATIONS
from persona_server.storage.store import Store, open_store
from support.answering.measuring import image, random_batches, record_all
from support.data import rich_persona
from support.databases.older import FIRST_TABLES, insert_rows, older_database, populate_first
from support.stored import StoredGroup, rows

STARTERS = 4
SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
# Opens a store with a folder of migrations of the test's own; waits for a line before it does.
STARTER = """
import sys
from pathlib import Path
from persona_server.storage import migrate
from persona_server.storage.store import open_store
print("ready", flush=True)
sys.stdin.readline()
migrate.MIGRATIONS = Path(sys.argv[2])
print(open_store(Path(sys.argv[1])).created, flush=True)
"""
SECOND = """
import os, signal
DERIVES = False
def up(migrator, db):
    db.execute_sql("ALTER TABLE project ADD COLUMN colour TEXT")
    db.execute_sql("CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT")
    {end}
"""


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    store = open_store(folder)
    try:
        yield store
    finally:
        store.close()


def schema(store: Store) -> list[tuple[object, ...]]:
    return rows(store, SCHEMA)


def history(store: Store) -> list[str]:
    table = next(
        name for kind, name, *_ in schema(store) if kind == "table" and "migrat" in str(name)
    )
    return [name for (name,) in rows(store, f"SELECT name FROM {table} ORDER BY id")]  # noqa: S608


def starter(folder: Path, migrations: Path = MIGRATIONS) -> "subprocess.Popen[str]":
    """Return a process that opens the store once it gets a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder), str(migrations)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_an_empty_file_becomes_what_a_missing_one_does(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / FILE_NAME).touch()
    with opened(tmp_path / "empty") as empty, opened(tmp_path / "none") as none:
        assert schema(empty) == schema(none)
        assert empty.created
        assert none.created


def test_history_names_every_migration_in_order(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        names = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))
        assert names[0] == FIRST
        assert history(store) == names


def test_each_migration_says_whether_derived_tables_follow(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        migrations = MigrationRunner(store.database, MIGRATIONS).migrations()
        said = {migration.name: migration.load().DERIVES for migration in migrations}
    assert [name for name, derives in said.items() if derives] == [
        "0003_measured",
        "0012_simulations",
        "0016_measures2",
    ]
    assert set(said.values()) == {True, False}


def test_a_second_opening_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        before = schema(store), history(store)
        StoredGroup(store).add(rich_persona())
    with opened(tmp_path) as store:
        assert not store.created
        assert (schema(store), history(store)) == before
        assert rows(store, "SELECT count(*) FROM persona") == [(1,)]


def test_concurrent_starters_migrate_once(tmp_path: Path) -> None:
    starters = [starter(tmp_path / "data") for _ in range(STARTERS)]
    for process in starters:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [process.communicate(timeout=60) for process in starters]
    assert [process.returncode for process in starters] == [0] * STARTERS, ends
    assert sorted(out for out, _ in ends) == ["False\n"] * (STARTERS - 1) + ["True\n"]
    with opened(tmp_path / "data") as store, opened(tmp_path / "other") as other:
        assert schema(store) == schema(other)
        assert len(history(store)) == len(set(history(store)))


def test_a_newer_database_is_refused_by_name(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        table = next(str(name) for _, name, *_ in schema(store) if "migrat" in str(name))
        sql = f"INSERT INTO {table} (name, applied) VALUES ('9999_of_the_future', 'now')"  # noqa: S608
        store.database.execute_sql(sql)
    with pytest.raises(DatabaseError, match="9999_of_the_future"):
        open_store(tmp_path)


def second_migration(folder: Path, end: str) -> Path:
    """Return a folder with our migrations and one more, which ends as told."""
    folder.mkdir()
    for path in MIGRATIONS.glob("[0-9]*.py"):
        (folder / path.name).write_text(path.read_text())
    (folder / "9000_second.py").write_text(SECOND.format(end=end))
    return folder


@pytest.mark.parametrize(
    ("end", "killed"), [("os.kill(os.getpid(), signal.SIGKILL)", True), ("pass", False)]
)
def test_a_migration_is_whole_or_absent(tmp_path: Path, end: str, killed: bool) -> None:
    """R17, simple: killed in the middle leaves the old schema; all rows are kept either way."""
    data = tmp_path / "data"
    with opened(data) as store:
        StoredGroup(store).add(*[rich_persona() for _ in range(5)])
        old, kept = schema(store), rows(store, "SELECT * FROM persona ORDER BY id")
    process = starter(data, second_migration(tmp_path / "migrations", end))
    process.communicate("go\n", timeout=60)
    assert (process.returncode == -signal.SIGKILL) is killed
    if killed:
        with opened(data) as store:
            assert schema(store) == old
            assert rows(store, "SELECT * FROM persona ORDER BY id") == kept
    else:
        with pytest.raises(DatabaseError, match="9000_second"):
            open_store(data)  # to this code it is newer
    repaired = starter(data, second_migration(tmp_path / "again", "pass"))
    out, _ = repaired.communicate("go\n", timeout=60)
    assert (repaired.returncode, out) == (0, "False\n")


def test_a_populated_first_database_becomes_what_a_new_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows are kept, and the guards of older tables hold still."""
    data = tmp_path / "data"
    database = older_database(data, FIRST, monkeypatch)
    populate_first(database)
    kept = {
        table: database.execute_sql(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        for table in FIRST_TABLES
    }
    database.close_all()
    with opened(data) as store, opened(tmp_path / "new") as new:
        assert {kind: plain(kind, store) for kind in KINDS} == {
            kind: plain(kind, new) for kind in KINDS
        }
        assert rows(store, "SELECT group_count FROM project") == [(1,)]
        for table, before in kept.items():
            assert before
            after = rows(store, f"SELECT * FROM {table}")  # noqa: S608
            assert [row[: len(old)] for row, old in zip(after, before, strict=True)] == before
        assert rows(store, "SELECT DISTINCT simulation_id, response_count, peer FROM audit") == [
            (None, None, None)
        ]
        for sql in (
            "UPDATE audit SET response_count = 1",
            "UPDATE audit SET peer = 'x'",
            "DELETE FROM audit",
        ):
            with pytest.raises((apsw.Error, peewee.PeeweeException)):
                store.database.execute_sql(sql)
        assert rows(store, "PRAGMA foreign_key_check") == []
        StoredGroup(store).add(rich_persona())


def test_answers_of_the_second_version_are_measured_by_the_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rows are kept, and the derived tables are what recording would have made of them."""
    chance, ours = random.Random(1), tmp_path / "new"
    with opened(ours) as store:
        group = StoredGroup(store)
        personas = group.add(rich_persona(), rich_persona())
        record_all(group, random_batches(chance, personas, simulations=8, answers=80))
        recorded, expected = rows(store, ANSWERED), image(store)
        places = rows(store, RECORDED)
        tables = {table: rows(store, f"SELECT * FROM {table}") for table in OLDER}  # noqa: S608
    data = tmp_path / "data"
    database = older_database(data, "0002_responses", monkeypatch)
    for table, found in {**tables, "response": recorded}.items():
        insert_rows(database, table, found)
    database.close_all()
    with opened(data) as store:
        assert {t: rows(store, f"SELECT * FROM {t}") for t in OLDER} == tables  # noqa: S608
        assert image(store) == expected
        assert all(expected.values())
        assert rows(store, ANSWERED) == recorded
        assert rows(store, RECORDED) == places
        assert rows(store, "SELECT DISTINCT library_persona_id FROM response") == [(None,)]
        for sql in ("UPDATE response SET library_persona_id = x'00'", "DELETE FROM response"):
            with pytest.raises((apsw.Error, peewee.PeeweeException)):
                store.database.execute_sql(sql)
        assert rows(store, "PRAGMA foreign_key_check") == []


OLDER = ("tenant", "project", "persona_group", "persona_set", "persona", "simulation")
ANSWERED = (
    "SELECT tenant_id, id, simulation_id, project_id, group_id, persona_id, position, "
    "question_key, length, framed FROM response"
)
RECORDED = "SELECT id, recorded FROM response ORDER BY id"  # what the eleventh reads in messages
KINDS = ("table", "index", "trigger")


def plain(kind: str, store: Store) -> dict[str, object]:
    """Return what a schema holds of a kind: each table's columns, each other object's text."""
    names = [name for found, name, *_ in schema(store) if found == kind]
    if kind == "table":
        return {str(name): rows(store, f"PRAGMA table_info({name})") for name in names}
    return {str(name): sql for found, name, _, sql in schema(store) if found == kind}
