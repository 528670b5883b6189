"""`persona timeline` and `library timeline`: answers over time, as a table or a picture."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer

from persona_cli.commands.measures.options import PlotOption, QuestionOption, require_picture
from persona_cli.plot.picture import write_picture
from persona_cli.terminal.command import CommandContext, GroupOption, ProjectOption
from persona_cli.terminal.failures import CommandError, usage_error
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import print_json, print_table, print_text, say
from persona_cli.terminal.shifts import (
    choice_text,
    kind_text,
    number_text,
    others_text,
    reliable_text,
    slope_text,
)
from persona_client import PersonaNotFound, QuestionTimeline


class Axis(StrEnum):
    """What a picture has from left to right."""

    TIME = "time"
    SIMULATION = "simulation"


ByOption: TypeAlias = Annotated[
    Axis | None,
    typer.Option("--by", help="What the picture of --plot has from left to right. Default: time."),
]


def timeline(
    context: CommandContext,
    persona_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the persona, deleted or not.")
    ],
    project: ProjectOption,
    group: GroupOption,
    question: QuestionOption = "",
    plot: PlotOption = "",
    by: ByOption = None,
) -> None:
    """Show the answers over time of a persona's individual, and how they have shifted.

    --plot draws them: answers with the noise to expect, trends with their 95% band, and reliable
    change in orange. It needs the extra `plot`.
    """
    _require_picture(plot, by)
    client, ids = context.client, group_ids(context.client, project, group)

    def name() -> str:
        try:
            return client.get_persona(*ids, persona_id).full_name
        except PersonaNotFound:  # deleted: nobody sees its profile any more
            return persona_id

    found = client.get_attitude_timeline(*ids, persona_id, question_key=question)
    _show(context, found, plot, name, by)


def library_timeline(
    context: CommandContext,
    library_persona_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the library persona.")
    ],
    question: QuestionOption = "",
    plot: PlotOption = "",
    by: ByOption = None,
) -> None:
    """Show an individual's answers over time, question by question, and how they have shifted.

    --plot draws them: answers with the noise to expect, trends with their 95% band, and reliable
    change in orange. It needs the extra `plot`.
    """
    _require_picture(plot, by)
    client = context.client
    found = client.get_library_persona_attitude_timeline(library_persona_id, question_key=question)
    _show(
        context,
        found,
        plot,
        lambda: client.get_library_persona(library_persona_id).profile.full_name,
        by,
    )


def _require_picture(plot: str, by: Axis | None) -> None:
    """End the command where it can't draw what it should."""
    require_picture(plot)
    if by is not None and not plot:
        raise usage_error("--by is for a picture: give --plot, too.")


def _show(
    context: CommandContext,
    found: Iterable[QuestionTimeline],
    plot: str,
    name: Callable[[], str],
    by: Axis | None,
) -> None:
    """Draw timelines, or print them; `name` says whose they are."""
    if plot:
        _draw(plot, list(found), name, by)
    elif context.as_json:
        for one in found:
            print_json(one)
    else:
        for i, one in enumerate(found):
            if i:
                print_text()
            _print_timeline(one)


def _draw(
    plot: str, timelines: Sequence[QuestionTimeline], name: Callable[[], str], by: Axis | None
) -> None:
    if not timelines:
        raise CommandError("There are no answers to draw.")
    write_picture(plot, name(), timelines, by_simulation=by is Axis.SIMULATION)
    say(f"Wrote {plot}.")


def _print_timeline(one: QuestionTimeline) -> None:
    print_text(f"{one.question.key} ({kind_text(one.question)})", bold=True)
    if one.HasField("numeric_shift"):
        print_text(reliable_text(one.numeric_shift))
        print_text(slope_text(one.numeric_shift))
        if others := others_text(one.numeric_shift):
            print_text(others)
    elif one.HasField("choice_shift"):
        print_text(choice_text(one.choice_shift, len(one.points)))
    print_table(("TIME", "ANSWER", "SIMULATIONS"), _points(one))


def _points(one: QuestionTimeline) -> Iterator[tuple[object, ...]]:
    for point in one.points:
        answer = ", ".join(point.items) or "none"
        if point.HasField("value"):
            answer = number_text(point.value.value, places=6)
        elif point.HasField("choice"):
            answer = point.choice.value
        yield point.occurred_at, answer, ", ".join(point.simulation_ids)
