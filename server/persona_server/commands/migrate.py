"""`persona migrate`: bring a database to the schema of this version, as its owner."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_server.commands.places import (
    DATA,
    Data,
    Database,
    database_place,
    failing_in_words,
    unserved,
)

if TYPE_CHECKING:
    from persona_server.storage.upgrade import Upgrade


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate")(migrate)


@contextmanager
def _told(place: Path | str, upgrade: "Upgrade") -> Iterator[None]:
    """Say how far an upgrade is, for as long as it takes. No server uses it meanwhile."""
    from persona_server.storage.upgrade import telling

    with unserved(place):
        print(f"Upgrading from {upgrade.old} to {upgrade.new}.", file=sys.stderr)
        with telling(lambda: print(f"… {upgrade}", file=sys.stderr)):
            yield


def migrate(
    data: Data = DATA,
    database: Database = "",
    grant_to: Annotated[
        str,
        typer.Option(
            metavar="ROLE", help="Role of PostgreSQL that may read and write, but change no table."
        ),
    ] = "",
) -> None:
    """Make the tables of this version, or bring older ones to it.

    A server does so by itself where it starts with the right to. However many do it at once, one
    does, and the others find it done. A folder must have a database. Stop the servers before an
    upgrade: it is refused while one runs.
    """
    from persona_server.storage.engine.database import shown
    from persona_server.storage.engine.errors import refusing_to_open
    from persona_server.storage.engine.folder import require_database
    from persona_server.storage.migrate import grant
    from persona_server.storage.store import open_store

    place = database_place(data, database)
    with failing_in_words("persona migrate"):
        if isinstance(place, Path):  # another one would be an empty service, with keys of its own
            require_database(place)
        with closing(open_store(place, watched=partial(_told, place), unserved=True)) as store:
            if grant_to:
                with refusing_to_open(shown(place)):
                    grant(store.database, grant_to)
    print(f"{shown(place)} is of this version.")
