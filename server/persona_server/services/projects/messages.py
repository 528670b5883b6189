"""Projects and persona groups as messages: from their rows, compared, and merged by an update."""

from collections.abc import Iterable
from typing import TypeVar

from persona.v1.project_pb2 import PersonaGroup, Project
from persona.v1.simulation_pb2 import Simulation
from persona_server.services.times import set_time, timestamp
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.groups import GroupRow
from persona_server.storage.repositories.projects import ProjectRow
from persona_server.validation.projects import GROUP_FIELDS

Resource = TypeVar("Resource", Project, PersonaGroup, Simulation)


def project_message(row: ProjectRow) -> Project:
    """Return a stored project as the contract shows it."""
    return Project(
        id=id_text(row.id),
        name=row.name,
        description=row.description,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
        persona_group_count=row.group_count,
    )


def group_message(row: GroupRow) -> PersonaGroup:
    """Return a stored group as the contract shows it."""
    group = PersonaGroup.FromString(row.definition)
    group.id, group.project_id = id_text(row.id), id_text(row.project_id)
    group.persona_count = row.persona_count
    set_time(group.created_at, row.created_at)
    set_time(group.updated_at, row.updated_at)
    return group


def definition(group: PersonaGroup) -> bytes:
    """Return the encoded group without what its row holds in columns of its own."""
    bare = PersonaGroup()
    for name in GROUP_FIELDS:
        setattr(bare, name, getattr(group, name))
    return bare.SerializeToString(deterministic=True)


def same(one: Resource, other: Resource, fields: Iterable[str]) -> bool:
    """Return whether two resources have the same values in these fields."""
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def merged(stored: Resource, update: Resource, paths: Iterable[str]) -> Resource:
    """Return the stored resource with the fields of the mask taken from the update."""
    wanted = type(stored)()
    wanted.CopyFrom(stored)
    for name in paths:
        setattr(wanted, name, getattr(update, name))
    return wanted
