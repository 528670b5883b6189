"""`persona vacuum`: give back the room of what was deleted. No server may be running."""

import sys

import typer

from persona_server.commands.places import DATA, Data, failing_in_words
from persona_server.commands.upkeep.options import folder_of, mebibytes


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("vacuum")(vacuum)


def vacuum(data: Data = DATA) -> None:
    """Write the database anew without the room of what was purged, and say how much that was.

    Needed only after much was deleted for good: room within the file is used again by itself. Stop
    the server first; it takes as much room on the disk again while it works.
    """
    # Imported when it runs: `persona --help` reads this module, and would wait for the store.
    from persona_server.storage.upkeep.shrinking import shrink

    folder = folder_of(data)
    with failing_in_words("persona vacuum"):
        before, after = shrink(folder)
    freed = max(before - after, 0)
    print(f"{mebibytes(freed)} freed, {mebibytes(after)} left.", file=sys.stderr)
