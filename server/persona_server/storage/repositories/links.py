"""Links of one tenant between project personas and library personas: added, never changed."""

from collections.abc import Sequence
from typing import NamedTuple

from peewee import JOIN, SQL, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import id_list, one_of
from persona_server.storage.engine.statements import Statement, insert_statement, param
from persona_server.storage.keys import IdGenerator


class LinkRow(NamedTuple):
    """A link to insert, in the order of the insert statement's parameters."""

    tenant: int
    persona_id: bytes
    id: int
    library_persona_id: bytes
    project_id: bytes
    group_id: bytes
    project_name: str
    group_name: str
    relation: int
    match_score: float | None
    linked_at: int


class Use(NamedTuple):
    """One use of an individual, as lineage shows it."""

    id: int
    project_id: bytes
    project_name: str
    group_id: bytes
    group_name: str
    persona_id: bytes
    relation: int
    linked_at: int
    match_score: float | None
    persona_deleted_at: int | None


class LinkStatements:
    """Every statement on links, compiled once."""

    def __init__(self, database: Database) -> None:
        link = tables.LibraryLink
        mine = link.tenant_id == param("tenant")
        self.used = Statement(
            database,
            link.select(SQL("1"))
            .where(
                mine
                & (link.project_id == param("project"))
                & (link.library_persona_id == param("library"))
            )
            .limit(1),
        )
        self.shown = _shown(database)
        self.page = _page(database)
        self.insert = insert_statement(database, link, LinkRow._fields)


def _shown(database: Database) -> Statement:
    """Return the statement of those individuals that a group shows in its set."""
    link, persona = tables.LibraryLink, tables.Persona.alias("shown")
    return Statement(
        database,
        link.select(link.library_persona_id)
        .join(
            persona,
            on=(persona.tenant_id == param("tenant")) & (persona.id == link.persona_id),
        )
        .where(
            (link.tenant_id == param("tenant"))
            & (link.project_id == param("project"))
            & one_of(link.library_persona_id)
            & (link.group_id == param("group"))
            & (persona.set_id == param("set"))
        ),
    )


def _page(database: Database) -> Statement:
    """Return the statement of an individual's uses, newest first, with when each was deleted."""
    link = tables.LibraryLink
    persona, persona_set = tables.Persona.alias("p"), tables.PersonaSet.alias("s")
    deleted_at = fn.COALESCE(persona.deleted_at, persona_set.dropped_at)
    columns = [getattr(link, name) for name in Use._fields[:-1]]
    return Statement(
        database,
        link.select(*columns, deleted_at)
        .join(persona, JOIN.CROSS)
        .join(persona_set, JOIN.CROSS)
        .where(
            (link.tenant_id == param("tenant"))
            & (link.library_persona_id == param("library"))
            & (link.id < param("before"))
            & (persona.tenant_id == param("tenant"))
            & (persona.id == link.persona_id)
            & (persona_set.tenant_id == param("tenant"))
            & (persona_set.id == persona.set_id)
        )
        .order_by(link.id.desc())
        .limit(param("limit")),
    )


class Links:
    """The links of one tenant."""

    def __init__(self, statements: LinkStatements, tenant: int, id_generator: IdGenerator) -> None:
        self._do = statements
        self._tenant = tenant
        self._id_generator = id_generator

    def used(self, library_persona: bytes, project: bytes) -> bool:
        """Return whether a project has used an individual, deleted since or not."""
        row = self._do.used.first(tenant=self._tenant, library=library_persona, project=project)
        return row is not None

    def shown(
        self, project: bytes, group: bytes, set_id: int, individuals: Sequence[bytes]
    ) -> set[bytes]:
        """Return those of the individuals, by library id, that a group shows in its set."""
        rows = self._do.shown.all(
            tenant=self._tenant,
            project=project,
            group=group,
            set=set_id,
            ids=id_list(individuals),
        )
        return {bytes(row[0]) for row in rows}

    def page(self, library_persona: bytes, before: int, limit: int) -> list[Use]:
        """Return at most `limit` uses of an individual before a link, newest first."""
        rows = self._do.page.all(
            tenant=self._tenant, library=library_persona, before=before, limit=limit
        )
        return [Use(*row) for row in rows]

    def next_id(self, now: int) -> int:
        """Return the id of the next link."""
        return self._id_generator.next(now)

    def insert(self, rows: Sequence[LinkRow]) -> None:
        """Add links of personas that have none."""
        self._do.insert.run_each(rows)
