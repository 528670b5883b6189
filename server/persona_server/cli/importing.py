"""`persona import`: files into a persona group, resumable."""

import sys
import uuid
from typing import Annotated, Any

import typer

from persona_client import AlreadyExists, ImportConflict, PersonaClient, PersonaError
from persona_server.cli.failures import complain, explained
from persona_server.cli.formats import Format
from persona_server.cli.import_run import ImportRun
from persona_server.cli.journal import Journal, Key, default_folder
from persona_server.cli.meter import Meter
from persona_server.cli.names import ensured_group_ids
from persona_server.cli.output import compact, print_line
from persona_server.cli.session import GroupOption, ProjectOption, Session, client_command
from persona_server.cli.sources import Reader, Source


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
    journal = _journal(session.address, sources, ids, options)
    run = ImportRun(sources, ids, journal)
    try:
        with session.patient_client() as client, Meter(_total(sources)) as meter:
            run.run(client, Reader(sources, form, new_ids=new_ids), meter)
    except KeyboardInterrupt:
        print(f"\nInterrupted. {run.how_to_go_on()}", file=sys.stderr)
        raise
    except PersonaError as error:
        complain(explained(error, session.address))
        print(_advice(error, session.client, run), file=sys.stderr)
        raise typer.Exit(1) from None
    finally:
        journal.close()
    if session.as_json:
        counts = {"imported": run.imported, "refused": run.refused}
        print_line(compact({"project_id": ids[0], "group_id": ids[1], **counts}))
    else:
        print(f"{run.imported} imported, {run.refused} refused.")
    if run.refused:
        raise typer.Exit(1)


def _journal(
    address: str, sources: list[Source], ids: tuple[str, str], options: dict[str, Any]
) -> Journal:
    """Open the journal of these sources, or one in memory where they can't be read again."""
    import_id = str(uuid.uuid4())
    hashes = [source.sha256 for source in sources if source.sha256 is not None]
    if len(hashes) < len(sources):
        print("Standard input and pipes can't be resumed if the import breaks.", file=sys.stderr)
        return Journal(import_id)
    journal = Journal.opened(default_folder(), Key(address, *ids, hashes, options), import_id)
    if journal.boundaries:
        print("Going on with the import that broke off.", file=sys.stderr)
    return journal


def _advice(error: PersonaError, client: PersonaClient, run: ImportRun) -> str:
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


def _total(sources: list[Source]) -> int | None:
    """Return how many bytes there are to read; None if that can't be known."""
    sizes = [source.size for source in sources if source.size is not None]
    return sum(sizes) if len(sizes) == len(sources) else None
