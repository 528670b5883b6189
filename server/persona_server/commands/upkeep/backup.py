"""`persona backup` and `persona restore`."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from persona_server.commands.places import DATA, Data, failing_in_words
from persona_server.commands.upkeep.options import STREAM, folder_of, mebibytes


def register_backup(app: typer.Typer) -> None:
    """Add the one command."""
    app.command("backup")(backup)


def register_restore(app: typer.Typer) -> None:
    """Add the other."""
    app.command("restore")(restore)


def backup(
    target: Annotated[
        str, typer.Argument(metavar="FILE", help="A new file, or - for standard output.")
    ],
    data: Data = DATA,
) -> None:
    """Write the database, as it is now, into one file. A server may run meanwhile.

    The file is looked through before it gets its name; where that fails nothing is left. It holds
    the keys that sign tokens, so treat it as a secret.
    """
    from persona_server.storage.upkeep.backups import back_up, back_up_to

    folder = folder_of(data)
    with failing_in_words("persona backup"):
        if target == STREAM:
            if sys.stdout.isatty():
                raise typer.BadParameter("standard output is a terminal: name a file.")
            size = back_up_to(folder, sys.stdout.buffer)
        else:
            size = back_up(folder, Path(target).absolute())
    print(f"Backed up {folder}: {mebibytes(size)}.", file=sys.stderr)


def restore(
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="A backup, or - for standard input.")
    ],
    data: Data = DATA,
) -> None:
    """Make a backup the database of a folder that has none.

    What was written after the backup is not in it, and who was erased since is there again: erase
    them before the service is used.
    """
    from persona_server.storage.engine.errors import DatabaseError
    from persona_server.storage.upkeep.backups import restore as restore_from

    folder = folder_of(data)
    with failing_in_words("persona restore"):
        if source == STREAM:
            size = restore_from(sys.stdin.buffer, 0, folder)
        else:
            try:
                with Path(source).open("rb") as file:
                    size = restore_from(file, os.fstat(file.fileno()).st_size, folder)
            except OSError as error:
                raise DatabaseError(f"{source} can't be read: {error.strerror}.") from None
    print(f"Restored {folder}: {mebibytes(size)}.", file=sys.stderr)
