"""`persona responses record`: answers of files into simulations, resumable."""

from typing import Any

import typer

from persona_cli.commands import reading_options
from persona_cli.commands.answers import record_options as given
from persona_cli.files.answers.answer_files import AnswerFiles, AnswerFormat, AnswerOptions
from persona_cli.files.answers.codebook import read_codebook
from persona_cli.files.sources import input_files
from persona_cli.files.tables.table import Reading
from persona_cli.files.times import zone_of
from persona_cli.runs.codebooks import print_draft
from persona_cli.runs.recording import Recording, look_at, say_notes
from persona_cli.runs.refused_rows import refused_rows
from persona_cli.terminal.command import CommandContext
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.names import group_ids, simulation_id
from persona_cli.terminal.output import compact_json, print_line, say

_CORRECT = "If they were meant to replace what stands: `persona responses correct` does that."


def record(
    context: CommandContext,
    files: reading_options.Files,
    simulation: given.Simulation = "",
    project: given.OfProject = "",
    group: given.OfGroup = "",
    form: given.Format = AnswerFormat.AUTO,
    encoding: reading_options.Encoding = "",
    member: given.Member = "",
    sheet: reading_options.Sheet = "",
    timezone: reading_options.TimeZone = "",
    codebook: given.CodebookFile = "",
    refused: reading_options.RefusedFile = "",
    draft_codebook: given.Draft = False,
) -> None:
    """Record answers from files, each once.

    Reads JSON, CSV, Excel, Parquet and YAML, also packed by gzip or zstd: responses as `list
    --json` prints them; a table with a row for each answer, in the columns question_key, kind,
    value, options, min, max and those that a response has; or with --codebook one with a row for
    each respondent, whose external id is looked up in --group.

    An answer without an id gets one derived from its simulation and content, so that recording a
    file again records nothing twice. Invalid rows are listed and left out, and the exit code is
    then 1. A second answer of an individual to one question in one simulation is recorded, with a
    warning. An interrupted run resumes when the same command is run again.
    """
    reading = Reading(encoding, member, sheet)
    if draft_codebook:
        print_draft(input_files(files)[0], reading)
        return
    simulation_id, group_id = place_of(context, project, group, simulation)
    options = answer_options(form, simulation_id, reading, timezone, codebook)
    inputs = input_files(files)
    with AnswerFiles(inputs, options) as answers:
        look_at(answers)
        into = {"simulation_id": simulation_id, "group_id": group_id}
        with refused_rows(refused, inputs) as keep:
            recording = Recording(answers, into, _key(options), keep)
            recording.run(context.patient_client, context.address)
            say_notes(answers.tally)
            if recording.warned:
                say(_CORRECT)
            if recording.void:
                say(f"Void among those that were there: {recording.void}. They stay void.")
            _print_counts(context, recording)
    if recording.refused:
        raise typer.Exit(1)


def answer_options(
    form: AnswerFormat, simulation_id: str, reading: Reading, timezone: str, codebook: str
) -> AnswerOptions:
    """Return how files are read, as options say it. Raises OSError, CommandError."""
    return AnswerOptions(
        form,
        simulation_id,
        reading,
        zone_of(timezone) if timezone else None,
        read_codebook(codebook) if codebook else None,
    )


def place_of(context: CommandContext, project: str, group: str, simulation: str) -> tuple[str, str]:
    """Return the ids of a simulation and of a group, "" for what is not given."""
    if group and not project:
        raise usage_error("Give --project with --group.")
    group_id = group_ids(context.client, project, group)[1] if group else ""
    return simulation_id(context.client, project, simulation), group_id


def _key(options: AnswerOptions) -> dict[str, Any]:
    """Return what of the options makes a recording another one."""
    said = {"reading": options.reading, "zone": options.zone, "codebook": options.codebook}
    unsaid = (None, Reading())
    more = {name: str(value) for name, value in said.items() if value not in unsaid}
    return {"format": options.form, **more}


def _print_counts(context: CommandContext, done: Recording) -> None:
    if context.as_json:
        counts = {"recorded": done.recorded, "already_recorded": done.known}
        counts |= {"refused": done.refused, "warned": done.warned}
        counts |= {"skipped": done.skipped} if done.skipped else {}
        print_line(compact_json(counts))
        return
    known = f", {done.known} were there already" if done.known else ""
    skipped = f", {done.skipped} skipped" if done.skipped else ""
    warned = f"; warnings about {done.warned}" if done.warned else ""
    print(f"{done.recorded} recorded{known}, {done.refused} refused{skipped}{warned}.")
