"""`persona rebuild-measures`: make what is derived from answers anew. No server may be running."""

import time
from contextlib import closing

import typer

from persona_server.commands.places import (
    DATA,
    Data,
    Database,
    counted,
    database_place,
    failing_in_words,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rebuild-measures")(rebuild_measures)


def rebuild_measures(data: Data = DATA, database: Database = "") -> None:
    """Recompute from the recorded answers what reliability and timelines are read from.

    Needed only if those tables are damaged; the answers themselves are not touched.
    """
    from persona_server.storage import keys
    from persona_server.storage.store import open_store

    place, started = database_place(data, database), time.monotonic()
    with (
        failing_in_words("persona rebuild-measures"),
        closing(open_store(place, make=False)) as store,
        store.database.alone(),
    ):
        done = list(store.rebuild.run(keys.now()))
    answers, simulations = sum(d.responses for d in done), sum(d.simulations for d in done)
    print(
        f"Rebuilt from {counted({'answers': answers})} in {counted({'simulations': simulations})} "
        f"of {counted({'tenants': len(done)})} in {time.monotonic() - started:.1f} s."
    )
