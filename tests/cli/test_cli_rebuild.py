"""`persona rebuild-measures`, as its own process on a data folder."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from persona_server.storage.engine.folder import lock_file
from persona_server.storage.store import open_store
from support.answering.measuring import random_batches, raw_image, record_all
from support.data import persona
from support.dbfile import connection
from support.stored import StoredGroup

PERSONA = Path(sys.executable).with_name("persona")


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(PERSONA), "rebuild-measures", "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with answers of two simulations."""
    store = open_store(tmp_path / "data")
    group = StoredGroup(store)
    personas = group.add(persona(), persona())
    record_all(group, random_batches(random.Random(1), personas, simulations=2, answers=30))
    store.close()
    return tmp_path / "data"


def test_it_repairs_and_says_what_it_did(folder: Path) -> None:
    store = open_store(folder)
    before = raw_image(store)
    store.database.execute_sql("DELETE FROM series")
    store.close()
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Rebuilt from 60 answers in 2 simulations of 1 tenant ")
    store = open_store(folder)
    assert raw_image(store) == before
    store.close()


def test_it_refuses_while_a_server_uses_the_folder(folder: Path) -> None:
    with lock_file(folder):
        done = run(folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Stop it, or name another folder." in done.stderr


def test_it_makes_no_database(tmp_path: Path) -> None:
    done = run(tmp_path / "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert not (tmp_path / "nothing").exists()


def test_damage_is_told_to_whom_it_is_for(folder: Path) -> None:
    with connection(folder) as opened:
        columns = [row[1] for row in opened.execute("PRAGMA table_info(response)")]
        (first, *_) = opened.execute("SELECT * FROM response")
        row = dict(zip(columns, first, strict=True)) | {"id": b"\xff" * 16, "framed": b"\xff"}
        places = ", ".join("?" * len(row))
        opened.execute(f"INSERT INTO response VALUES ({places})", tuple(row.values()))  # noqa: S608
    done = run(folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "persona rebuild-measures: The database is damaged: have `persona doctor` look at it, or "
        "restore a backup.\n"
    )
