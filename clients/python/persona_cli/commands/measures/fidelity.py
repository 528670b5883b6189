"""`persona fidelity`: how far personas answer as the real people that they stand for."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import typer

from persona_cli.commands.measures.options import (
    ModelOption,
    PlotOption,
    SimulationOption,
    require_picture,
    selection_title,
)
from persona_cli.files.references import read_references
from persona_cli.plot.picture import write_fidelity_picture
from persona_cli.terminal.command import CommandContext, GroupOption, ProjectOption, client_command
from persona_cli.terminal.failures import CommandError, telling, usage_error
from persona_cli.terminal.names import group_ids, simulation_ids
from persona_cli.terminal.output import (
    compact_json,
    json_object,
    print_json,
    print_line,
    print_table,
    print_text,
    say,
)
from persona_cli.terminal.shifts import kind_text, number_text
from persona_cli.terminal.summaries import (
    agreement_text,
    distance_p_text,
    distance_text,
    equal_text,
    means_text,
    ratio_text,
)
from persona_client import Fidelity, QuestionFidelity

_QUESTIONS = (
    "QUESTION", "SCALE", "N", "ACCURACY", "CONSISTENCY", "NORMALISED", "DISTANCE", "P",
    "AGREEMENT",
)  # fmt: skip
_PERSONAS = ("ID", "REFERENCES", "COMPARED", "ACCURACY", "CONSISTENCY", "NORMALISED")


class Scope(NamedTuple):
    """Where the personas are, and which of their answers count."""

    project: str
    group: str
    simulation: str
    model: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "fidelity")(fidelity)


def fidelity(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    persona_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Ids of personas, in place of the whole group."),
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="A row for each persona with reference answers.")
    ] = False,
    references: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Record reference answers of the group first, one JSON object a line.",
        ),
    ] = "",
    simulation: SimulationOption = "",
    model: ModelOption = "",
    plot: PlotOption = "",
) -> None:
    """Measure how far personas answer as the people that they stand for.

    A row for each question of the group: how many personas answer as their person, and how far
    their distribution is that of the people. With ids, or --each, a row for each persona.
    Normalised is accuracy by how far a person repeats its own answers. Intervals are of 95%. --plot
    draws them; it needs the extra `plot`.
    """
    if persona_ids and each:
        raise usage_error("Give either ids or --each.")
    require_picture(plot)
    given = read_references(references) if references else []
    ids = group_ids(context.client, project, group)
    if given:
        with telling(lambda: "What is recorded so far stays; sent again, it changes nothing."):
            count = context.client.record_reference_answers(*ids, given)
        say(f"Recorded {count} of {len(given)}; the others were there.")
    named = simulation_ids(context.client, project, simulation)[1] if simulation else ""
    scope = Scope(*ids, named, model)
    title = selection_title(group, simulation, model)
    if persona_ids or each:
        _show_personas(context, plot, title, _personas(context, scope, persona_ids))
    else:
        _show_questions(context, plot, title, scope)


def _personas(
    context: CommandContext, scope: Scope, persona_ids: Sequence[str] | None
) -> list[tuple[str, Fidelity]]:
    """Measure personas, or those of the group that have reference answers."""
    project, group, simulation, model = scope
    ids = persona_ids or [one.id for one in context.client.list_personas(project, group)]
    found = [
        (
            one,
            context.client.measure_fidelity(
                project, group, one, simulation_id=simulation, model=model
            ),
        )
        for one in ids
    ]
    return [(one, each) for one, each in found if persona_ids or each.reference_count]


def _show_personas(
    context: CommandContext, plot: str, name: str, found: Sequence[tuple[str, Fidelity]]
) -> None:
    if plot:
        _draw(plot, name, "persona", found)
    elif context.as_json:
        for one, measured in found:
            print_line(compact_json({"persona_id": one, **json_object(measured)}))
    else:
        print_table(_PERSONAS, [_persona_row(*one) for one in found])
        if len(found) > 1:
            print_text(means_text([measured for _, measured in found]))


def _show_questions(context: CommandContext, plot: str, name: str, scope: Scope) -> None:
    project, group, simulation, model = scope
    found = context.client.measure_group_fidelity(
        project, group, simulation_id=simulation, model=model
    )
    if not (found or plot):
        say("Nothing to measure: no answers have reference answers.")
    if plot:
        _draw(plot, name, "question", [(one.question.key, one) for one in found])
    elif context.as_json:
        for one in found:
            print_json(one)
    else:
        print_table(_QUESTIONS, map(_question_row, found))


def _draw(
    plot: str, name: str, what: str, found: Sequence[tuple[str, Fidelity | QuestionFidelity]]
) -> None:
    if not found:
        raise CommandError("There is nothing to draw: no answers have reference answers.")
    write_fidelity_picture(plot, name, what, found)
    say(f"Wrote {plot}.")


def _persona_row(persona_id: str, one: Fidelity) -> tuple[object, ...]:
    return (persona_id, one.reference_count, one.accuracy.count, *_figures(one))


def _question_row(one: QuestionFidelity) -> tuple[object, ...]:
    return (
        one.question.key,
        kind_text(one.question),
        one.accuracy.count,
        *_figures(one),
        distance_text(one.comparison),
        distance_p_text(one.comparison),
        agreement_text(one.comparison),
    )


def _figures(one: Fidelity | QuestionFidelity) -> tuple[str, str, str]:
    accuracy = equal_text(one.accuracy) if one.HasField("accuracy") else ""
    consistency = number_text(one.consistency.share) if one.HasField("consistency") else ""
    ratio = ratio_text(one.normalized_accuracy) if one.HasField("normalized_accuracy") else ""
    return accuracy, consistency, ratio
