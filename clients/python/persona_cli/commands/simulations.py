"""`persona simulations` and `questions`: simulations, and what was asked in them."""

from typing import Annotated, Any

import typer

from persona.v1.simulation_pb2 import AskedQuestion, Simulation
from persona_cli.commands.projects import ListByDefault
from persona_cli.terminal.command import CommandContext, ProjectOption, client_command
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import project_id, simulation_ids
from persona_cli.terminal.output import print_details, print_json, shown
from persona_cli.terminal.shifts import kind_text
from persona_server.validation.fields import UUID

SimulationArgument = Annotated[str, typer.Argument(help="Simulation, by name or id.")]
Description = Annotated[str | None, typer.Option(help="Description.", show_default=False)]
Model = Annotated[str | None, typer.Option(help="The model that is asked.", show_default=False)]
PromptVersion = Annotated[
    str | None, typer.Option(help="The version of the prompt.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    simulations = typer.Typer(
        cls=ListByDefault, help="List, create, show and update simulations; list their questions."
    )
    app.add_typer(simulations, name="simulations")
    for name, function in (
        ("list", list_),
        ("create", create),
        ("show", show),
        ("update", update),
        ("questions", questions),
    ):
        client_command(simulations, name)(function)
    client_command(app, "questions")(questions)


def list_(context: CommandContext, project: ProjectOption, limit: Limit = None) -> None:
    """List the simulations of a project, newest first."""
    parent = project_id(context.client, project)
    print_list(
        context,
        limit,
        lambda page_size: context.client.list_simulations(parent, page_size=page_size),
        (
            "ID",
            "NAME",
            "RESPONSES",
            "INDIVIDUALS",
            "FIRST ANSWER",
            "LAST ANSWER",
            "MODEL",
            "VOIDED",
        ),
        lambda s: (
            s.id,
            s.name,
            s.response_count,
            s.individual_count,
            shown(s, "first_answer_at"),
            shown(s, "last_answer_at"),
            s.model,
            shown(s, "voided_at"),
        ),
    )


def create(
    context: CommandContext,
    name: Annotated[str, typer.Argument(help="Name, unique in its project.")],
    project: ProjectOption,
    simulation_id: Annotated[
        str, typer.Option("--id", help="A UUID of yours.", show_default=False)
    ] = "",
    description: Description = None,
    model: Model = None,
    prompt_version: PromptVersion = None,
) -> None:
    """Create a simulation; `responses record --simulation` takes its id."""
    if simulation_id and not UUID.fullmatch(simulation_id):
        raise usage_error(f"--id must be a UUID; got {simulation_id!r}.")
    wanted = Simulation(
        id=simulation_id,
        name=name,
        description=description or "",
        model=model or "",
        prompt_version=prompt_version or "",
    )
    made = context.client.create_simulation(project_id(context.client, project), wanted)
    (print_json if context.as_json else print_details)(made)


def show(context: CommandContext, simulation: SimulationArgument, project: ProjectOption) -> None:
    """Show one simulation."""
    found = context.client.get_simulation(*simulation_ids(context.client, project, simulation))
    (print_json if context.as_json else print_details)(found)


def update(
    context: CommandContext,
    simulation: SimulationArgument,
    project: ProjectOption,
    name: Annotated[str | None, typer.Option(help="New name.", show_default=False)] = None,
    description: Description = None,
    model: Model = None,
    prompt_version: PromptVersion = None,
) -> None:
    """Change what is said of a simulation, and show it; "" clears."""
    given = {
        "name": name,
        "description": description,
        "model": model,
        "prompt_version": prompt_version,
    }
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise usage_error("Give --name, --description, --model or --prompt-version.")
    changed = context.client.update_simulation(
        *simulation_ids(context.client, project, simulation),
        Simulation(**changes),
        update_mask=[*changes],
    )
    (print_json if context.as_json else print_details)(changed)


def questions(
    context: CommandContext,
    project: ProjectOption,
    simulation: Annotated[
        str, typer.Option("--simulation", "-s", help="Only of this simulation, by name or id.")
    ] = "",
    limit: Limit = None,
) -> None:
    """List the questions that were answered in a project or in one simulation, as first asked."""
    if simulation:
        parent, wanted = simulation_ids(context.client, project, simulation)
    else:
        parent, wanted = project_id(context.client, project), ""
    print_list(
        context,
        limit,
        lambda size: context.client.list_questions(parent, simulation_id=wanted, page_size=size),
        ("QUESTION", "SCALE", "OPTIONS", "RESPONSES", "INDIVIDUALS", "FIRST ANSWER", "LAST ANSWER"),
        _question_row,
    )


def _question_row(asked: AskedQuestion) -> tuple[object, ...]:
    return (
        asked.question.key,
        kind_text(asked.question),
        ", ".join(asked.question.options),
        asked.response_count,
        asked.individual_count,
        shown(asked, "first_answer_at"),
        shown(asked, "last_answer_at"),
    )
