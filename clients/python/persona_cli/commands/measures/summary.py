"""`persona summary`: what many individuals answered, question by question."""

from collections.abc import Sequence
from typing import Annotated

import typer

from persona_cli.commands.measures.options import (
    MembersOption,
    PlotOption,
    QuestionOption,
    SimulationOption,
    require_picture,
    selection_title,
)
from persona_cli.plot.picture import write_summary_picture
from persona_cli.terminal.command import CommandContext, client_command
from persona_cli.terminal.failures import CommandError, usage_error
from persona_cli.terminal.names import group_ids, project_id, simulation_ids
from persona_cli.terminal.output import counted_done, print_json, print_table, print_text, say
from persona_cli.terminal.shifts import kind_text, number_text
from persona_cli.terminal.summaries import interval_text, moments_text, number_answered
from persona_client import QuestionSummary


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "summary")(summary)


def summary(
    context: CommandContext,
    project: Annotated[
        str, typer.Option("--project", "-p", help="Project, by name or id.", show_default=False)
    ] = "",
    simulation: SimulationOption = "",
    group: MembersOption = "",
    library: Annotated[
        bool,
        typer.Option("--library", help="The individuals of the library, in place of a project."),
    ] = False,
    question: QuestionOption = "",
    plot: PlotOption = "",
) -> None:
    """Show what was answered: the share of each answer, means, and their 95% intervals.

    Each individual counts once: by its first answer in the simulation, else by its latest. --plot
    draws bars with intervals; it needs the extra `plot`.
    """
    if library == bool(project) or (library and (simulation or group)):
        raise usage_error(
            "Give either --project, with --simulation or --group or both, or --library."
        )
    require_picture(plot)
    parent, simulation_id, group_id = _selected(context, project, simulation, group)
    found = context.client.summarize_responses(
        parent, simulation_id=simulation_id, group_id=group_id, question_key=question
    )
    if plot:
        title = selection_title(group, simulation) or project or "Library"
        _draw(plot, title, list(found))
        return
    number = 0
    for number, one in enumerate(found, 1):
        if context.as_json:
            print_json(one)
        else:
            if number > 1:
                print_text()
            _print_summary(one)
    if not number:
        say("There are no answers.")


def _selected(
    context: CommandContext, project: str, simulation: str, group: str
) -> tuple[str, str, str]:
    """Return the ids of a project, a simulation and a group, "" for those that are not named."""
    client = context.client
    parent = project_id(client, project) if project else ""
    simulation_id = simulation_ids(client, parent, simulation)[1] if simulation else ""
    group_id = group_ids(client, parent, group)[1] if group else ""
    return parent, simulation_id, group_id


def _draw(plot: str, name: str, summaries: Sequence[QuestionSummary]) -> None:
    if not summaries:
        raise CommandError("There are no answers to draw.")
    write_summary_picture(plot, name, summaries)
    say(f"Wrote {plot}.")


def _print_summary(one: QuestionSummary) -> None:
    scale = kind_text(one.question)
    print_text(f"{one.question.key} ({scale}), {number_answered(one)}", bold=True)
    if one.HasField("moments"):
        print_text(moments_text(one.moments))
    if one.shares:
        rows = (
            (
                share.option or share.rating,
                share.count,
                number_text(share.share),
                interval_text(share),
            )
            for share in one.shares
        )
        print_table(("ANSWER", "COUNT", "SHARE", "95% INTERVAL"), rows)
    if one.other_theme_count:
        were = counted_done(one.other_theme_count, "theme", "that was", "that were")
        print_text(f"and {were} named less often")
