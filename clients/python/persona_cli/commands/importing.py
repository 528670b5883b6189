"""`persona import`: files into a persona group, resumable."""

import uuid
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

import typer

from persona_cli.files.formats import PersonaFormat, persona_items
from persona_cli.files.inputs import InputFile, LineReader
from persona_cli.runs.import_run import ImportRun
from persona_cli.runs.journal import Journal
from persona_cli.runs.resuming import explain_interruption, open_journal, total_bytes
from persona_cli.terminal.command import CommandContext, GroupOption, ProjectOption, client_command
from persona_cli.terminal.names import ensured_group, group_ids
from persona_cli.terminal.output import compact_json, print_line
from persona_cli.terminal.progress import ProgressBar
from persona_client import AlreadyExists, ImportConflict, Persona, PersonaClient, PersonaError


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "import")(import_)


def import_(
    context: CommandContext,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files to read; - is standard input.")
    ],
    project: ProjectOption,
    group: GroupOption,
    form: Annotated[
        PersonaFormat,
        typer.Option("--format", help="PersonaFormat of the lines; auto tells by the first one."),
    ] = PersonaFormat.AUTO,
    new_ids: Annotated[
        bool,
        typer.Option(
            "--new-ids", help="Ignore the ids in the input; the service assigns new ones."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Let the service check everything, and import nothing."),
    ] = False,
) -> None:
    """Import personas into a group; a project or group that does not exist is created.

    Reads JSON lines as `persona export` writes them, and the genagents GSS file. Invalid lines are
    listed and left out, and the exit code is then 1. An interrupted import resumes when the same
    command is run again. A dry run needs a group that exists.
    """
    inputs = [InputFile(name) for name in files]
    place: AbstractContextManager[tuple[str, str]]
    if dry_run:
        place = nullcontext(group_ids(context.client, project, group))
    else:
        place = ensured_group(context.client, project, group)
    with place as ids:
        _import_into(ids, context, inputs, form, new_ids=new_ids, dry_run=dry_run)


def _import_into(
    ids: tuple[str, str],
    context: CommandContext,
    inputs: list[InputFile],
    form: PersonaFormat,
    *,
    new_ids: bool,
    dry_run: bool,
) -> None:
    options = {"format": form, "new_ids": new_ids}
    into = {"project_id": ids[0], "group_id": ids[1]}
    journal = Journal(str(uuid.uuid4())) if dry_run else open_journal(inputs, into, options)
    run = ImportRun(inputs, ids, journal, dry_run=dry_run)
    reader = LineReader(inputs, lambda lines: persona_items(lines, form, new_ids=new_ids), _id)
    with (
        explain_interruption(
            context.address, journal, lambda error: _advice(error, context.client, run)
        ),
        context.patient_client() as client,
        ProgressBar(total_bytes(inputs), "personas") as progress,
    ):
        run.run(client, reader, progress)
    if context.as_json:
        counts = {"imported": run.imported, "refused": run.refused}
        counts |= {"dry_run": True} if dry_run else {}
        print_line(compact_json({**into, **counts}))
    else:
        how = "would be imported" if dry_run else "imported"
        print(f"{run.imported} {how}, {run.refused} refused.")
    if run.refused:
        raise typer.Exit(1)


def _id(persona: Persona) -> str:
    return persona.id


def _advice(error: PersonaError | None, client: PersonaClient, run: ImportRun) -> str:
    """Return what the user can do after an import failed."""
    if isinstance(error, ImportConflict) and run.ended(client):
        run.forget()
        return (
            "All personas of the group have been deleted in the meantime, including those of this "
            "import. The same command imports everything anew."
        )
    if isinstance(error, AlreadyExists):
        return f"{run.how_to_resume()} --new-ids imports all of them as new personas."
    return run.how_to_resume()
