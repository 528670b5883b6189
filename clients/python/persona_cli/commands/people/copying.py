"""`persona copy`: personas of one group into another."""

from collections.abc import Iterator
from typing import Annotated

import typer

from persona_cli.terminal.command import CommandContext, GroupOption, ProjectOption, client_command
from persona_cli.terminal.failures import telling, usage_error
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import counted, counted_done, print_json
from persona_client import Persona, ProfileFilters


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "copy")(copy)


def copy(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    from_group: Annotated[str, typer.Option(help="Persona group to copy from, by name or id.")],
    filters: ProfileFilters,
    from_project: Annotated[
        str, typer.Option(help="Its project, by name or id; the same one if left out.")
    ] = "",
    persona_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of up to 1,000 personas.")
    ] = None,
) -> None:
    """Copy personas of another group into a group: those named, those that match, or all.

    The copies are new personas that say whom they were copied from. Each thousand is copied at once
    or not at all. --json prints the copies. Told --from and --to, it copies a whole database:
    `persona copy-database --help`.
    """
    if persona_ids and any(filters.values()):
        raise usage_error("Give either ids or filters.")
    target = group_ids(context.client, project, group)
    source = group_ids(context.client, from_project or project, from_group)
    if persona_ids:
        copies: Iterator[Persona] = iter(
            context.client.copy_personas(*target, *source, persona_ids)
        )
    else:
        copies = context.client.copy_group(*target, *source, **filters)
    count = 0
    again = "the same command copies those again"
    with telling(lambda: f"{counted_done(count, 'persona')} copied; {again}."):
        for count, persona in enumerate(copies, 1):  # noqa: B007 (its last value is the count)
            if context.as_json:
                print_json(persona)
    if not context.as_json:
        print(f"Copied {counted(count, 'persona')}.")
