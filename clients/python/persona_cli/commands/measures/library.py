"""`persona library`: the individuals that projects reuse."""

from collections.abc import Iterable
from typing import Annotated

import typer
from google.protobuf.message import Message

from persona.v1.library_pb2 import (
    LibraryLinkRelation,
    LibraryMatch,
    LibraryPersona,
    LibraryPersonaProject,
)
from persona.v1.measures_pb2 import ModelVersion
from persona_cli.commands.measures.timeline import library_timeline, timeline
from persona_cli.commands.projects import ListByDefault
from persona_cli.terminal.command import (
    AttributeOption,
    CommandContext,
    GroupOption,
    ProjectOption,
    Yes,
    attributes_of,
    client_command,
)
from persona_cli.terminal.failures import confirm
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import (
    counted,
    details,
    print_json,
    print_pairs,
    print_table,
    print_text,
    say,
    shown,
)
from persona_cli.terminal.shifts import number_text
from persona_client import ProfileFilters

LibraryPersonaArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the library persona.")
]
_NO_VALUE = "–"  # what a group does not define, or nobody has measured
_PROFILE_COLUMNS = ("ID", "NAME", "AGE", "OCCUPATION", "LOCATION")
USE_COLUMNS = ("PERSONA", "PROJECT", "GROUP", "RELATION", "LINKED", "MATCH", "DELETED")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    library = typer.Typer(cls=ListByDefault, help="Find, reuse and follow reliable individuals.")
    app.add_typer(library, name="library")
    commands = (
        ("list", list_), ("show", show), ("match", match), ("reuse", reuse), ("retire", retire),
        ("timeline", library_timeline), ("projects", projects),
    )  # fmt: skip
    for name, function in commands:
        client_command(library, name)(function)
    client_command(app, "timeline")(timeline)
    client_command(app, "lineage")(lineage)


def list_(
    context: CommandContext,
    filters: ProfileFilters,
    lower_bound_min: Annotated[
        float, typer.Option(min=0, max=1, help="Minimum lower bound of reliability at promotion.")
    ] = 0.0,
    include_retired: Annotated[
        bool, typer.Option("--include-retired", help="Include retired ones, which can't be reused.")
    ] = False,
    order_by: Annotated[
        str,
        typer.Option(
            help='lower_bound, project_count or created_at; append " desc" for descending.',
            show_default=False,
        ),
    ] = "",
    attribute: AttributeOption = None,
    limit: Limit = None,
) -> None:
    """List library personas, the most reliable first by default."""
    attributes = attributes_of(attribute)
    print_list(
        context,
        limit,
        lambda page_size: context.client.list_library_personas(
            page_size=page_size,
            lower_bound_min=lower_bound_min,
            include_retired=include_retired,
            order_by=order_by,
            attributes=attributes,
            **filters,
        ),
        (*_PROFILE_COLUMNS, "LOWER BOUND", "PROJECTS", "ANSWERS", "RETIRED"),
        _library_row,
    )


def show(context: CommandContext, library_persona_id: LibraryPersonaArgument) -> None:
    """Show one library persona with its profile."""
    print_library_persona(context, context.client.get_library_persona(library_persona_id))


def match(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Minimum score.")] = 0.0,
    exclude_used: Annotated[
        bool,
        typer.Option("--exclude-used", help="Leave out those that the project has used before."),
    ] = False,
    limit: Limit = None,
) -> None:
    """List the library personas that fit a group's definition, best first.

    A dash marks what the group does not define.
    """
    ids = group_ids(context.client, project, group)
    print_list(
        context,
        limit,
        lambda page_size: context.client.match_library_personas(
            *ids,
            min_score=min_score,
            exclude_used_in_project=exclude_used,
            page_size=page_size,
        ),
        ("ID", "NAME", "SCORE", "AGE", "INCOME", "LOCATION", "OCCUPATION", "LOWER BOUND"),
        _match_row,
    )


def reuse(
    context: CommandContext,
    library_persona_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Ids of the library personas.")
    ],
    project: ProjectOption,
    group: GroupOption,
) -> None:
    """Add individuals to a group, all or none, and list the personas created from them."""
    ids = group_ids(context.client, project, group)
    made = context.client.reuse_library_personas(*ids, library_persona_ids)
    if context.as_json:
        for persona in made:
            print_json(persona)
        return
    rows = ((one.id, one.full_name, one.library_persona_id) for one in made)
    print_table(("ID", "FULL_NAME", "LIBRARY_PERSONA"), rows)


