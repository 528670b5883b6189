"""The groups that a project shows, with the sets of their personas, to be gone through."""

from typing import NamedTuple

from peewee import Tuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.keys import split_position


class ShownGroup(NamedTuple):
    """A visible group, the set that it shows, and the length of its longest row in bytes."""

    created_at: int
    id: bytes
    set_id: int
    persona_count: int
    max_framed: int


class ShownGroupStatements:
    """The one statement on groups in their order, compiled once."""

    def __init__(self, database: Database) -> None:
        group = tables.PersonaGroup
        place = Tuple(group.created_at, group.id)
        self.oldest = Statement(
            database,
            group.select(*[getattr(group, name) for name in ShownGroup._fields])
            .where(
                (group.tenant_id == param("tenant"))
                & (group.project_id == param("project"))
                & group.deleted_at.is_null()
                & (place >= Tuple(param("at"), param("id")))
            )
            .order_by(group.created_at, group.id)
            .limit(param("limit")),
        )


class ShownGroups:
    """The groups of one tenant that can be seen."""

    def __init__(self, statements: ShownGroupStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def oldest(self, project: bytes, since: bytes, limit: int) -> list[ShownGroup]:
        """Return at most `limit` groups of a project, oldest first, from a position on."""
        at, group = split_position(since)
        rows = self._do.oldest.all(
            tenant=self._tenant, project=project, at=at, id=group, limit=limit
        )
        return [ShownGroup(*row) for row in rows]
