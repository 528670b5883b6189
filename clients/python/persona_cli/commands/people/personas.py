"""`persona list`, `count`, `get` and `delete`: the personas of a group."""

from typing import Annotated

import typer

from persona_cli.terminal.command import (
    AttributeOption,
    CommandContext,
    ExternalIdOption,
    FullNameOption,
    GroupOption,
    ProjectOption,
    Yes,
    client_command,
    group_filters,
)
from persona_cli.terminal.failures import CommandError, confirm, usage_error
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import (
    compact_json,
    counted,
    print_details,
    print_json,
    print_line,
    shown,
)
from persona_client import Persona, ProfileFilters

PersonaArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the persona.", show_default=False)
]
_COLUMNS = ("id", "full_name", "age", "gender", "occupation", "location", "income_level")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = (("list", list_), ("count", count), ("get", get), ("delete", delete))
    for name, function in commands:
        client_command(app, name)(function)


def list_(
    context: CommandContext,
    project: ProjectOption,
    group: Annotated[
        str,
        typer.Option("--group", "-g", help="Persona group, by name or id; - is all groups."),
    ],
    filters: ProfileFilters,
    external_id: ExternalIdOption = "",
    full_name: FullNameOption = "",
    attribute: AttributeOption = None,
    limit: Limit = None,
) -> None:
    """List the personas of a group, oldest first, or of all groups of a project."""
    found_by = group_filters(filters, external_id, full_name, attribute)
    ids = group_ids(context.client, project, group)
    print_list(
        context,
        limit,
        lambda page_size: context.client.list_personas(*ids, page_size=page_size, **found_by),
        [name.upper() for name in _COLUMNS],
        lambda persona: [shown(persona, name) for name in _COLUMNS],
    )


def count(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    filters: ProfileFilters,
    external_id: ExternalIdOption = "",
    full_name: FullNameOption = "",
    attribute: AttributeOption = None,
) -> None:
    """Count the personas of a group, or those that match."""
    found_by = group_filters(filters, external_id, full_name, attribute)
    number = context.client.count_personas(*group_ids(context.client, project, group), **found_by)
    print_line(compact_json({"count": number}) if context.as_json else str(number))


def get(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    persona_id: PersonaArgument = "",
    external_id: Annotated[
        str, typer.Option(help="External id of the persona, in place of ID.", show_default=False)
    ] = "",
) -> None:
    """Show one persona with all its fields."""
    if bool(persona_id) == bool(external_id):
        raise usage_error("Give either the id of a persona or --external-id.")
    ids = group_ids(context.client, project, group)
    if persona_id:
        found = context.client.get_persona(*ids, persona_id)
    else:
        found = _by_external_id(context, ids, external_id)
    (print_json if context.as_json else print_details)(found)


def _by_external_id(context: CommandContext, ids: tuple[str, str], external_id: str) -> Persona:
    found = context.client.find_persona(*ids, external_id)
    if found is None:
        raise CommandError(f'There is no persona with the external id "{external_id}".')
    return found


def delete(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    persona_id: PersonaArgument = "",
    all_: Annotated[bool, typer.Option("--all", help="Delete all personas of the group.")] = False,
    yes: Yes = False,
) -> None:
    """Delete one persona of a group, or all of them; the group stays."""
    if bool(persona_id) == all_:
        raise usage_error("Give either the id of one persona or --all.")
    ids = group_ids(context.client, project, group)
    if not all_:
        context.client.delete_persona(*ids, persona_id)
        count = 1
    else:
        if not yes:
            held = context.client.get_persona_group(*ids)
            personas = counted(held.persona_count, "persona")
            confirm(f'Delete all of "{held.name}", {personas}?', yes=yes)
        count = context.client.delete_all_personas(*ids)
    if context.as_json:
        print_line(compact_json({"deleted_count": count}))
    else:
        print(f"Deleted {counted(count, 'persona')}.")
