"""What these commands are told, and how they say sizes."""

from pathlib import Path

from persona_server.commands.places import database_place

STREAM = "-"


def folder_of(data: str) -> Path:
    """Return the folder that --data names; one that can't be ends the command."""
    folder = database_place(data, "")
    assert isinstance(folder, Path)  # no URL was given
    return folder


def mebibytes(size: int) -> str:
    """Return a size as people read it."""
    return f"{size / (1 << 20):,.1f} MiB"