def retire(
    context: CommandContext, library_persona_id: LibraryPersonaArgument, yes: Yes = False
) -> None:
    """Retire an individual for good: it can't be reused any more, but its history stays."""
    found = context.client.get_library_persona(library_persona_id)
    if not found.HasField("retired_at"):
        name = found.profile.full_name
        confirm(f'Retire "{name}" for good?', yes=yes, unchanged="Nothing was retired.")
    retired = context.client.retire_library_persona(library_persona_id)
    if context.as_json:
        print_json(retired)
    else:
        say(f'"{retired.profile.full_name}" is retired.')


def projects(context: CommandContext, library_persona_id: LibraryPersonaArgument) -> None:
    """List every project and group that has used an individual, newest first."""
    links = context.client.list_library_persona_projects(library_persona_id)
    if context.as_json:
        for link in links:
            print_json(link)
    else:
        print_table(USE_COLUMNS, map(_use_row, links))


def lineage(
    context: CommandContext,
    persona_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the persona, deleted or not.")
    ],
    project: ProjectOption,
    group: GroupOption,
) -> None:
    """Show the library persona underneath a persona, and every persona that shares it.

    --json prints one line for each of these.
    """
    ids = group_ids(context.client, project, group)
    found = context.client.get_persona_lineage(*ids, persona_id)
    if context.as_json:
        for link in found.personas:
            print_json(link)
    elif found.library_persona is None:
        print("The persona is not in the library: it was generated fresh, and not promoted.")
    else:
        name = found.library_persona.profile.full_name
        print_text(f"Library persona {found.library_persona.id}, {name}:")
        print_table(USE_COLUMNS, map(_use_row, found.personas))


def print_library_persona(context: CommandContext, found: LibraryPersona) -> None:
    """Print one library persona: who it is, how reliable it was, and how much it is used."""
    if context.as_json:
        print_json(found)
        return
    measured = found.reliability
    questions = counted(measured.question_count, "question")
    data = f"{questions} in {counted(measured.simulation_count, 'simulation')}"
    known = measured.HasField("coefficient")
    coefficient = number_text(measured.coefficient.value) if known else _NO_VALUE
    print_pairs(
        [
            ("id", found.id),
            *(pair for pair in details(found.profile) if _has_value(pair[1])),
            ("reliability", f"C {coefficient}, at least {_bound(found)} ({data})"),
            ("projects", found.project_count),
            ("answers", found.response_count),
            ("models", model_names(found.models)),
            ("promoted_from", f"persona {found.origin_persona_id}"),
            ("promoted_in", f"group {found.origin_group_id}"),
            ("promoted_at", found.created_at),
            ("retired_at", shown(found, "retired_at")),
        ]
    )


def model_names(models: Iterable[ModelVersion]) -> str:
    """Return models with their prompt versions, in one line."""
    return ", ".join(f"{one.model or 'unnamed'} {one.prompt_version}".strip() for one in models)


def _has_value(value: object) -> bool:
    """Return whether a field of a profile has a value: a library persona has no parents, say."""
    return isinstance(value, Message) or bool(value)


def _library_row(one: LibraryPersona) -> tuple[object, ...]:
    profile = one.profile
    age = profile.age.value if profile.HasField("age") else _NO_VALUE
    return (
        one.id, profile.full_name, age, profile.occupation,
        profile.location, _bound(one), one.project_count, one.response_count,
        shown(one, "retired_at"),
    )  # fmt: skip


def _match_row(one: LibraryMatch) -> tuple[object, ...]:
    parts = one.parts
    shown = [
        number_text(getattr(parts, name).value, places=2) if parts.HasField(name) else _NO_VALUE
        for name in ("age", "income_level", "location", "occupation")
    ]
    found = one.library_persona
    score = number_text(one.score)
    return found.id, found.profile.full_name, score, *shown, _bound(found)


def _bound(one: LibraryPersona) -> str:
    """Return the lower bound of reliability at promotion."""
    known = one.reliability.HasField("lower_bound")
    return number_text(one.reliability.lower_bound.value) if known else _NO_VALUE


def _use_row(link: LibraryPersonaProject) -> tuple[object, ...]:
    known = link.relation in LibraryLinkRelation.values()
    relation = LibraryLinkRelation.Name(link.relation) if known else str(link.relation)
    score = number_text(link.match_score.value) if link.HasField("match_score") else _NO_VALUE
    return (
        link.persona_id, link.project_name, link.group_name,
        relation.removeprefix("LIBRARY_LINK_RELATION_").lower(), link.linked_at, score,
        shown(link, "persona_deleted_at"),
    )  # fmt: skip
