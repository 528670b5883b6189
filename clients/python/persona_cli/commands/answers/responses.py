"""`persona responses`: list, show and void answers; `recording.py` records them."""

from typing import Annotated

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
from persona_cli.commands.answers.correcting import correct
from persona_cli.commands.answers.exporting import export
from persona_cli.commands.answers.recording import record
from persona_cli.commands.projects import ListByDefault
from persona_cli.terminal.answers import answer_text
from persona_cli.terminal.command import CommandContext, Yes, client_command
from persona_cli.terminal.failures import confirm, usage_error
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import simulation_id
from persona_cli.terminal.output import (
    compact_json,
    details,
    print_json,
    print_line,
    print_pairs,
)

_ANSWERS = {field.name for field in Response.DESCRIPTOR.oneofs_by_name["answer"].fields}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    responses = typer.Typer(
        cls=ListByDefault,
        help="Record, correct, list, show, export and void the answers of personas.",
    )
    app.add_typer(responses, name="responses")
    client_command(responses, "list")(list_)
    client_command(responses, "show")(show)
    client_command(responses, "record")(record)
    client_command(responses, "correct")(correct)
    client_command(responses, "void")(void)
    client_command(responses, "export")(export)


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
        lambda r: (r.id, r.occurred_at, r.persona_id, r.question_key, _answer(r)),
    )


def _answer(response: Response) -> str:
    """Say what was answered, and whether it is void."""
    return f"{'void: ' * response.HasField('voided_at')}{answer_text(response)}"


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
    print_pairs([*pairs, (answered or "answer", answer_text(found))])


def void(
    context: CommandContext,
    reason: Annotated[
        str, typer.Option(help="Why they are void.", show_default=False, metavar="TEXT")
    ],
    response_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of up to 1,000 responses.")
    ] = None,
    simulation: Annotated[
        str,
        typer.Option(
            "--simulation",
            "-s",
            help="All answers of this simulation, by id, or in --project by name.",
        ),
    ] = "",
    project: Annotated[
        str, typer.Option("--project", "-p", help="Project of --simulation, by name or id.")
    ] = "",
    yes: Yes = False,
) -> None:
    """Mark answers as void, for good: they can be read, and nothing measures or counts them.

    Those named, all or none, or a whole simulation, in which nothing can be recorded any more, and
    for which it asks first. What is void already keeps when and why.
    """
    if bool(response_ids) == bool(simulation):
        raise usage_error("Give either ids or --simulation.")
    if simulation:
        found = simulation_id(context.client, project, simulation)
        question = f'Void simulation "{simulation}" with all its answers for good?'
        confirm(question, yes=yes, unchanged="Nothing was voided.")
        count = context.client.void_simulation(found, reason)
    else:
        count = context.client.void_responses(response_ids or [], reason)
    if context.as_json:
        print_line(compact_json({"voided": count}))
    else:
        print(f"{count} voided.")
