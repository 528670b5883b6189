"""`persona list`, `get` and `delete`: the personas of a group."""

from typing import Annotated

import typer

from persona_cli.terminal.failures import confirm, misused
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import compact, print_details, print_json, print_line
from persona_cli.terminal.session import GroupOption, ProjectOption, Session, Yes, client_command
from persona_client import PersonaFilters

_COLUMNS = ("id", "full_name", "age", "gender", "occupation", "location", "income_level")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for name, function in (("list", list_), ("get", get), ("delete", delete)):
        client_command(app, name)(function)


def list_(
    session: Session,
    project: ProjectOption,
    group: GroupOption,
    filters: PersonaFilters,
    limit: Limit = None,
) -> None:
    """List the personas of a group, oldest first."""
    ids = group_ids(session.client, project, group)
    print_list(
        session,
        limit,
        lambda page_size: session.client.list_personas(*ids, page_size=page_size, **filters),
        [name.upper() for name in _COLUMNS],
        lambda persona: [getattr(persona, name) for name in _COLUMNS],
    )


def get(
    session: Session,
    persona_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the persona.")],
    project: ProjectOption,
    group: GroupOption,
) -> None:
    """Show one persona with all its fields."""
    found = session.client.get_persona(*group_ids(session.client, project, group), persona_id)
    (print_json if session.as_json else print_details)(found)


def delete(
    session: Session,
    project: ProjectOption,
    group: GroupOption,
    persona_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the persona.", show_default=False)
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Delete all personas of the group.")] = False,
    yes: Yes = False,
) -> None:
    """Delete one persona of a group, or all of them; the group stays."""
    if bool(persona_id) == all_:
        raise misused("Name one persona by its id, or say --all.")
    ids = group_ids(session.client, project, group)
    if not all_:
        session.client.delete_persona(*ids, persona_id)
        count = 1
    else:
        if not yes:
            held = session.client.get_persona_group(*ids)
            confirm(f'Delete all {held.persona_count} personas of "{held.name}"?', yes=yes)
        count = session.client.delete_all_personas(*ids)
    if session.as_json:
        print_line(compact({"deleted_count": count}))
    else:
        print(f"Deleted {count} persona{'' if count == 1 else 's'}.")
