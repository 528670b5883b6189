"""`persona import`: files into a persona group, resumable."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

import typer

from persona_cli.commands import reading_options
from persona_cli.commands.people import import_options as given
from persona_cli.files.formats import PersonaFormat
from persona_cli.files.layouts.user_mapping import user_mapping
from persona_cli.files.persona_files import Options, PersonaFiles
from persona_cli.files.sources import input_files
from persona_cli.files.tables.table import Reading
from persona_cli.files.times import zone_of
from persona_cli.runs.explaining import explain_file
from persona_cli.runs.importing import Importing
from persona_cli.runs.looking import look_at, say_notes
from persona_cli.runs.refused_rows import refused_rows
from persona_cli.terminal.command import CommandContext, client_command
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.names import ensured_group, group_ids
from persona_cli.terminal.output import compact_json, print_line


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "import")(import_)


def import_(
    context: CommandContext,
    files: reading_options.Files,
    project: given.IntoProject = "",
    group: given.IntoGroup = "",
    form: given.Format = PersonaFormat.AUTO,
    maps: given.Maps = None,
    mapping: given.MappingFile = "",
    drop: given.Drops = None,
    encoding: reading_options.Encoding = "",
    member: given.Member = "",
    sheet: reading_options.Sheet = "",
    timezone: reading_options.TimeZone = "",
    explain: given.Explain = False,
    new_ids: given.NewIds = False,
    again: given.Again = False,
    refused: reading_options.RefusedFile = "",
    dry_run: given.DryRun = False,
) -> None:
    """Import personas into a group; a project or group that does not exist is created.

    Reads JSON, CSV, Excel, Parquet and YAML, also packed by gzip or zstd, and finds the layouts of
    TinyTroupe, EDSL, Nemotron-Personas, PersonaHub, genagents, the boses API and `persona export`
    by itself. What a source calls its people becomes their external id, and what has no field an
    attribute.

    Invalid rows are listed and left out, and the exit code is then 1. An interrupted import resumes
    when the same command is run again. A dry run needs a group that exists.
    """
    if not explain and not (project and group):
        raise usage_error("Give --project and --group, or --explain.")
    options = Options(
        form,
        Reading(encoding, member, sheet),
        user_mapping(maps or (), drop or (), mapping),
        zone_of(timezone) if timezone else None,
        new_ids,
        is_draft=explain,
    )
    inputs = input_files(files)
    with PersonaFiles(inputs, options) as personas:
        if explain:
            explain_file(personas)
            return
        look_at(personas)
        with _place(context, project, group, dry_run=dry_run) as ids:
            with refused_rows(refused, inputs, personas.is_sheet) as keep:
                import_of = Importing(
                    personas, ids, keep, again=again, as_new=new_ids, dry_run=dry_run
                )
                client, patient = context.client, context.patient_client
                import_of.run(client, patient, context.address, _key(options))
                say_notes(personas)
                _print_counts(context, import_of)
            if import_of.refused:
                raise typer.Exit(1)


def _place(
    context: CommandContext, project: str, group: str, *, dry_run: bool
) -> AbstractContextManager[tuple[str, str]]:
    """Give the ids of the group, which is made if it is not there and this is no dry run."""
    if dry_run:
        return nullcontext(group_ids(context.client, project, group))
    return ensured_group(context.client, project, group)


def _key(options: Options) -> dict[str, Any]:
    """Return what of the options makes an import another one."""
    said = {"mapping": repr(options.said), "reading": asdict(options.reading), "zone": options.zone}
    unsaid = {"mapping": repr(Options().said), "reading": asdict(Reading()), "zone": None}
    more = {name: str(value) for name, value in said.items() if value != unsaid[name]}
    return {"format": options.form, "new_ids": options.new_ids, **more}


def _print_counts(context: CommandContext, done: Importing) -> None:
    if context.as_json:
        counts = {"imported": done.imported, "refused": done.refused}
        counts |= {"already_there": done.already_there} if done.already_there else {}
        counts |= {"dry_run": True} if done.is_dry_run else {}
        print_line(compact_json({**done.into, **counts}))
        return
    how = "would be imported" if done.is_dry_run else "imported"
    was = "was" if done.already_there == 1 else "were"
    there = f", {done.already_there} {was} there already" if done.already_there else ""
    print(f"{done.imported} {how}, {done.refused} refused{there}.")
    if done.already_there and not (done.imported or done.is_dry_run):
        print("Nothing has changed.")
