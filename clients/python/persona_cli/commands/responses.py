"""`persona responses`: record answers from files, list, show and void them."""

from typing import Annotated

import typer

from persona.v1.response_pb2 import Response
from persona_cli.commands.answer_exporting import export
from persona_cli.commands.projects import ListByDefault
from persona_cli.files.answer_files import AnswerFormat, answer_items, id_of
from persona_cli.files.inputs import InputFile, LineReader, numbered_lines
from persona_cli.runs.record_run import RecordRun
from persona_cli.runs.resuming import explain_interruption, open_journal, total_bytes
from persona_cli.terminal.answer_filters import (
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
from persona_cli.terminal.command import CommandContext, client_command
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import (
    compact_json,
    details,
    print_json,
    print_line,
    print_pairs,
)
from persona_cli.terminal.progress import ProgressBar
from persona_cli.terminal.shifts import number_text
from persona_server.validation.fields import UUID

_REPEATS = "repeats the answer of {where}; ids of their own would record both (this is {id})"
_ANSWERS = {field.name for field in Response.DESCRIPTOR.oneofs_by_name["answer"].fields}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    responses = typer.Typer(
        cls=ListByDefault, help="Record, list, show, export and void the answers of personas."
    )
    app.add_typer(responses, name="responses")
    client_command(responses, "list")(list_)
    client_command(responses, "show")(show)
    client_command(responses, "record")(record)
    client_command(responses, "void")(void)
    client_command(responses, "export")(export)


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
    then 1. A second answer of an individual to one question in one simulation is recorded, with a
    warning. An interrupted run resumes when the same command is run again. CSV has a column for
    each field, and for the answer the columns kind, value, options, min and max; lists are JSON
    arrays, or separated by |.
    """
    if simulation and not UUID.fullmatch(simulation):
        raise usage_error(f"--simulation must be a UUID; got {simulation!r}.")
    if bool(project) != bool(group):
        raise usage_error("Give both --project and --group, or neither.")
    inputs = [InputFile(name) for name in files]
    group_id = group_ids(context.client, project, group)[1] if group else ""
    into = {"simulation_id": simulation.lower(), "group_id": group_id}
    journal = open_journal(inputs, into, {"format": form})
    run = RecordRun(inputs, group_id, journal)
    reader = LineReader(
        inputs,
        lambda index, read: answer_items(numbered_lines(inputs[index], read), form, simulation),
        id_of,
        _REPEATS,
    )
    with (
        explain_interruption(context.address, journal, lambda _: run.how_to_resume()),
        context.patient_client() as client,
        ProgressBar(total_bytes(inputs), "answers") as progress,
    ):
        run.run(client, reader, progress)
    if context.as_json:
        counts = {"recorded": run.recorded, "already_recorded": run.known}
        counts |= {"refused": run.refused, "warned": run.warned}
        print_line(compact_json(counts))
    else:
        warned = f"; warnings about {run.warned}" if run.warned else ""
        known = f", {run.known} were there already" if run.known else ""
        print(f"{run.recorded} recorded{known}, {run.refused} refused{warned}.")
    if run.refused:
        raise typer.Exit(1)


def list_(
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
    order_by: Annotated[
        str,
        typer.Option(help='occurred_at or recorded_at, or either followed by " desc".'),
    ] = "",
    limit: Limit = None,
) -> None:
    """List the answers that match every option: at least one beside --since and --until.

    Those of deleted ones, too, and oldest first by default. TIME is such as 2026-03-01 or
    2026-03-01T09:30:00Z.
    """
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
    print_list(
        context,
        limit,
        lambda page_size: context.client.list_responses(
            **found_by, order_by=order_by, page_size=page_size
        ),
        ("ID", "OCCURRED", "PERSONA", "QUESTION", "ANSWER"),
        lambda r: (r.id, r.occurred_at, r.persona_id, r.question_key, _answer_text(r)),
    )


def show(
    context: CommandContext,
    response_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the response.")],
) -> None:
    """Show one answer with all that was recorded of it."""
    found = context.client.get_response(response_id)
    if context.as_json:
        print_json(found)
        return
    answered = found.WhichOneof("answer")
    pairs = [(name, value) for name, value in details(found) if name.split(".")[0] not in _ANSWERS]
    print_pairs([*pairs, (answered or "answer", _answer_text(found))])


def void(
    context: CommandContext,
    reason: Annotated[
        str, typer.Option(help="Why they are void.", show_default=False, metavar="TEXT")
    ],
    response_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of up to 1,000 responses.")
    ] = None,
    simulation: Annotated[
        str, typer.Option("--simulation", "-s", help="All answers of this simulation (a UUID).")
    ] = "",
) -> None:
    """Mark answers as void, for good: they can be read, and nothing measures or counts them.

    Those named, all or none, or a whole simulation, in which nothing can be recorded any more. What
    is void already keeps when and why.
    """
    if bool(response_ids) == bool(simulation):
        raise usage_error("Give either ids or --simulation.")
    if simulation:
        count = context.client.void_simulation(simulation, reason)
    else:
        count = context.client.void_responses(response_ids or [], reason)
    if context.as_json:
        print_line(compact_json({"voided": count}))
    else:
        print(f"{count} voided.")


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
