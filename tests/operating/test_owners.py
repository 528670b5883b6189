"""What root does in a service's folder: the service can still use all of it."""

import os
import subprocess
from pathlib import Path

import pytest

from persona_server.storage.store import open_store
from persona_server.storage.upkeep.watching import backed_up_at
from support.importer import LEAN
from support.service import PERSONA, running_service

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another")
pytestmark = pytest.mark.sqlite("a folder")


def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([PERSONA, *words], capture_output=True, text=True, check=False)


def given_to_nobody(folder: Path) -> Path:
    for each in (folder, *folder.iterdir()):
        os.chown(each, NOBODY, NOBODY)
    return folder


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    open_store(tmp_path / "first").close()
    done = run("backup", tmp_path / "backup", "--data", tmp_path / "first")
    assert done.returncode == 0, done.stderr
    return tmp_path / "backup"


@as_root
def test_all_that_root_makes_belongs_to_whom_the_folder_does(tmp_path: Path, backup: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    given_to_nobody(folder)
    assert run("restore", backup, "--data", folder).returncode == 0
    assert run("doctor", "--data", folder).returncode == 0
    assert run("backup", tmp_path / "again", "--data", folder).returncode == 0
    with running_service(folder, *LEAN, "--workers", "2") as service:
        assert service.log
    owners = {each.name: each.stat().st_uid for each in folder.iterdir()}
    endings = ("", ".lock", ".turns", ".backed-up")
    assert owners.keys() >= {f"persona.sqlite3{ending}" for ending in endings}
    assert set(owners.values()) == {NOBODY}
    assert (tmp_path / "again").stat().st_uid == 0, "a backup holds keys, and is its maker's"


@as_root
def test_nothing_is_given_away_by_a_link(tmp_path: Path, backup: Path) -> None:
    """Who owns the folder may name any file in it."""
    folder, other = tmp_path / "data", tmp_path / "other"
    folder.mkdir()
    given_to_nobody(folder)
    other.write_text("kept")
    for link in (Path.symlink_to, Path.hardlink_to):
        lock = folder / "persona.sqlite3.lock"
        link(lock, other)
        run("restore", backup, "--data", folder)
        assert other.stat().st_uid == 0
        assert link is Path.hardlink_to or other.read_text() == "kept"
        lock.unlink()
        (folder / "persona.sqlite3").unlink(missing_ok=True)


def test_a_database_that_is_a_link_is_refused(tmp_path: Path, backup: Path) -> None:
    """A server of the folder that has it would not be seen."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "persona.sqlite3").symlink_to(tmp_path / "first" / "persona.sqlite3")
    for words in (("serve", "--listen", "127.0.0.1:0"), ("rebuild-measures",)):
        done = run(*words, "--data", folder)
        assert done.returncode == 1
        assert "persona.sqlite3 is a link. Name the folder of the file itself." in done.stderr


def test_a_backup_is_noted_whoever_noted_the_last_one(tmp_path: Path, backup: Path) -> None:
    mark = tmp_path / "first" / "persona.sqlite3.backed-up"
    os.utime(mark, (1, 1))
    mark.chmod(0)  # as another's is, but for root, whom nothing stops
    assert run("backup", tmp_path / "again", "--data", tmp_path / "first").returncode == 0
    assert backed_up_at(tmp_path / "first") > 1
