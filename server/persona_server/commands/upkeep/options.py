"""What these commands are told, and how they fail."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from persona_server.commands.places import data_folder
from persona_server.config import default_data

Data = Annotated[str, typer.Option(help="Folder of the database.", envvar="PERSONA_DATA")]
DATA = default_data()
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
    return data_folder(data)


def mebibytes(size: int) -> str:
    """Return a size as people read it."""
    return f"{size / (1 << 20):,.1f} MiB"
