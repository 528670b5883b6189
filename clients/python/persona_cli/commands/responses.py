"""`persona responses`: record answers from files, and list them."""

from datetime import datetime
from typing import Annotated

import typer

from persona.v1.response_pb2 import Response
from persona_cli.commands.projects import ListByDefault
from persona_cli.files.answer_files import AnswerFormat, answer_items, id_of
from persona_cli.files.inputs import InputFile, LineReader
from persona_cli.files.times import parse_time
from persona_cli.runs.record_run import RecordRun
from persona_cli.runs.resuming import explain_interruption, open_journal, total_bytes
from persona_cli.terminal.command import CommandContext, client_command
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids, project_id
from persona_cli.terminal.output import compact_json, print_line
from persona_cli.terminal.progress import ProgressBar
from persona_cli.terminal.shifts import number_text
from persona_server.validation.fields import UUID

_REPEATS = "repeats the answer of {where}; ids of their own would record both (this is {id})"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    responses = typer.Typer(cls=ListByDefault, help="Record and list the answers of personas.")
    app.add_typer(responses, name="responses")
    client_command(responses, "list")(list_)
    client_command(responses, "record")(record)


def record(
    context: CommandContext,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files to read; - is standard input.")
    ],
    simulation: Annotated[
        str,
        typer.Option(
            "--simulation", "-s", help="Simulation (a UUID) of the answers that name none."
        ),
    ] = "",
    form: Annotated[
        AnswerFormat,
        typer.Option("--format", help="Format of the files; auto tells by the first line."),
    ] = AnswerFormat.AUTO,
    project: Annotated[
        str, typer.Option("--project", "-p", help="Project of --group, by name or id.")
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            "--group", "-g", help="Persona group in which each persona_external_id is looked up."
        ),
    ] = "",
) -> None:
    """Record answers from JSON lines or CSV, each once.

    An answer without an id gets one derived from its simulation and content, so that recording a
    file again records nothing twice. Invalid lines are listed and left out, and the exit code is
    then 1. An interrupted run resumes when the same command is run again. CSV has a column for each
    field, and for the answer the columns kind, value, options, min and max; lists are JSON arrays,
    or separated by |.
    """
    if simulation and not UUID.fullmatch(simulation):
        raise usage_error(f"--simulation must be a UUID; got {simulation!r}.")
    if bool(project) != bool(group):
        raise usage_error("Give both --project and --group, or neither.")
    inputs = [InputFile(name) for name in files]
    group_id = group_ids(context.client, project, group)[1] if group else ""
    into = {"simulation_id": simulation.lower(), "group_id": group_id}
    journal = open_journal(context.address, inputs, into, {"format": form})
    run = RecordRun(inputs, group_id, journal)
    reader = LineReader(
        inputs, lambda lines: answer_items(lines, form, simulation), id_of, _REPEATS
    )
    with (
        explain_interruption(context.address, journal, lambda _: run.how_to_resume()),
        context.patient_client() as client,
        ProgressBar(total_bytes(inputs), "answers") as progress,
    ):
        run.run(client, reader, progress)
    if context.as_json:
        print_line(compact_json({"recorded": run.recorded, "refused": run.refused}))
    else:
        print(f"{run.recorded} recorded, {run.refused} refused.")
    if run.refused:
        raise typer.Exit(1)


def list_(
    context: CommandContext,
    simulation: Annotated[
        str,
        typer.Option("--simulation", "-s", help="Answers of this simulation.", show_default=False),
    ] = "",
    project: Annotated[
        str, typer.Option("--project", "-p", help="Answers of this project, by name or id.")
    ] = "",
    persona: Annotated[
        str, typer.Option(help="Answers of this persona, by id.", show_default=False)
    ] = "",
    library_persona: Annotated[
        str, typer.Option(help="Answers of this library persona, by id.", show_default=False)
    ] = "",
    question: Annotated[
        str, typer.Option(help="Only answers to this question_key.", show_default=False)
    ] = "",
    since: Annotated[
        str, typer.Option(help="Only answers at or after this time (UTC).", metavar="TIME")
    ] = "",
    until: Annotated[
        str, typer.Option(help="Only answers before this time (UTC).", metavar="TIME")
    ] = "",
    limit: Limit = None,
) -> None:
    """List answers, oldest first: of a simulation, a project, a persona or a library persona.

    Those of deleted ones, too. TIME is such as 2026-03-01 or 2026-03-01T09:30:00Z.
    """
    if sum(map(bool, (simulation, project, persona, library_persona))) != 1:
        raise usage_error(
            "Give exactly one of --simulation, --project, --persona and --library-persona."
        )
    start, end = _time("--since", since), _time("--until", until)
    parent = project_id(context.client, project) if project else None
    print_list(
        context,
        limit,
        lambda page_size: context.client.list_responses(
            simulation_id=simulation or None,
            project_id=parent,
            persona_id=persona or None,
            library_persona_id=library_persona or None,
            question_key=question,
            start_time=start,
            end_time=end,
            page_size=page_size,
        ),
        ("ID", "OCCURRED", "PERSONA", "QUESTION", "ANSWER"),
        lambda r: (r.id, r.occurred_at, r.persona_id, r.question_key, _answer_text(r)),
    )


def _answer_text(response: Response) -> str:
    """Say what was answered; of a text its themes, if it has any."""
    kind = response.WhichOneof("answer")
    if kind == "choice":
        return response.choice.value
    if kind == "choices":
        return ", ".join(response.choices.values) or "none"
    if kind == "rating":
        rating = response.rating
        return f"{rating.value} of {rating.min} to {rating.max}"
    if kind == "sentiment":
        return number_text(response.sentiment, "+", places=6)
    return f"themes: {', '.join(response.themes)}" if response.themes else response.text


def _time(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise usage_error(f"{option} {error}") from None
