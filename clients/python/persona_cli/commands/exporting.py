"""`persona export`: a group as JSON lines that can be imported elsewhere."""

from typing import Annotated

import typer

from persona_cli.files.outputs import atomic_output
from persona_cli.terminal.command import (
    AttributeOption,
    CommandContext,
    ExternalIdOption,
    FullNameOption,
    GroupOption,
    ProjectOption,
    client_command,
    group_filters,
)
from persona_cli.terminal.failures import telling
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import json_line, say
from persona_client import ProfileFilters


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "export")(export)


def export(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    filters: ProfileFilters,
    external_id: ExternalIdOption = "",
    full_name: FullNameOption = "",
    attribute: AttributeOption = None,
    output: Annotated[
        str, typer.Option("--output", "-o", help="File to write; - is standard output.")
    ] = "-",
) -> None:
    """Write a group's personas as JSON lines, oldest first, that `persona import` reads.

    With or without --json. A file appears only when it is complete.
    """
    found_by = group_filters(filters, external_id, full_name, attribute)
    ids = group_ids(context.client, project, group)
    count = 0

    def done() -> str:
        kept = f"{count} personas are written" if output == "-" else f"{output} is as it was"
        return f"{kept}; the same command begins anew."

    with telling(done), atomic_output(output) as target, context.patient_client() as client:
        for persona in client.export_personas(*ids, **found_by):
            target.write(json_line(persona).encode() + b"\n")
            count += 1
    say(f"Exported {count} persona{'' if count == 1 else 's'}.")
