"""`persona export`: a group as JSON lines, CSV or Parquet, that can be imported elsewhere."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import typer

from persona.v1.persona_pb2 import Persona
from persona_cli.files.outputs import atomic_output
from persona_cli.files.writing.forms import (
    ExcelOption,
    FileForm,
    FormOption,
    OutputOption,
    Writer,
    form_of,
    writer_of,
)
from persona_cli.files.writing.personas import persona_sheet
from persona_cli.files.writing.spool import PersonaSpool, temporary_database
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
from persona_cli.terminal.output import counted, counted_done, json_line, say
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
    output: OutputOption = "-",
    form: FormOption = None,
    excel: ExcelOption = False,
) -> None:
    """Write a group's personas, oldest first, as JSON lines, CSV or Parquet for `persona import`.

    --json makes no difference. CSV and Parquet have a column for each field and each attribute. A
    file appears only when it is complete.
    """
    found_by = group_filters(filters, external_id, full_name, attribute)
    form = form_of(output, form, excel=excel)
    ids = group_ids(context.client, project, group)
    count = 0

    def done() -> str:
        if output != "-":
            kept = f"{output} is as it was"
        elif form is FileForm.JSONL:
            kept = f"{counted_done(count, 'persona')} written"
        else:
            kept = "the table is not whole"
        return f"{kept}; the same command begins anew."

    def noted(personas: Iterable[Persona]) -> Iterator[Persona]:
        nonlocal count
        for persona in personas:
            yield persona
            count += 1

    with telling(done), atomic_output(output) as target, context.patient_client() as client:
        personas = noted(client.export_personas(*ids, **found_by))
        if form is FileForm.JSONL:
            _write_lines(target, personas)
        else:
            _write_table(target, personas, writer_of(form, excel=excel))
    say(f"Exported {counted(count, 'persona')}.")


def _write_lines(target: BinaryIO, personas: Iterable[Persona]) -> None:
    for persona in personas:
        target.write(json_line(persona).encode() + b"\n")


def _write_table(target: BinaryIO, personas: Iterable[Persona], write: Writer) -> None:
    """Write personas as a table: all are read first, since any may have a new attribute."""
    with temporary_database(PersonaSpool.TABLE) as database:
        spool = PersonaSpool(database)
        for persona in personas:
            spool.add(persona)
        write(target, persona_sheet(spool))
