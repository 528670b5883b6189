"""`persona vacuum`: give back the room of what was deleted."""

import sys

import typer

from persona_server.commands.places import DATA, Data, failing_in_words
from persona_server.commands.upkeep.options import folder_of, mebibytes


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("vacuum")(vacuum)


def vacuum(data: Data = DATA) -> None:
    """Give the room of what was purged back to the disk, and say how much that was.

    Needed only after much was deleted for good: room within the file is used again by itself. While
    a server runs, that is done beside it, a little at a time. Without one the database is written
    anew, which gives back more, and takes twice its room on the disk while it works.
    """
    from persona_server.storage.upkeep.shrinking import shrink

    folder = folder_of(data)
    with failing_in_words("persona vacuum"):
        before, after = shrink(folder)
    freed = max(before - after, 0)
    print(f"{mebibytes(freed)} freed, {mebibytes(after)} left.", file=sys.stderr)
