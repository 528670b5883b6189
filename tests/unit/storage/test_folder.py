"""The folder of a database: its owner's alone, one server's at a time, and never made by chance."""

from contextlib import closing
from pathlib import Path

import pytest

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import lock_file
from persona_server.storage.store import open_store
from support.stored import StoredGroup


def test_a_folder_without_a_database_is_refused_unless_one_is_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="Name the folder of one"):
        open_store(tmp_path / "nothing", make=False)
    assert not (tmp_path / "nothing").exists()


def test_files_are_their_owners_alone(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "data")) as store:
        StoredGroup(store)
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
        for path in (tmp_path / "data").iterdir():
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_one_server_per_folder(tmp_path: Path) -> None:
    with (
        closing(open_store(tmp_path)),
        lock_file(tmp_path),
        pytest.raises(DatabaseError, match="name another folder"),
    ):
        lock_file(tmp_path)
    lock_file(tmp_path).close()
