"""`persona vacuum`: what it gives back, and when it may not run."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from persona_cli import app
from persona_server.storage.engine.folder import FILE_NAME, lock_file
from persona_server.storage.store import open_store
from support.dbfile import connection, reading

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


def test_it_refuses_while_a_server_uses_the_folder(purged: Path) -> None:
    size = (purged / FILE_NAME).stat().st_size
    with lock_file(purged):
        done = CliRunner().invoke(app, ["vacuum", "--data", str(purged)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Another server" in done.stderr
    assert (purged / FILE_NAME).stat().st_size == size
