"""`persona vacuum`: what it gives back, with a server and without."""

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from persona_cli import app
from persona_server.storage.engine.folder import FILE_NAME, lock_file
from persona_server.storage.store import open_store
from support.data import make_place, persona
from support.databases.disks import mounted
from support.dbfile import connection, reading
from support.importer import LEAN
from support.service import PERSONA, running_service

FILLER = 4 << 20  # bytes


@pytest.fixture
def purged(data: Path) -> Path:
    """A data folder whose database has had four mebibytes more."""
    open_store(data).close()
    with connection(data) as opened:
        opened.execute("CREATE TABLE filler (x)")
        opened.execute("INSERT INTO filler VALUES (randomblob(?))", (FILLER,))
        opened.execute("DROP TABLE filler")
    return data


def test_the_room_of_what_was_deleted_is_given_back(purged: Path) -> None:
    with reading(purged) as file:
        before = file.content()
    size = (purged / FILE_NAME).stat().st_size
    done = CliRunner().invoke(app, ["vacuum", "--data", str(purged)])
    assert done.exit_code == 0, done.output
    left = (purged / FILE_NAME).stat().st_size
    assert size - left >= FILLER
    assert done.stderr == (
        f"{(size - left) / (1 << 20):,.1f} MiB freed, {left / (1 << 20):,.1f} MiB left.\n"
    )
    with reading(purged) as file:
        assert file.content() == before


def test_nothing_is_asked_of_the_disk_of_temporary_files(
    purged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container, where that is some memory."""
    with connection(purged) as opened:
        opened.execute("CREATE TABLE kept AS SELECT randomblob(?) AS x", (FILLER,))
    with mounted(tmp_path / "temporary", "size=2m") as small:
        for name in ("SQLITE_TMPDIR", "TMPDIR"):
            monkeypatch.setenv(name, str(small))
        done = subprocess.run(
            [PERSONA, "vacuum", "--data", purged], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in purged.iterdir()) == [FILE_NAME, f"{FILE_NAME}.lock"]


def test_room_is_given_back_while_a_server_writes(purged: Path) -> None:
    with running_service(purged, *LEAN) as service:
        place = make_place(service.connect())
        size = pages(purged)
        done = CliRunner().invoke(app, ["vacuum", "--data", str(purged)])
        assert done.exit_code == 0, done.output
        assert done.stderr.startswith(f"{(size - pages(purged)) / (1 << 20):,.1f} MiB freed")
        assert size - pages(purged) >= FILLER
        place.create(persona())
    assert (purged / FILE_NAME).stat().st_size == pages(purged)
    with connection(purged) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def pages(data: Path) -> int:
    """Return the bytes of all pages of a database."""
    with connection(data) as opened:
        return int(opened.pragma("page_count")) * int(opened.pragma("page_size"))


def test_a_file_of_an_older_version_is_written_anew_once(purged: Path) -> None:
    with connection(purged) as opened:
        opened.execute("PRAGMA auto_vacuum = 0; VACUUM")
        opened.execute("CREATE TABLE filler (x)")
        opened.execute("INSERT INTO filler VALUES (randomblob(?))", (FILLER,))
        opened.execute("DROP TABLE filler")
    size = pages(purged)
    with lock_file(purged):
        done = CliRunner().invoke(app, ["vacuum", "--data", str(purged)])
        assert (done.exit_code, done.stdout) == (1, "")
        assert "stop it once" in done.stderr
        assert pages(purged) == size
    for _ in range(2):
        assert CliRunner().invoke(app, ["vacuum", "--data", str(purged)]).exit_code == 0
    with connection(purged) as opened:
        assert opened.pragma("auto_vacuum") == 2
    assert size - pages(purged) >= FILLER
