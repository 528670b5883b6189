"""Personas of one tenant: visible ones, and those a delete has hidden."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import apsw
from peewee import JOIN, SQL, Select, fn

from persona_server.storage import tables
from persona_server.storage.engine.sqlite import SqliteDatabase
from persona_server.storage.engine.statements import (
    Statement,
    given,
    hole,
    insertion,
    many,
    one_row,
)
from persona_server.storage.repositories.filters import (
    NO_FILTERS,
    Filters,
    matches,
    parameters,
)
from persona_server.storage.repositories.groups import parents_of

# How a persona came to be linked to a library persona, as LibraryLinkRelation numbers it.
ORIGIN, REUSE = 1, 2
START = b""  # before every position


class PersonaRow(NamedTuple):
    """A persona to insert, in the order of the insert statement's holes."""

    tenant: int
    set_id: int
    age: int
    position: bytes
    id: bytes
    gender_key: str
    income_level_key: str
    location_key: str
    occupation_key: str
    framed: bytes


class Found(NamedTuple):
    """One read: which parents are visible, and the persona's framed message if it is too."""

    project: bool
    group: bool
    framed: bytes | None


class Known(NamedTuple):
    """A persona whose id a batch brings: where it is, and whether anybody can see it."""

    set_id: int
    framed: bytes
    group_id: bytes
    visible: bool


class Ancestry(NamedTuple):
    """The parents of a persona, deleted or not, and whether anybody can see it.

    `individual` is whose answers count as one's own: the persona, or the origin of a reused copy;
    `library_persona_id` is the individual's, if it was promoted.
    """

    project_id: bytes
    group_id: bytes
    visible: bool
    individual: bytes
    library_persona_id: bytes | None
    is_copy: bool


class Page(NamedTuple):
    """Framed personas end to end, the position of the last, how many, and whether more follow."""

    framed: bytes
    last: bytes
    size: int
    more: bool


EMPTY_PAGE = Page(b"", START, 0, False)


