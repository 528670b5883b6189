"""`persona responses`: list, show and void answers; `recording.py` records them."""

from datetime import datetime
from typing import Annotated

import typer

from persona.v1.response_pb2 import Response
from persona_cli.commands.projects import ListByDefault
from persona_cli.commands.recording import record
from persona_cli.files.times import parse_time
from persona_cli.terminal.command import CommandContext, client_command
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids, project_id
from persona_cli.terminal.output import (
    compact_json,
    details,
    print_json,
    print_line,
    print_pairs,
)
from persona_cli.terminal.shifts import number_text
from persona_server.validation.fields import UUID

_ANSWERS = {field.name for field in Response.DESCRIPTOR.oneofs_by_name["answer"].fields}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    responses = typer.Typer(
        cls=ListByDefault, help="Record, list, show and void the answers of personas."
    )
    app.add_typer(responses, name="responses")
    client_command(responses, "list")(list_)
    client_command(responses, "show")(show)
    client_command(responses, "record")(record)
    client_command(responses, "void")(void)


def list_(
    context: CommandContext,
    simulation: Annotated[
        str,
        typer.Option("--simulation", "-s", help="Answers of this simulation.", show_default=False),
    ] = "",
    project: Annotated[
        str, typer.Option("--project", "-p", help="Answers of this project, by name or id.")
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            "--group", "-g", help="Answers of this persona group, by id, or in --project by name."
        ),
    ] = "",
    persona: Annotated[
        str, typer.Option(help="Answers of this persona, by id.", show_default=False)
    ] = "",
    library_persona: Annotated[
        str, typer.Option(help="Answers of this library persona, by id.", show_default=False)
    ] = "",
    question: Annotated[
        str, typer.Option(help="Answers to this question_key.", show_default=False)
    ] = "",
    since: Annotated[
        str, typer.Option(help="Answers at or after this time (UTC).", metavar="TIME")
    ] = "",
    until: Annotated[
        str, typer.Option(help="Answers before this time (UTC).", metavar="TIME")
    ] = "",
    recorded_after: Annotated[
        str, typer.Option(help="Answers recorded after this time (UTC).", metavar="TIME")
    ] = "",
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
    if not any((simulation, project, group, persona, library_persona, question, recorded_after)):
        raise usage_error(
            "Give --simulation, --project, --group, --persona, --library-persona, --question or "
            "--recorded-after."
        )
    start, end = _time("--since", since), _time("--until", until)
    recorded = _time("--recorded-after", recorded_after)
    parent, group_id = _place(context, project, group)
    print_list(
        context,
        limit,
        lambda page_size: context.client.list_responses(
            simulation_id=simulation,
            project_id=parent,
            group_id=group_id,
            persona_id=persona,
            library_persona_id=library_persona,
            question_key=question,
            occurred_from=start,
            occurred_before=end,
            recorded_after=recorded,
            order_by=order_by,
            page_size=page_size,
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


def _place(context: CommandContext, project: str, group: str) -> tuple[str, str]:
    """Return the ids of a project and of a group, "" for what is not given."""
    if project and group:
        return group_ids(context.client, project, group)
    if group and not UUID.fullmatch(group):
        raise usage_error("A --group that is named by its name needs its --project.")
    return project_id(context.client, project) if project else "", group.lower()


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
