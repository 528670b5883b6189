"""`persona library`: the individuals that projects reuse."""

import sys
from typing import Annotated

import typer
from google.protobuf.message import Message

from persona.v1.library_service_pb2 import LibraryMatch, LibraryPersona
from persona.v1.persona_service_pb2 import LibraryLinkRelation, LibraryPersonaProject
from persona_cli.commands.projects import ListByDefault
from persona_cli.commands.timeline import timeline
from persona_cli.terminal.failures import confirm
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import (
    details,
    print_json,
    print_pairs,
    print_table,
    print_text,
)
from persona_cli.terminal.session import GroupOption, ProjectOption, Session, Yes, client_command
from persona_cli.terminal.shifts import number_text
from persona_client import PersonaFilters

LibraryPersonaArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the library persona.")
]
_OPEN = "–"  # what a group leaves open, or nobody has measured
USES = ("PERSONA", "PROJECT", "GROUP", "RELATION", "LINKED", "MATCH", "DELETED")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    library = typer.Typer(cls=ListByDefault, help="Find, reuse and follow reliable individuals.")
    app.add_typer(library, name="library")
    commands = (
        ("list", list_), ("show", show), ("match", match), ("reuse", reuse), ("retire", retire),
        ("timeline", timeline), ("projects", projects),
    )  # fmt: skip
    for name, function in commands:
        client_command(library, name)(function)
    client_command(app, "lineage")(lineage)


def list_(
    session: Session,
    filters: PersonaFilters,
    min_reliability: Annotated[
        float, typer.Option(min=0, max=1, help="Lowest bound of reliability at promotion.")
    ] = 0.0,
    include_retired: Annotated[
        bool, typer.Option("--include-retired", help="Those that can't be reused, too.")
    ] = False,
    order_by: Annotated[
        str,
        typer.Option(
            help='reliability, project_count or created_at; " desc" after it: descending.',
            show_default=False,
        ),
    ] = "",
    limit: Limit = None,
) -> None:
    """List library personas, the most reliable first unless told otherwise."""
    print_list(
        session,
        limit,
        lambda page_size: session.client.list_library_personas(
            page_size=page_size,
            min_reliability=min_reliability,
            include_retired=include_retired,
            order_by=order_by,
            **filters,
        ),
        ("ID", "NAME", "AGE", "OCCUPATION", "LOCATION", "BOUND", "PROJECTS", "ANSWERS", "RETIRED"),
        _row,
    )


def show(session: Session, library_persona_id: LibraryPersonaArgument) -> None:
    """Show one library persona with its profile."""
    print_library_persona(session, session.client.get_library_persona(library_persona_id))


def match(
    session: Session,
    project: ProjectOption,
    group: GroupOption,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Lowest score.")] = 0.0,
    exclude_used: Annotated[
        bool, typer.Option("--exclude-used", help="None that the project has used before.")
    ] = False,
    limit: Limit = None,
) -> None:
    """List the library personas that fit a group's definition, best first.

    A dash stands for what the group leaves open.
    """
    ids = group_ids(session.client, project, group)
    print_list(
        session,
        limit,
        lambda page_size: session.client.match_library_personas(
            *ids,
            min_score=min_score,
            exclude_used_in_project=exclude_used,
            page_size=page_size,
        ),
        ("ID", "NAME", "SCORE", "AGE", "INCOME", "LOCATION", "OCCUPATION", "BOUND"),
        _match_row,
    )


def reuse(
    session: Session,
    library_persona_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Ids of the library personas.")
    ],
    project: ProjectOption,
    group: GroupOption,
) -> None:
    """Put individuals into a group, all or none, and list the personas that were made of them."""
    ids = group_ids(session.client, project, group)
    made = session.client.reuse_library_personas(*ids, library_persona_ids)
    if session.as_json:
        for persona in made:
            print_json(persona)
        return
    rows = ((one.id, one.full_name, one.library_persona_id) for one in made)
    print_table(("ID", "FULL_NAME", "LIBRARY_PERSONA"), rows)