class PersonaStatements:
    """Every statement on personas, compiled once."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self._read(database)
        self._read_recorded(database)
        self._pages(database)
        self._write(database)

    def _read(self, database: SqliteDatabase) -> None:
        project, group, persona = tables.Project, tables.PersonaGroup, tables.Persona
        self.get = Statement(
            database,
            parents_of(project, group)
            .join(
                persona,
                JOIN.LEFT_OUTER,
                on=(persona.tenant_id == hole("tenant"))
                & (persona.id == hole("persona"))
                & (persona.set_id == group.set_id),
            )
            .select(project.id.is_null(False), group.id.is_null(False), persona.framed),
        )

    def _read_recorded(self, database: SqliteDatabase) -> None:
        """Compile the reads of personas in any set: visible, hidden or dropped."""
        persona, persona_set = tables.Persona, tables.PersonaSet.alias("s")
        owner = tables.PersonaGroup.alias("owner")
        mine = persona.tenant_id == hole("tenant")
        rows = (
            persona.select()
            .join(
                persona_set,
                on=(persona_set.tenant_id == hole("tenant")) & (persona_set.id == persona.set_id),
            )
            .join(
                owner, on=(owner.tenant_id == hole("tenant")) & (owner.id == persona_set.group_id)
            )
            .where(mine & persona.id.in_(given()))
        )
        # Deleting a project marks its groups too, so the group alone says who is visible.
        visible = (owner.set_id == persona.set_id) & owner.deleted_at.is_null()
        where = (persona.id, persona.set_id, persona.framed, owner.id, visible)
        self.known = Statement(database, rows.select(*where))
        link, library = tables.LibraryLink.alias("link"), tables.LibraryPersona.alias("library")
        parents = (
            persona.id,
            owner.project_id,
            owner.id,
            visible,
            fn.COALESCE(library.origin_persona_id, persona.id),
            library.id,
            link.relation == REUSE,
        )
        linked = rows.join(
            link,
            JOIN.LEFT_OUTER,
            on=(link.tenant_id == hole("tenant")) & (link.persona_id == persona.id),
        ).join(
            library,
            JOIN.LEFT_OUTER,
            on=(library.tenant_id == hole("tenant")) & (library.id == link.library_persona_id),
        )
        self.ancestry = Statement(database, linked.select(*parents))
        self.recorded = Statement(
            database, persona.select(persona.framed).where(mine & (persona.id == hole("persona")))
        )

    def _pages(self, database: SqliteDatabase) -> None:
        persona = tables.Persona
        here = (persona.tenant_id == hole("tenant")) & (persona.set_id == hole("set"))
        after = here & (persona.position > hole("after"))
        self.page = one_row(
            database,
            persona.select(persona.framed, persona.position)
            .where(after & still_shown())
            .order_by(persona.position)
            .limit(hole("limit")),
        )
        matching = (
            persona.select(persona.position)
            .where(after & still_shown() & matches(persona))
            .order_by(persona.position)
            .limit(hole("limit"))
        )
        self.filtered_more = Statement(database, matching)
        # The covering index finds the positions; only the rows of the page are read for their text.
        found, row = matching.alias("found"), persona.alias("row")
        self.filtered = one_row(
            database,
            Select((found,), (row.framed, row.position))
            .join(row, JOIN.CROSS)
            .where(
                (row.tenant_id == hole("tenant"))
                & (row.set_id == hole("set"))
                & (row.position == found.c.position)
            )
            .order_by(found.c.position),
        )
        self.more = Statement(database, persona.select(SQL("1")).where(after).limit(1))

    def _write(self, database: SqliteDatabase) -> None:
        persona = tables.Persona
        self.insert = insertion(database, persona, PersonaRow)
        this = (persona.tenant_id == hole("tenant")) & (persona.id == hole("persona"))
        self.restore = Statement(
            database,
            persona.update(
                {
                    persona.set_id: hole("set"),
                    persona.deleted_at: None,
                    persona.purge_after: None,
                }
            ).where(this & (persona.set_id == hole("old"))),
        )
        self.hide = Statement(
            database,
            persona.update(
                {
                    persona.set_id: hole("hidden"),
                    persona.deleted_at: hole("now"),
                    persona.purge_after: hole("now"),
                }
            ).where(this & (persona.set_id == hole("set"))),
        )


def still_shown() -> Any:
    """Return the condition that the group still shows the set that the head named."""
    group = tables.PersonaGroup.alias("shown")
    return fn.EXISTS(
        group.select(SQL("1")).where(
            (group.tenant_id == hole("tenant"))
            & (group.id == hole("group"))
            & (group.set_id == hole("set"))
            & group.deleted_at.is_null()
        )
    )


class Personas:
    """The personas of one tenant."""

    def __init__(self, statements: PersonaStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def get(self, project: bytes, group: bytes, persona: bytes) -> Found:
        """Return the visible persona, and which of its parents are visible."""
        row = self._do.get.first(tenant=self._tenant, project=project, group=group, persona=persona)
        assert row is not None
        return Found(bool(row[0]), bool(row[1]), row[2])

    def page(
        self, group: bytes, set_id: int, after: bytes, limit: int, filters: Filters = NO_FILTERS
    ) -> Page:
        """Return at most `limit` personas of a set after a position, oldest first.

        Empty if the group does not show that set any more: read the head again.
        """
        where = {"tenant": self._tenant, "group": group, "set": set_id, "limit": limit}
        filtered = filters != NO_FILTERS
        if filtered:
            where |= parameters(filters)
        row = (self._do.filtered if filtered else self._do.page).first(after=after, **where)
        assert row is not None
        framed, last, count = row
        if not count:
            return EMPTY_PAGE
        more = False
        if count == limit:
            where["limit"] = 1
            statement = self._do.filtered_more if filtered else self._do.more
            more = statement.first(after=last, **where) is not None
        return Page(framed, last, count, more)

    def known(self, ids: Sequence[bytes]) -> dict[bytes, Known]:
        """Return where personas with these ids are, visible or hidden; unknown ids are left out."""
        if not ids:
            return {}
        rows = self._do.known.all(tenant=self._tenant, ids=apsw.carray(tuple(ids)))
        return {row[0]: Known(row[1], row[2], row[3], bool(row[4])) for row in rows}

    def ancestry(self, ids: Sequence[bytes]) -> dict[bytes, Ancestry]:
        """Return the parents of these personas, deleted or not; unknown ids are left out."""
        rows = self._do.ancestry.all(tenant=self._tenant, ids=apsw.carray(tuple(ids)))
        return {
            row[0]: Ancestry(row[1], row[2], bool(row[3]), row[4], row[5], bool(row[6]))
            for row in rows
        }

    def recorded(self, persona: bytes) -> bytes | None:
        """Return the framed persona, deleted or not; None if there is no such row."""
        row = self._do.recorded.first(tenant=self._tenant, persona=persona)
        return None if row is None else bytes(row[0])

    def insert(self, rows: Sequence[PersonaRow]) -> None:
        """Add personas whose ids are free."""
        many(self._do.database, self._do.insert, rows)

    def restore(self, persona: bytes, old: int, new: int) -> None:
        """Move a hidden persona from set `old` to set `new` and make it visible again."""
        self._do.restore.run(tenant=self._tenant, persona=persona, old=old, set=new)

    def hide(self, persona: bytes, set_id: int, hidden: int, now: int) -> bool:
        """Move a persona to its group's hidden set; return whether it was in `set_id`."""
        moved = self._do.hide.run(
            tenant=self._tenant, persona=persona, set=set_id, hidden=hidden, now=now
        )
        return moved == 1
