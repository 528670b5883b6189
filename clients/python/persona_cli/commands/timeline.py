"""`persona library timeline`: an individual's answers over time, as a table or a picture."""

import sys
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from persona_cli.plot.picture import picture_format, write_picture
from persona_cli.terminal.command import CommandContext
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import print_json, print_table, print_text
from persona_cli.terminal.shifts import (
    choice_text,
    kind_text,
    number_text,
    others_text,
    reliable_text,
    slope_text,
)
from persona_client import QuestionTimeline


def timeline(
    context: CommandContext,
    library_persona_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the library persona.")
    ],
    question: Annotated[
        str, typer.Option(help="Only questions with this key.", show_default=False)
    ] = "",
    plot: Annotated[
        str,
        typer.Option(metavar="FILE", help="Draw them to FILE, an .svg or .png, instead."),
    ] = "",
) -> None:
    """Show an individual's answers over time, question by question, and how they have shifted.

    --plot draws them: answers with the noise to expect, trends with their 95% band, and reliable
    change in orange. It needs the extra `plot`.
    """
    if plot:
        picture_format(plot)
    found = context.client.get_attitude_timeline(library_persona_id, question_key=question)
    if plot:
        _draw(context, library_persona_id, plot, list(found))
    elif context.as_json:
        for one in found:
            print_json(one)
    else:
        for i, one in enumerate(found):
            if i:
                print_text()
            _print_timeline(one)


def _draw(
    context: CommandContext,
    library_persona_id: str,
    plot: str,
    timelines: Sequence[QuestionTimeline],
) -> None:
    if not timelines:
        raise CommandError("There are no answers to draw.")
    name = context.client.get_library_persona(library_persona_id).profile.full_name
    write_picture(plot, name, timelines)
    print(f"Wrote {plot}.", file=sys.stderr)


def _print_timeline(one: QuestionTimeline) -> None:
    print_text(f"{one.question.key} ({kind_text(one.question)})", bold=True)
    if one.HasField("numeric_shift"):
        print_text(reliable_text(one.numeric_shift))
        print_text(slope_text(one.numeric_shift))
        if others := others_text(one.numeric_shift):
            print_text(others)
    elif one.HasField("choice_shift"):
        print_text(choice_text(one.choice_shift, len(one.points)))
    print_table(("TIME", "ANSWER", "SIMULATIONS"), _points(one), ids=False)


def _points(one: QuestionTimeline) -> Iterator[tuple[object, ...]]:
    for point in one.points:
        answer = ", ".join(point.items) or "none"
        if point.HasField("value"):
            answer = number_text(point.value.value, places=6)
        elif point.HasField("choice"):
            answer = point.choice.value
        yield point.occurred_at, answer, ", ".join(point.simulation_ids)
