"""`persona distribute`: put the tables on the nodes of a Citus cluster. No server may run."""

import typer

from persona_server.commands.places import DATA, Data, Database, failing_in_words, opened


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("distribute")(distribute)


def distribute(data: Data = DATA, database: Database = "") -> None:
    """Put every table on the nodes of a Citus cluster, by tenant, as the owner of the tables.

    Stop the servers first. The database is that of the coordinator, with the tables of this
    version, empty or not. A run that was ended goes on when it is started again. Citus has no
    triggers: see docs/scaling.md for what then guards what is kept.
    """
    from persona_server.storage.distribution import distribute

    with failing_in_words("persona distribute"), opened(data, database) as store:
        count = 0
        for count, table in enumerate(distribute(store.database), 1):  # noqa: B007 (its last)
            print(f"distributed  {table}")
    were = "1 table was" if count == 1 else f"{count} tables were"
    print(f"{were} distributed." if count else "All tables were distributed before.")
