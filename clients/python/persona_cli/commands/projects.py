"""`persona projects`: list, create, show, rename and delete projects."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from persona.v1.project_pb2 import Project
from persona_cli.terminal.command import CommandContext, Yes, client_command
from persona_cli.terminal.failures import confirm
from persona_cli.terminal.names import project_id
from persona_cli.terminal.output import print_details, print_json, print_table, say

ProjectArgument = Annotated[str, typer.Argument(help="Project, by name or id.")]
NewName = Annotated[str, typer.Argument(metavar="NEW_NAME", help="The new name.")]


class ListByDefault(TyperGroup):
    """A command group that lists when no other command is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` before options that come without a command; to complete there is none yet."""
        if not args and ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        if not args or (args[0].startswith("-") and "--help" not in args[:1]):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    projects = typer.Typer(cls=ListByDefault, help="Look after projects.")
    app.add_typer(projects, name="projects")
    commands = (
        ("list", list_), ("create", create), ("show", show), ("rename", rename), ("delete", delete),
    )  # fmt: skip
    for name, function in commands:
        client_command(projects, name)(function)


def list_(context: CommandContext) -> None:
    """List all projects, newest first."""
    projects = context.client.list_projects()
    if context.as_json:
        for project in projects:
            print_json(project)
        return
    columns = ("ID", "NAME", "GROUPS", "CREATED", "DESCRIPTION")
    rows = ((p.id, p.name, p.persona_group_count, p.created_at, p.description) for p in projects)
    print_table(columns, rows)


def create(
    context: CommandContext,
    name: Annotated[str, typer.Argument(help="Name; need not be unique.")],
    description: Annotated[str, typer.Option(help="Description.", show_default=False)] = "",
) -> None:
    """Create a project."""
    project = context.client.create_project(Project(name=name, description=description))
    (print_json if context.as_json else print_details)(project)


def show(context: CommandContext, project: ProjectArgument) -> None:
    """Show one project."""
    found = context.client.get_project(project_id(context.client, project))
    (print_json if context.as_json else print_details)(found)


def rename(context: CommandContext, project: ProjectArgument, name: NewName) -> None:
    """Give a project another name, and show it."""
    wanted = project_id(context.client, project)
    renamed = context.client.update_project(wanted, Project(name=name), update_mask=["name"])
    (print_json if context.as_json else print_details)(renamed)


def delete(
    context: CommandContext,
    project: ProjectArgument,
    yes: Yes = False,
) -> None:
    """Delete a project with its persona groups and their personas."""
    found = context.client.get_project(project_id(context.client, project))
    what = f'project "{found.name}" with its {found.persona_group_count} persona groups'
    confirm(f"Delete {what} and all their personas?", yes=yes)
    context.client.delete_project(found.id)
    if context.as_json:
        print_json(found)
    else:
        say(f"Deleted {what}.")
