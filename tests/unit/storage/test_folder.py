"""What becomes of a data folder's files before anything is opened."""

from pathlib import Path

import pytest

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.folder import FILE_NAME, make_private


def test_a_database_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.touch(0o644)
    make_private(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_mode_of_what_a_link_leads_to_is_left(tmp_path: Path) -> None:
    """Root may run a command in a folder in which somebody else makes links."""
    victim = tmp_path / "victim"
    victim.touch(0o644)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / FILE_NAME).symlink_to(victim)
    with pytest.raises(DatabaseError, match="is a link"):
        make_private(folder)
    assert victim.stat().st_mode & 0o777 == 0o644
