"""By what answers are found: options of commands, and what they mean to the service."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, TypedDict

import typer

from persona_cli.files.times import parse_time
from persona_cli.terminal.command import CommandContext
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.names import group_ids, project_id, simulation_id
from persona_server.validation.fields import UUID

OfSimulation = Annotated[
    str,
    typer.Option(
        "--simulation",
        "-s",
        help="Answers of this simulation, by id, or in --project by name.",
        show_default=False,
    ),
]
OfProject = Annotated[
    str, typer.Option("--project", "-p", help="Answers of this project, by name or id.")
]
OfGroup = Annotated[
    str,
    typer.Option(
        "--group", "-g", help="Answers of this persona group, by id, or in --project by name."
    ),
]
OfPersona = Annotated[str, typer.Option(help="Answers of this persona, by id.", show_default=False)]
OfLibraryPersona = Annotated[
    str, typer.Option(help="Answers of this library persona, by id.", show_default=False)
]
ToQuestion = Annotated[str, typer.Option(help="Answers to this question_key.", show_default=False)]
Since = Annotated[str, typer.Option(help="Answers at or after this time (UTC).", metavar="TIME")]
Until = Annotated[str, typer.Option(help="Answers before this time (UTC).", metavar="TIME")]
RecordedAfter = Annotated[
    str, typer.Option(help="Answers recorded after this time (UTC).", metavar="TIME")
]


class ResponseFilters(TypedDict):
    """What `list_responses` finds answers by."""

    simulation_id: str
    project_id: str
    group_id: str
    persona_id: str
    library_persona_id: str
    question_key: str
    occurred_from: datetime | None
    occurred_before: datetime | None
    recorded_after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuery:
    """The options as they were given."""

    simulation: str
    project: str
    group: str
    persona: str
    library_persona: str
    question: str
    since: str
    until: str
    recorded_after: str

    def filters(self, context: CommandContext) -> ResponseFilters:
        """Return what the service is asked for. Ends the command if no option is enough."""
        given = asdict(self)
        if not any(given[name] for name in given if name not in ("since", "until")):
            raise usage_error(
                "Give --simulation, --project, --group, --persona, --library-persona, --question "
                "or --recorded-after."
            )
        start, end = _time("--since", self.since), _time("--until", self.until)
        recorded = _time("--recorded-after", self.recorded_after)
        parent, group_id = _place(context, self.project, self.group)
        return ResponseFilters(
            simulation_id=simulation_id(context.client, self.project, self.simulation),
            project_id=parent,
            group_id=group_id,
            persona_id=self.persona,
            library_persona_id=self.library_persona,
            question_key=self.question,
            occurred_from=start,
            occurred_before=end,
            recorded_after=recorded,
        )


def _place(context: CommandContext, project: str, group: str) -> tuple[str, str]:
    """Return the ids of a project and of a group, "" for what is not given."""
    if project and group:
        return group_ids(context.client, project, group)
    if group and not UUID.fullmatch(group):
        raise usage_error("A --group that is named by its name needs its --project.")
    return project_id(context.client, project) if project else "", group.lower()


def _time(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise usage_error(f"{option} {error}") from None
