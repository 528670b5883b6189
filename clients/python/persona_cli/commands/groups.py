"""`persona groups`: list, create, show, rename and delete persona groups."""

from collections.abc import Iterator
from typing import Annotated

import typer

from persona.v1.project_pb2 import PersonaGroup
from persona_cli.commands.projects import ListByDefault, NewName
from persona_cli.terminal.command import CommandContext, ProjectOption, Yes, client_command
from persona_cli.terminal.failures import confirm
from persona_cli.terminal.names import group_ids, project_id
from persona_cli.terminal.output import counted, print_details, print_json, print_table, say
from persona_client import ProfileFilters

GroupArgument = Annotated[str, typer.Argument(help="Persona group, by name or id.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    groups = typer.Typer(cls=ListByDefault, help="Look after persona groups.")
    app.add_typer(groups, name="groups")
    commands = (
        ("list", list_), ("create", create), ("show", show), ("rename", rename), ("delete", delete),
    )  # fmt: skip
    for name, function in commands:
        client_command(groups, name)(function)


def list_(
    context: CommandContext,
    project: Annotated[
        str, typer.Option("--project", "-p", help="Only this project's, by name or id.")
    ] = "",
) -> None:
    """List the persona groups of a project, or of all projects, newest first."""
    if context.as_json:
        for _, group in _groups(context, project):
            print_json(group)
        return
    columns = ("ID", "NAME", "PERSONAS", "PROJECT", "CREATED", "DESCRIPTION")
    print_table(
        columns,
        (
            (group.id, group.name, group.persona_count, name, group.created_at, group.description)
            for name, group in _groups(context, project)
        ),
    )


def _groups(context: CommandContext, project: str) -> Iterator[tuple[str, PersonaGroup]]:
    """Yield each group with the name of its project, or what names the project."""
    if project:
        parents = [(project, project_id(context.client, project))]
    else:
        parents = [(parent.name, parent.id) for parent in context.client.list_projects()]
    for name, parent_id in parents:
        for group in context.client.list_persona_groups(parent_id):
            yield name, group


def create(
    context: CommandContext,
    name: Annotated[str, typer.Argument(help="Name; need not be unique.")],
    project: ProjectOption,
    filters: ProfileFilters,
    description: Annotated[str, typer.Option(help="Description.", show_default=False)] = "",
) -> None:
    """Create a persona group; the other options define which personas it is for."""
    group = PersonaGroup(name=name, description=description, **filters)
    made = context.client.create_persona_group(project_id(context.client, project), group)
    (print_json if context.as_json else print_details)(made)


def show(context: CommandContext, group: GroupArgument, project: ProjectOption) -> None:
    """Show one persona group."""
    found = context.client.get_persona_group(*group_ids(context.client, project, group))
    (print_json if context.as_json else print_details)(found)


def rename(
    context: CommandContext, group: GroupArgument, name: NewName, project: ProjectOption
) -> None:
    """Give a persona group another name, and show it."""
    ids = group_ids(context.client, project, group)
    wanted = PersonaGroup(name=name)
    renamed = context.client.update_persona_group(*ids, wanted, update_mask=["name"])
    (print_json if context.as_json else print_details)(renamed)


def delete(
    context: CommandContext, group: GroupArgument, project: ProjectOption, yes: Yes = False
) -> None:
    """Delete a persona group with its personas."""
    found = context.client.get_persona_group(*group_ids(context.client, project, group))
    personas = counted(found.persona_count, "persona")
    what = f'persona group "{found.name}" with its {personas}'
    confirm(f"Delete {what}?", yes=yes)
    context.client.delete_persona_group(found.project_id, found.id)
    if context.as_json:
        print_json(found)
    else:
        say(f"Deleted {what}.")
