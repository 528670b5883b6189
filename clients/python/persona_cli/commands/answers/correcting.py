"""`persona responses correct`: a corrected file takes the place of what differs."""

from collections import defaultdict
from typing import Annotated

import typer

from persona_cli.commands import reading_options
from persona_cli.commands.answers import record_options as given
from persona_cli.commands.answers.recording import answer_options, place_of
from persona_cli.files.answers.answer import id_of
from persona_cli.files.answers.answer_files import AnswerFiles, AnswerFormat
from persona_cli.files.inputs import LineReader
from persona_cli.files.sources import input_files
from persona_cli.files.tables.table import Reading
from persona_cli.runs.correct_run import Correction, CorrectRun
from persona_cli.runs.journal import Journal
from persona_cli.runs.recording import look_at, say_notes
from persona_cli.terminal.command import CommandContext, Yes
from persona_cli.terminal.failures import confirm, telling
from persona_cli.terminal.output import compact_json, counted, print_line, print_table, say
from persona_cli.terminal.progress import ProgressBar

_SHOWN = 50
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what differs, and change nothing.")]


def correct(
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
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Let the answers of corrected files take the places of those that differ, after showing them.

    Files are read as by `record`. An answer corrects the one that the same individual has given to
    the same question (key and scale) in the same simulation, whatever ids the file has; where it
    names no time, that one's stays. What is superseded is void, and stays readable. Answers to what
    has not been answered yet are counted, and left to `record`.
    """
    simulation_id, group_id = place_of(context, project, group, simulation)
    reading = Reading(encoding, member, sheet)
    options = answer_options(form, simulation_id, reading, timezone, codebook)
    with AnswerFiles(input_files(files), options) as answers:
        look_at(answers)
        run = CorrectRun(list(answers.inputs), group_id, Journal(""))
        with ProgressBar(None, "answers") as progress:
            run.run(context.client, LineReader(answers.inputs, answers.items, id_of), progress)
    say_notes(answers.tally)
    _show(answers, run.corrections, as_json=context.as_json)
    if run.corrections and not dry_run:
        count = len(run.corrections)
        places = "the place of that" if count == 1 else "the places of those"
        question = f"Let {counted(count, 'answer')} take {places} above?"
        confirm(question, yes=yes, unchanged="Nothing was changed.")
        _record(context, group_id, run.corrections)
    _print_counts(context, run, dry_run=dry_run)
    if run.refused:
        raise typer.Exit(1)


def _show(answers: AnswerFiles, corrections: list[Correction], *, as_json: bool) -> None:
    if not corrections or as_json:
        return
    rows = [
        (
            answers.inputs[one.line.position.file].place(one.line.position.line),
            one.before.persona_id,
            one.before.question_key,
            *one.change,
        )
        for one in corrections[:_SHOWN]
    ]
    print_table(("WHERE", "PERSONA", "QUESTION", "BEFORE", "AFTER"), rows)
    if len(corrections) > _SHOWN:
        say(f"… and {len(corrections) - _SHOWN} more.")


def _record(context: CommandContext, group_id: str, corrections: list[Correction]) -> None:
    """Record corrections, simulation by simulation. Raises PersonaError."""
    by_simulation = defaultdict(list)
    for one in corrections:
        by_simulation[one.line.item.simulation_id].append(one.line.item.response)
    with telling(lambda: "The same command corrects what is not corrected yet."):
        for simulation_id, responses in by_simulation.items():
            context.client.record_responses(simulation_id, responses, group_id=group_id)


def _print_counts(context: CommandContext, run: CorrectRun, *, dry_run: bool) -> None:
    count = len(run.corrections)
    if context.as_json:
        counts = {"corrected": 0 if dry_run else count, "unchanged": run.unchanged}
        counts |= {"would_be_corrected": count} if dry_run else {}
        print_line(compact_json({**counts, "missing": run.missing, "refused": run.refused}))
        return
    how = "would be corrected" if dry_run else "corrected"
    missing = f", {run.missing} not recorded yet" if run.missing else ""
    print(f"{count} {how}, {run.unchanged} unchanged, {run.refused} refused{missing}.")
