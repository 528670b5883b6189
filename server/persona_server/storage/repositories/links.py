"""Links of one tenant between project personas and library personas: added, never changed."""

from collections.abc import Sequence
from typing import NamedTuple

import apsw
from peewee import JOIN, SQL, fn

from persona_server.storage import tables
from persona_server.storage.engine.sqlite import SqliteDatabase
from persona_server.storage.engine.statements import Statement, given, hole, insertion, many
from persona_server.storage.keys import Serial


class LinkRow(NamedTuple):
    """A link to insert, in the order of the insert statement's holes."""

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

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        link = tables.LibraryLink
        mine = link.tenant_id == hole("tenant")
        self.used = Statement(
            database,
            link.select(SQL("1"))
            .where(
                mine
                & (link.project_id == hole("project"))
                & (link.library_persona_id == hole("library"))
            )
            .limit(1),
        )
        self.shown = _shown(database)
        self.page = _page(database)
        self.insert = insertion(database, link, LinkRow)


def _shown(database: SqliteDatabase) -> Statement:
    """Return the statement of those individuals that a group shows in its set."""
    link, persona = tables.LibraryLink, tables.Persona.alias("shown")
    return Statement(
        database,
        link.select(link.library_persona_id)
        .join(
            persona,
            on=(persona.tenant_id == hole("tenant")) & (persona.id == link.persona_id),
        )
        .where(
            (link.tenant_id == hole("tenant"))
            & (link.project_id == hole("project"))
            & link.library_persona_id.in_(given())
            & (link.group_id == hole("group"))
            & (persona.set_id == hole("set"))
        ),
    )


def _page(database: SqliteDatabase) -> Statement:
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
            (link.tenant_id == hole("tenant"))
            & (link.library_persona_id == hole("library"))
            & (link.id < hole("before"))
            & (persona.tenant_id == hole("tenant"))
            & (persona.id == link.persona_id)
            & (persona_set.tenant_id == hole("tenant"))
            & (persona_set.id == persona.set_id)
        )
        .order_by(link.id.desc())
        .limit(hole("limit")),
    )


class Links:
    """The links of one tenant."""

    def __init__(self, statements: LinkStatements, tenant: int, serial: Serial) -> None:
        self._do = statements
        self._tenant = tenant
        self._serial = serial

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
            ids=apsw.carray(tuple(individuals)),
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
        return self._serial.next(now)

    def insert(self, rows: Sequence[LinkRow]) -> None:
        """Add links of personas that have none."""
        many(self._do.database, self._do.insert, rows)
