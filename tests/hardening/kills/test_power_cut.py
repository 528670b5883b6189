"""R2: a power cut at any point loses nothing acknowledged and damages nothing."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import apsw
import pytest
from peewee import PeeweeException

from persona_server.storage.engine.sqlite.connecting import PRAGMAS
from persona_server.storage.engine.sqlite.database import SqliteDatabase
from persona_server.storage.store import open_store
from support.data import persona
from support.databases.powercut import Disk, Op, recorded
from support.dbfile import DatabaseFile, reading
from support.stored import TENANT, StoredGroup

pytestmark = pytest.mark.sqlite("the disk beneath its file is cut off")

SIZE = 20  # personas of a batch
STEPS = 60
PAGES = 60  # of log before a checkpoint, so that there are many


class Recording(NamedTuple):
    """What SQLite did to its files, and what the database held after each acknowledgement."""

    ops: list[Op]
    states: list[dict[str, int]]


def record(folder: Path, seed: int = 0, **pragmas: tuple[str, object]) -> Recording:
    """Write to a new database: batches, deletes and delete-alls, acknowledged one by one."""
    chance = random.Random(seed)
    often: dict[str, tuple[str, object]] = {"wal_autocheckpoint": (str(PAGES), PAGES)}
    with patch.dict(PRAGMAS, often | pragmas), recorded() as ops:
        store = open_store(folder)
        assert isinstance(store.database, SqliteDatabase)
        file = DatabaseFile(store.database.connection())
        states = [state_of(file)]
        group = StoredGroup(store)
        ids: list[bytes] = []
        for step in range(STEPS):
            if step % 20 == 19:
                group.drop()
                ids = []
            elif ids and chance.random() < 0.3:
                group.hide(ids.pop())
            elif step:
                ids += group.add(*(persona(psychographic_notes="x" * 1000) for _ in range(SIZE)))
            ops.append(Op("acknowledge", ""))
            states.append(state_of(file))
        store.close()
    return Recording(ops, states)


def state_of(file: DatabaseFile) -> dict[str, int]:
    return {**file.counts(TENANT), "visible": file.visible(TENANT)}


class Lost(NamedTuple):
    """How many of the cuts lost something acknowledged, or left a damaged database."""

    acknowledged: int
    damaged: int


def cut(recording: Recording, folder: Path, number: int) -> Lost:
    """Cut the power at `number` points of a recording and look at what is left."""
    chance, disk = random.Random(number), Disk()
    points = sorted(chance.randrange(len(recording.ops) + 1) for _ in range(number))
    lost = damaged = done = 0
    for point in points:
        for op in recording.ops[done:point]:
            disk.apply(op)
        done = point
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        disk.cut(folder, chance)
        # What was on its way may have arrived whole, if it was not acknowledged yet.
        fine = recording.states[disk.acknowledged : disk.acknowledged + 2]
        found = opened(folder)
        damaged += found is None
        lost += found is not None and found not in fine
    return Lost(lost, damaged)


def opened(folder: Path) -> dict[str, int] | None:
    """Return what a server would find after the cut; None if the database is damaged."""
    try:
        open_store(folder).close()
        with reading(folder) as file:
            whole = file.rows("PRAGMA integrity_check") == [("ok",)]
            bound = file.rows("PRAGMA foreign_key_check") == []
            return state_of(file) if whole and bound else None
    except (PeeweeException, apsw.Error):
        return None


def test_recording_has_what_matters(tmp_path: Path) -> None:
    ops, states = record(tmp_path / "data")
    kinds = {(op.kind, op.file.rpartition("-")[2]) for op in ops}
    assert ("write", "wal") in kinds
    assert ("sync", "wal") in kinds
    assert ("delete", "wal") in kinds
    checkpoints = sum(op.kind == "sync" and op.file == "persona.sqlite3" for op in ops)
    assert checkpoints > 5
    assert len(states) == STEPS + 1


def test_nothing_acknowledged_is_lost(tmp_path: Path, rounds: Callable[[int, int], int]) -> None:
    for seed in range(rounds(1, 10)):
        recording = record(tmp_path / f"data-{seed}", seed)
        assert cut(recording, tmp_path / "cut", rounds(200, 1_000)) == Lost(0, 0)


def test_oracle_catches_less_than_full(tmp_path: Path) -> None:
    """The positive control: with NORMAL the same test must fail, by loss and not by damage."""
    recording = record(tmp_path / "data", synchronous=("NORMAL", 1))
    lost = cut(recording, tmp_path / "cut", 60)
    assert lost.acknowledged > 0
    assert lost.damaged == 0
