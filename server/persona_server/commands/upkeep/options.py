"""What these commands are told, and how they fail."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from persona_server.commands.places import DATA, Data, database_place

__all__ = ["DATA", "STREAM", "Data", "failing_in_words", "folder_of", "mebibytes"]
STREAM = "-"


@contextmanager
def failing_in_words(command: str) -> Iterator[None]:
    """Turn what keeps a command from its work into one sentence and exit code 1."""
    from persona_server.errors import ServiceError
    from persona_server.storage.engine.errors import DatabaseError

    try:
        yield
    except (DatabaseError, ServiceError) as error:
        print(f"persona {command}: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def folder_of(data: str) -> Path:
    """Return the folder that --data names; one that can't be ends the command."""
    folder = database_place(data, "")
    assert isinstance(folder, Path)  # no URL was given
    return folder


def mebibytes(size: int) -> str:
    """Return a size as people read it."""
    return f"{size / (1 << 20):,.1f} MiB"
