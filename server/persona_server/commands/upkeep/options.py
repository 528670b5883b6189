"""What these commands are told, and how they say sizes."""

import os
from pathlib import Path

from persona_server.commands.places import database_place, fail

STREAM = "-"


def folder_of(data: str) -> Path:
    """Return the folder that --data names; one that can't be ends the command.

    So does a database of PostgreSQL, which the service then uses in place of any folder: a backup
    of what was left there would be taken for one of the service.
    """
    if os.environ.get("PERSONA_DATABASE"):
        fail(
            "PERSONA_DATABASE names a database of PostgreSQL, which has tools of its own for this. "
            "Unset it to work on a folder.",
            2,
        )
    folder = database_place(data, "")
    assert isinstance(folder, Path)  # no URL was given
    return folder


def mebibytes(size: int) -> str:
    """Return a size as people read it."""
    return f"{size / (1 << 20):,.1f} MiB"
