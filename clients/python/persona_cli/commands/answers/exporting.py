"""`persona responses export`: answers as JSON lines, CSV or Parquet, long or wide."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, BinaryIO, TypeAlias

import typer

from persona.v1.response_pb2 import Response
from persona_cli.commands.answers.answer_filters import (
    AnswerQuery,
    OfGroup,
    OfLibraryPersona,
    OfPersona,
    OfProject,
    OfSimulation,
    RecordedAfter,
    Since,
    ToQuestion,
    Until,
)
from persona_cli.files.outputs import atomic_output
from persona_cli.files.writing.answer_spool import AnswerSpool
from persona_cli.files.writing.answers import long_sheet
from persona_cli.files.writing.beside import PersonasBeside
from persona_cli.files.writing.forms import (
    ExcelOption,
    FileForm,
    FormOption,
    OutputOption,
    form_of,
    writer_of,
)
from persona_cli.files.writing.sheet import Sheet
from persona_cli.files.writing.spool import PersonaSpool, temporary_database
from persona_cli.files.writing.wide_answers import WideAnswers
from persona_cli.terminal.command import CommandContext
from persona_cli.terminal.failures import telling
from persona_cli.terminal.output import compact_json, counted, json_object, say

WriteSheet: TypeAlias = Callable[[Sheet], None]


def export(
    context: CommandContext,
    simulation: OfSimulation = "",
    project: OfProject = "",
    group: OfGroup = "",
    persona: OfPersona = "",
    library_persona: OfLibraryPersona = "",
    question: ToQuestion = "",
    since: Since = "",
    until: Until = "",
    recorded_after: RecordedAfter = "",
    wide: Annotated[
        bool,
        typer.Option("--wide", help="A row per persona and simulation, a column per question."),
    ] = False,
    personas: Annotated[
        bool, typer.Option("--personas", help="The personas' fields beside their answers.")
    ] = False,
    output: OutputOption = "-",
    form: FormOption = None,
    excel: ExcelOption = False,
) -> None:
    """Write the answers that match every option, oldest first, as JSON lines, CSV or Parquet.

    At least one beside --since and --until. A row is an answer, as `persona responses record` reads
    it, void ones with when and why; with --wide it is all that a persona answered in a simulation:
    of several answers to a question the first, and none that is void. A file appears only when it
    is complete. TIME is such as 2026-03-01 or 2026-03-01T09:30:00Z.
    """
    form = form_of(output, form, excel=excel)
    found_by = AnswerQuery(
        simulation=simulation,
        project=project,
        group=group,
        persona=persona,
        library_persona=library_persona,
        question=question,
        since=since,
        until=until,
        recorded_after=recorded_after,
    ).filters(context)
    write = writer_of(form, excel=excel)
    with (
        telling(lambda: _broken_off(output)),
        atomic_output(output) as target,
        context.patient_client() as client,
        temporary_database(PersonaSpool.TABLE + AnswerSpool.TABLE) as database,
    ):
        beside = PersonasBeside(PersonaSpool(database), client if personas else None)
        answers = client.list_responses(**found_by)
        spool = AnswerSpool(database)
        if wide:
            said = _write_wide(answers, spool, beside, partial(write, target))
        elif form is FileForm.JSONL:
            said = _write_lines(answers, beside, target)
        else:
            said = _write_long(answers, spool, beside, partial(write, target))
    say(said)


def _write_lines(answers: Iterable[Response], beside: PersonasBeside, target: BinaryIO) -> str:
    """Write answers as they come, each with its persona in it if that is fetched."""
    count = 0
    for response in answers:
        fields = json_object(response)
        if persona := beside.fetched(response):
            fields["persona"] = json_object(persona)
        target.write(compact_json(fields).encode() + b"\n")
        count += 1
    return f"Exported {counted(count, 'answer')}."


def _write_long(
    answers: Iterable[Response], spool: AnswerSpool, beside: PersonasBeside, write: WriteSheet
) -> str:
    for response in answers:
        beside.fetch(response)
        spool.add(response)
    write(long_sheet(spool, beside))
    return f"Exported {counted(spool.count, 'answer')}."


def _write_wide(
    answers: Iterable[Response], spool: AnswerSpool, beside: PersonasBeside, write: WriteSheet
) -> str:
    void = 0
    for response in answers:
        if response.HasField("voided_at"):
            void += 1
            continue
        beside.fetch(response)
        spool.add(response)
    table = WideAnswers(spool, beside)
    write(table.sheet)
    said = f"Exported {counted(spool.count, 'answer')} in {counted(table.count, 'row')}"
    if void:
        said += f", without {void} that {'is' if void == 1 else 'are'} void"
    if table.hidden:
        said += f"; {table.hidden} gave way to an earlier one to the same question"
    return f"{said}."


def _broken_off(output: str) -> str:
    kept = "what is written is not all" if output == "-" else f"{output} is as it was"
    return f"{kept}; the same command begins anew."
