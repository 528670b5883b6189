"""`persona compare`: how the answers of two selections differ, or those of one from targets."""

from collections.abc import Sequence
from typing import Annotated

import typer

from persona_cli.commands.measures.options import (
    MembersOption,
    ModelOption,
    PlotOption,
    QuestionOption,
    SimulationOption,
    require_picture,
    selection_title,
)
from persona_cli.files.references import read_targets
from persona_cli.plot.picture import write_comparison_picture
from persona_cli.terminal.command import CommandContext, ProjectOption, client_command
from persona_cli.terminal.failures import CommandError, usage_error
from persona_cli.terminal.names import group_ids, project_id, simulation_ids
from persona_cli.terminal.output import print_json, print_table, say
from persona_cli.terminal.shifts import kind_text, number_text
from persona_cli.terminal.summaries import (
    agreement_text,
    difference_p_text,
    difference_text,
    distance_p_text,
    distance_text,
    variance_text,
)
from persona_client import Question, QuestionComparison, TargetDistribution

# First what a narrow terminal has room for.
_COLUMNS = (
    "QUESTION", "DISTANCE", "P", "MEAN", "P OF MEAN", "N", "OTHER N", "PAIRED", "AGREEMENT",
    "BY CHANCE", "VARIANCE", "SCALE",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "compare")(compare)


def compare(
    context: CommandContext,
    project: ProjectOption,
    simulation: SimulationOption = "",
    group: MembersOption = "",
    model: ModelOption = "",
    other_simulation: Annotated[str, typer.Option(help="The second selection: simulation.")] = "",
    other_group: Annotated[str, typer.Option(help="The second selection: persona group.")] = "",
    other_model: Annotated[str, typer.Option(help="The second selection: model.")] = "",
    targets: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Targets in place of a second selection, one JSON object a line."
        ),
    ] = "",
    question: QuestionOption = "",
    plot: PlotOption = "",
) -> None:
    """Compare what two selections of a project answered, or one with targets, by question.

    Distances are from 0 to 1, with 95% intervals; p is adjusted over all questions. --plot draws
    pairs of distributions; it needs the extra `plot`.
    """
    if bool(targets) == bool(other_simulation or other_group or other_model):
        raise usage_error(
            "Give either --targets, or --other-simulation, --other-group or --other-model."
        )
    require_picture(plot)
    given = read_targets(targets) if targets else []
    if targets and not given:
        raise CommandError(f"{targets}: has no target")
    parent = project_id(context.client, project)
    one = _selected(context, parent, simulation, group)
    other = _selected(context, parent, other_simulation, other_group)
    found = context.client.compare_responses(
        parent,
        simulation_id=one[0],
        group_id=one[1],
        model=model,
        other_simulation_id=other[0],
        other_group_id=other[1],
        other_model=other_model,
        targets=given,
    )
    for missing in _left_out(given, found):
        say(
            f"None of the selection answered {missing.key!r} ({kind_text(missing)}): are its key, "
            "kind and options those of the answers?"
        )
    found = [each for each in found if question in ("", each.question.key)]
    if not (found or given or plot):
        say("Nothing to compare: no question has answers of both, other than those that both have.")
    if plot:
        first = selection_title(group, simulation, model) or project
        second = selection_title(other_group, other_simulation, other_model) or "target"
        _draw(plot, (first, second), found)
    elif context.as_json:
        for each in found:
            print_json(each)
    else:
        print_table(_COLUMNS, map(_row, found))


def _selected(
    context: CommandContext, project: str, simulation: str, group: str
) -> tuple[str, str]:
    """Return the ids of a simulation and a group, "" for those that are not named."""
    client = context.client
    simulation_id = simulation_ids(client, project, simulation)[1] if simulation else ""
    return simulation_id, group_ids(client, project, group)[1] if group else ""


def _left_out(
    targets: Sequence[TargetDistribution], found: Sequence[QuestionComparison]
) -> list[Question]:
    """Return the questions of targets that there is no comparison of."""
    answered = {_known(one.question) for one in found}
    return [each.question for each in targets if _known(each.question) not in answered]


def _known(question: Question) -> tuple[object, ...]:
    """Return what a question is known by: its key and scale."""
    scale = (question.kind, question.min, question.max, frozenset(question.options))
    return (question.key, *scale)


def _draw(plot: str, names: tuple[str, str], found: Sequence[QuestionComparison]) -> None:
    drawn = [one for one in found if one.shares]
    if not drawn:
        raise CommandError("There are no distributions to draw.")
    write_comparison_picture(plot, names, drawn)
    say(f"Wrote {plot}.")


def _row(one: QuestionComparison) -> tuple[object, ...]:
    return (
        one.question.key,
        distance_text(one),
        distance_p_text(one),
        difference_text(one),
        difference_p_text(one),
        one.individual_count,
        one.other_individual_count or "exact",
        "yes" if one.paired else "no",
        agreement_text(one),
        number_text(one.distance.expected) if one.HasField("distance") else "",
        variance_text(one),
        kind_text(one.question),
    )