def retire(session: Session, library_persona_id: LibraryPersonaArgument, yes: Yes = False) -> None:
    """End the reuse of an individual, for good; its history stays."""
    found = session.client.get_library_persona(library_persona_id)
    if not found.HasField("retired_at"):
        name = found.profile.full_name
        confirm(f'Retire "{name}" for good?', yes=yes, unchanged="Nothing was retired.")
    retired = session.client.retire_library_persona(library_persona_id)
    if session.as_json:
        print_json(retired)
    else:
        print(f'"{retired.profile.full_name}" is retired.', file=sys.stderr)


def projects(session: Session, library_persona_id: LibraryPersonaArgument) -> None:
    """List every project and group that has used an individual, newest first."""
    links = session.client.list_library_persona_projects(library_persona_id)
    if session.as_json:
        for link in links:
            print_json(link)
    else:
        print_table(USES, map(_use, links))


def lineage(
    session: Session,
    persona_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the persona, deleted or not.")
    ],
    project: ProjectOption,
    group: GroupOption,
) -> None:
    """Show the library persona underneath a persona, and every persona that shares it.

    --json prints one line for each of these.
    """
    ids = group_ids(session.client, project, group)
    found = session.client.get_persona_lineage(*ids, persona_id)
    if session.as_json:
        for link in found.personas:
            print_json(link)
    elif found.library_persona is None:
        print("The persona is not in the library: it was generated fresh, and not promoted.")
    else:
        name = found.library_persona.profile.full_name
        print_text(f"Library persona {found.library_persona.id}, {name}:")
        print_table(USES, map(_use, found.personas))


def print_library_persona(session: Session, found: LibraryPersona) -> None:
    """Print one library persona: who it is, how reliable it was, and how much it is used."""
    if session.as_json:
        print_json(found)
        return
    measured = found.reliability
    data = f"{measured.question_count} questions in {measured.simulation_count} simulations"
    known = measured.HasField("coefficient")
    coefficient = number_text(measured.coefficient.value) if known else _OPEN
    print_pairs(
        [
            ("id", found.id),
            *(pair for pair in details(found.profile) if _is_told(pair[1])),
            ("reliability", f"C {coefficient}, at least {_bound(found)} ({data})"),
            ("projects", found.project_count),
            ("answers", found.response_count),
            ("promoted_from", f"persona {found.origin_persona_id}"),
            ("promoted_at", found.created_at),
            ("retired_at", found.retired_at),
        ]
    )


def _is_told(value: object) -> bool:
    """Return whether a field of a profile has a value: a library persona has no parents, say."""
    return value.ByteSize() > 0 if isinstance(value, Message) else bool(value)


def _row(one: LibraryPersona) -> tuple[object, ...]:
    profile = one.profile
    return (
        one.id, profile.full_name, profile.age or _OPEN, profile.occupation, profile.location,
        _bound(one), one.project_count, one.response_count, one.retired_at,
    )  # fmt: skip


def _match_row(one: LibraryMatch) -> tuple[object, ...]:
    parts = one.parts
    shown = [
        number_text(getattr(parts, name).value, places=2) if parts.HasField(name) else _OPEN
        for name in ("age", "income_level", "location", "occupation")
    ]
    found = one.library_persona
    score = number_text(one.score)
    return found.id, found.profile.full_name, score, *shown, _bound(found)


def _bound(one: LibraryPersona) -> str:
    """Return the lower bound of reliability at promotion."""
    known = one.reliability.HasField("lower_bound")
    return number_text(one.reliability.lower_bound.value) if known else _OPEN


def _use(link: LibraryPersonaProject) -> tuple[object, ...]:
    known = link.relation in LibraryLinkRelation.values()
    relation = LibraryLinkRelation.Name(link.relation) if known else str(link.relation)
    score = number_text(link.match_score.value) if link.HasField("match_score") else _OPEN
    return (
        link.persona_id, link.project_name, link.group_name,
        relation.removeprefix("LIBRARY_LINK_RELATION_").lower(), link.linked_at, score,
        link.persona_deleted_at,
    )  # fmt: skip
