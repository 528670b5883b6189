"""`persona import`: files into a persona group, resumable."""

from typing import Annotated

import typer

from persona_cli.files.formats import Format, persona_items
from persona_cli.files.sources import Reader, Source
from persona_cli.runs.import_run import ImportRun
from persona_cli.runs.resuming import broken_off, open_journal, total_bytes
from persona_cli.terminal.meter import Meter
from persona_cli.terminal.names import ensured_group_ids
from persona_cli.terminal.output import compact, print_line
from persona_cli.terminal.session import GroupOption, ProjectOption, Session, client_command
from persona_client import AlreadyExists, ImportConflict, Persona, PersonaClient, PersonaError


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "import")(import_)


def import_(
    session: Session,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files to read; - is standard input.")
    ],
    project: ProjectOption,
    group: GroupOption,
    form: Annotated[
        Format, typer.Option("--format", help="How lines are read; auto looks at the first one.")
    ] = Format.AUTO,
    new_ids: Annotated[
        bool, typer.Option("--new-ids", help="Drop the ids of the input: the service makes others.")
    ] = False,
) -> None:
    """Import personas into a group; project and group are made if no one has their name.

    Reads JSON lines as `persona export` writes them, and the genagents GSS file. Lines that cannot
    be a persona are listed, the others go in, and the exit code is 1. A broken import goes on when
    the same command is run again.
    """
    sources = [Source(name) for name in files]
    ids = ensured_group_ids(session.client, project, group)
    options = {"format": form, "new_ids": new_ids}
    into = {"project_id": ids[0], "group_id": ids[1]}
    journal = open_journal(session.address, sources, into, options)
    run = ImportRun(sources, ids, journal)
    reader = Reader(sources, lambda lines: persona_items(lines, form, new_ids=new_ids), _id)
    with (
        broken_off(session.address, journal, lambda error: _advice(error, session.client, run)),
        session.patient_client() as client,
        Meter(total_bytes(sources), "personas") as meter,
    ):
        run.run(client, reader, meter)
    if session.as_json:
        counts = {"imported": run.imported, "refused": run.refused}
        print_line(compact({**into, **counts}))
    else:
        print(f"{run.imported} imported, {run.refused} refused.")
    if run.refused:
        raise typer.Exit(1)


def _id(persona: Persona) -> str:
    return persona.id


def _advice(error: PersonaError | None, client: PersonaClient, run: ImportRun) -> str:
    """Return what the user can do after an import failed."""
    if isinstance(error, ImportConflict) and run.ended(client):
        run.forget()
        return (
            "All personas of the group were deleted meanwhile, those of this import too. The same "
            "command imports everything anew."
        )
    if isinstance(error, AlreadyExists):
        return f"{run.how_to_go_on()} --new-ids imports all as new personas."
    return run.how_to_go_on()
