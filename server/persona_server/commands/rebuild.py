"""`persona rebuild-measures`: make what is derived from answers anew. No server may be running."""

import sys
import time
from typing import Annotated

import typer

from persona_server.commands.places import data_folder
from persona_server.config import default_data


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild-measures")(rebuild_measures)


def rebuild_measures(
    data: Annotated[
        str, typer.Option(help="Folder of the database.", envvar="PERSONA_DATA")
    ] = default_data(),
) -> None:
    """Recompute from the recorded answers what reliability and timelines are read from.

    Needed only if those tables are damaged; the answers themselves are not touched.
    """
    # Imported when it runs: `persona --help` reads this module, and would wait for the store.
    from persona_server.errors import ServiceError
    from persona_server.storage import keys
    from persona_server.storage.engine.errors import DatabaseError
    from persona_server.storage.engine.folder import lock_file
    from persona_server.storage.store import open_store

    folder, started = data_folder(data), time.monotonic()
    try:
        store = open_store(folder, make=False)
        with lock_file(folder):
            done = list(store.rebuild.run(keys.now()))
        store.close()
    except (DatabaseError, ServiceError) as error:
        print(f"persona rebuild-measures: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    answers, simulations = sum(d.responses for d in done), sum(d.simulations for d in done)
    print(
        f"Rebuilt from {answers:,} answers in {simulations:,} simulations of {len(done):,} tenants "
        f"in {time.monotonic() - started:.1f} s."
    )
