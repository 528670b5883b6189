"""`persona backup` and `persona restore`: a backup is whole, or nothing is left of it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import apsw
import pytest
from typer.testing import CliRunner

from persona_cli import app
from persona_server.identity.tokens import local_key
from persona_server.storage.engine.folder import FILE_NAME, lock_file
from persona_server.storage.store import open_store
from support.data import persona
from support.dbfile import connection, reading
from support.service import PERSONA
from support.stored import StoredGroup


class Done(NamedTuple):
    """What a command ended with."""

    code: int
    out: bytes
    err: str


def run(*words: str | Path, stdin: bytes = b"") -> Done:
    done = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout_bytes, done.stderr)


def said(done: Done, code: int = 1) -> str:
    """Return the one line that a command ended with."""
    assert done.code == code, done.err
    (line,) = done.err.splitlines()
    return line


def run_bounded(*words: str | Path, blocks: int = 100) -> "subprocess.CompletedProcess[str]":
    """Run a command whose files may have so many blocks of 512 bytes at most."""
    bounded = ["sh", "-c", f'ulimit -f {blocks} && exec "$@"', "sh", PERSONA, *words]
    return subprocess.run(bounded, capture_output=True, text=True, check=False)


@pytest.fixture
def filled(data: Path) -> Path:
    """A data folder with a few personas, which no server uses."""
    store = open_store(data)
    local_key(store)
    StoredGroup(store).add(*(persona() for _ in range(3)))
    store.close()
    return data


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_restores_to_the_same(filled: Path, tmp_path: Path) -> None:
    backup, restored = tmp_path / "backups" / "one.sqlite3", tmp_path / "restored"
    backup.parent.mkdir()
    assert f"Backed up {filled}" in said(run("backup", backup, "--data", filled), 0)
    assert names(backup.parent) == ["one.sqlite3"]
    assert backup.stat().st_mode & 0o777 == 0o600
    assert f"Restored {restored}" in said(run("restore", backup, "--data", restored), 0)
    assert restored.stat().st_mode & 0o777 == 0o700
    assert (restored / FILE_NAME).stat().st_mode & 0o777 == 0o600
    with reading(filled) as before, reading(restored) as after:
        assert after.content() == before.content()


def test_a_backup_goes_through_pipes(filled: Path, tmp_path: Path) -> None:
    done = run("backup", "-", "--data", filled)
    assert done.code == 0, done.err
    restored = tmp_path / "restored"
    assert "Restored" in said(run("restore", "-", "--data", restored, stdin=done.out), 0)
    with reading(filled) as before, reading(restored) as after:
        assert after.content() == before.content()
    cut = done.out[: len(done.out) // 2]
    other = tmp_path / "other"
    assert "The backup can't be read" in said(run("restore", "-", "--data", other, stdin=cut))
    assert FILE_NAME not in names(other)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_backup_that_is_not_read_to_its_end_is_none(filled: Path, unbuffered: str) -> None:
    """Nor is one that a pipe or a disk takes in part, which is said to who writes unbuffered."""
    with subprocess.Popen(
        [PERSONA, "backup", "-", "--data", filled],
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(6) == b"SQLite"
        process.stdout.close()
        _, said_of_it = process.communicate(timeout=60)
    assert (process.returncode, said_of_it) == (141, b"")  # as one that SIGPIPE ends
    assert not (filled / f"{FILE_NAME}.backed-up").exists()


@pytest.mark.parametrize("command", ["backup -", "restore -", "doctor", "vacuum"])
def test_what_a_service_of_postgresql_has_left_behind_is_not_taken_for_it(
    filled: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("PERSONA_DATABASE", "postgresql://persona@127.0.0.1:1/persona")
    done = run(*command.split(), "--data", filled)
    assert "PERSONA_DATABASE names a database of PostgreSQL" in said(done, 2)
    assert done.out == b""


def test_nothing_is_no_backup(tmp_path: Path) -> None:
    assert "The backup is empty" in said(run("restore", "-", "--data", tmp_path))
    assert FILE_NAME not in names(tmp_path)


def test_what_is_there_is_not_overwritten(filled: Path, tmp_path: Path) -> None:
    backup = tmp_path / "there"
    backup.write_text("mine")
    assert f"{backup} is there already" in said(run("backup", backup, "--data", filled))
    assert backup.read_text() == "mine"
    assert "is a folder" in said(run("backup", tmp_path, "--data", filled))
    missing = tmp_path / "nowhere" / "x"
    assert "No such file" in said(run("backup", missing, "--data", filled))
    good = tmp_path / "good"
    said(run("backup", good, "--data", filled), 0)
    assert "is there already" in said(run("restore", good, "--data", filled))
    with lock_file(filled):
        assert "Another server" in said(run("restore", good, "--data", filled))


def test_what_a_killed_one_has_left_is_written_anew(filled: Path, tmp_path: Path) -> None:
    backup, left = tmp_path / "x", tmp_path / ".x.partial"
    left.write_bytes(b"left" * 1_000_000)
    left.chmod(0o666)
    said(run("backup", backup, "--data", filled), 0)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not left.exists()


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_file_that_somebody_laid_there_is_not_written(
    filled: Path, tmp_path: Path, link: str
) -> None:
    backup, laid, victim = tmp_path / "x", tmp_path / ".x.partial", tmp_path / "victim"
    victim.write_text("mine")
    getattr(laid, link)(victim)
    wanted = {"symlink_to": "symbolic links", "hardlink_to": "not a file of this process's own"}
    assert wanted[link] in said(run("backup", backup, "--data", filled))
    assert victim.read_text() == "mine"
    assert not backup.exists()


def test_a_folder_without_a_database_has_no_backup(tmp_path: Path) -> None:
    line = said(run("backup", tmp_path / "x", "--data", tmp_path))
    assert "There is no database" in line
    assert names(tmp_path) == []


def test_a_file_that_may_not_grow_so_long_is_said(filled: Path, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    done = run_bounded("backup", backups / "one", "--data", filled)
    assert (done.returncode, names(backups)) == (1, [])
    assert "files may not be so long" in done.stderr


def test_where_nothing_temporary_can_be_written_a_pipe_has_no_backup(filled: Path) -> None:
    with connection(filled) as opened:  # which has made what readers share
        opened.execute("SELECT 1 FROM persona").fetchall()
        done = run_bounded("backup", "-", "--data", filled, blocks=0)
    assert (done.returncode, done.stdout) == (1, "")
    assert "TMPDIR" in done.stderr


def test_the_room_is_looked_at_first(filled: Path, tmp_path: Path) -> None:
    small = Path("/dev/shm")  # noqa: S108 (a small disk)
    with connection(filled) as opened:
        pages = shutil.disk_usage(small).total // 8192  # of what is free, others make more
        opened.execute("CREATE TABLE filler (x)")
    # A database that says it is larger than the disk: its header counts pages that are not there.
    with (filled / FILE_NAME).open("r+b") as file:
        file.truncate((pages + 10_000) * 8192)
        file.seek(28)
        file.write((pages + 10_000).to_bytes(4, "big"))
    target = small / "persona-backup-test"
    line = said(run("backup", target, "--data", filled))
    assert "MiB free" in line
    assert not target.exists()


@pytest.mark.parametrize("where", ["page", "row", "program", "newer"])
def test_what_is_no_whole_database_of_ours_is_not_restored(
    filled: Path, tmp_path: Path, where: str
) -> None:
    backup, folder = tmp_path / "backup", tmp_path / "folder"
    said(run("backup", backup, "--data", filled), 0)
    damage(backup, where)
    line = said(run("restore", backup, "--data", folder))
    wanted = {"program": "of another program", "newer": "newer", "row": "damaged"}
    assert wanted.get(where, "can't be read") in line
    assert FILE_NAME not in names(folder)


def damage(backup: Path, where: str) -> None:
    if where == "page":
        with backup.open("r+b") as file:
            file.seek(5 * 8192)
            file.write(b"\xff" * 8192)
        return
    if where == "program":
        backup.unlink()
    opened = apsw.Connection(str(backup))
    opened.execute(
        {
            "row": "PRAGMA foreign_keys = 0; DELETE FROM persona_set",
            "program": "CREATE TABLE notes (x)",
            "newer": "INSERT INTO schema_migration (name, applied) VALUES ('0999_x', '2030-01-01')",
        }[where]
    )
    opened.close()


def test_a_log_of_another_database_is_refused(filled: Path, tmp_path: Path) -> None:
    backup, folder = tmp_path / "backup", tmp_path / "folder"
    said(run("backup", backup, "--data", filled), 0)
    folder.mkdir()
    (folder / f"{FILE_NAME}-wal").write_bytes(b"x")
    line = said(run("restore", backup, "--data", folder))
    assert f"{FILE_NAME}-wal is of another database" in line
