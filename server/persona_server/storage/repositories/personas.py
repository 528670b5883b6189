"""Personas of one tenant: visible ones, and those a delete has hidden."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, TypeAlias

from peewee import JOIN, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import id_list, one_of
from persona_server.storage.engine.statements import Statement, insert_statement, param
from persona_server.storage.repositories.filters import KEY_COLUMNS, NO_FILTERS, Filters
from persona_server.storage.repositories.groups import parents_of
from persona_server.storage.repositories.pages import HitCount, Page
from persona_server.storage.repositories.persona_pages import PersonaPages, ShownPage

# How a persona came to be linked to a library persona, as LibraryLinkRelation numbers it.
ORIGIN, REUSE = 1, 2


# The columns of a persona that is inserted, whose row has their values in this order.
INSERTED = ("tenant", "set_id", "age", "position", "id", *KEY_COLUMNS, "framed", "copied_from")
PersonaRow: TypeAlias = tuple[Any, ...]


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

    @property
    def may_be_promoted(self) -> bool:
        """Whether it can be seen, and its individual is not in the library."""
        return self.visible and self.library_persona_id is None


class PersonaStatements:
    """Every statement on personas, compiled once."""

    def __init__(self, database: Database) -> None:
        self._read(database)
        self._read_recorded(database)
        self.pages = PersonaPages(database)
        self._write(database)

    def _read(self, database: Database) -> None:
        project, group, persona = tables.Project, tables.PersonaGroup, tables.Persona
        self.get = Statement(
            database,
            parents_of(project, group)
            .join(
                persona,
                JOIN.LEFT_OUTER,
                on=(persona.tenant_id == param("tenant"))
                & (persona.id == param("persona"))
                & (persona.set_id == group.set_id),
            )
            .select(project.id.is_null(False), group.id.is_null(False), persona.framed),
        )

        here = (persona.tenant_id == param("tenant")) & (persona.set_id == param("set"))
        these = here & one_of(persona.id)
        length = fn.LENGTH(persona.framed)
        self.lengths = Statement(database, persona.select(persona.id, length).where(these))
        self.several = Statement(database, persona.select(persona.id, persona.framed).where(these))

    def _read_recorded(self, database: Database) -> None:
        """Compile the reads of personas in any set: visible, hidden or dropped."""
        persona, persona_set = tables.Persona, tables.PersonaSet.alias("s")
        owner = tables.PersonaGroup.alias("owner")
        mine = persona.tenant_id == param("tenant")
        rows = (
            persona.select()
            .join(
                persona_set,
                on=(persona_set.tenant_id == param("tenant")) & (persona_set.id == persona.set_id),
            )
            .join(
                owner, on=(owner.tenant_id == param("tenant")) & (owner.id == persona_set.group_id)
            )
            .where(mine & one_of(persona.id))
        )
        # Deleting a project marks its groups too, so the group alone says who is visible.
        visible = (owner.set_id == persona.set_id) & owner.deleted_at.is_null()
        where = (persona.id, persona.set_id, persona.framed, owner.id, visible)
        self.known = Statement(database, rows.select(*where))
        self.recorded = Statement(
            database,
            persona.select(persona.framed).where(
                mine & (persona.id == param("persona")) & persona.erased_at.is_null()
            ),
        )
        self._read_individuals(database, rows, (owner.project_id, owner.id, visible))

    def _read_individuals(self, database: Database, rows: Any, place: tuple[Any, ...]) -> None:
        """Compile the reads of who personas are, in the library too; `rows` are those asked for."""
        persona = tables.Persona
        link, library = tables.LibraryLink.alias("link"), tables.LibraryPersona.alias("library")

        def linked(personas: Any) -> Any:
            """Join what the library has of personas, if it has any."""
            mine, its = link.tenant_id == param("tenant"), library.tenant_id == param("tenant")
            return personas.join(
                link, JOIN.LEFT_OUTER, on=mine & (link.persona_id == persona.id)
            ).join(library, JOIN.LEFT_OUTER, on=its & (library.id == link.library_persona_id))

        individual = fn.COALESCE(library.origin_persona_id, persona.id)
        parents = (persona.id, *place, individual, library.id, link.relation == REUSE)
        # Who was erased is nobody: no answers, no lineage, no reliability.
        self.ancestry = Statement(
            database, linked(rows).select(*parents).where(persona.erased_at.is_null())
        )
        self.individual_of = Statement(database, linked(rows).select(persona.id, individual))
        here = (persona.tenant_id == param("tenant")) & (persona.set_id == param("set"))
        self.individuals = Statement(
            database, linked(persona.select(individual)).where(here).limit(param("limit"))
        )

    def _write(self, database: Database) -> None:
        persona = tables.Persona
        self.insert = insert_statement(database, persona, INSERTED)
        this = (persona.tenant_id == param("tenant")) & (persona.id == param("persona"))
        self.restore = Statement(
            database,
            persona.update(
                {
                    persona.set_id: param("set"),
                    persona.deleted_at: None,
                    persona.purge_after: None,
                }
            ).where(this & (persona.set_id == param("old"))),
        )
        self.hide = Statement(
            database,
            persona.update(
                {
                    persona.set_id: param("hidden"),
                    persona.deleted_at: param("now"),
                    persona.purge_after: param("now"),
                }
            ).where(this & (persona.set_id == param("set"))),
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
        self,
        group: bytes,
        set_id: int,
        after: bytes,
        limit: int,
        filters: Filters = NO_FILTERS,
        terms: Sequence[bytes] = (),
    ) -> Page:
        """Return at most `limit` personas of a set after a position, oldest first.

        Empty if the group does not show that set any more: read the head again.
        """
        where: dict[str, Any] = {"tenant": self._tenant, "group": group, "set": set_id}
        if filters != NO_FILTERS or terms:
            return self._do.pages.read_matching(after, limit, filters, terms, **where)
        return self._do.pages.read(after, limit, **where)

    def shown_page(
        self, project: bytes, group: bytes, after: bytes, limit: int, most_bytes: int
    ) -> ShownPage | None:
        """Return at most `limit` personas that a group shows after a position, oldest first.

        None if there are none, or a parent is not visible: read the head.
        """
        where = {"tenant": self._tenant, "project": project, "group": group}
        return self._do.pages.shown.read(after, limit, most_bytes, **where)

    def count(
        self, group: bytes, set_id: int, after: bytes, filters: Filters, terms: Sequence[bytes]
    ) -> HitCount:
        """Count the personas of a set after a position, of those that match and have all terms."""
        where: dict[str, Any] = {"tenant": self._tenant, "group": group, "set": set_id}
        return self._do.pages.count_matching(after, filters, terms, **where)

    def lengths(self, set_id: int, ids: Sequence[bytes]) -> dict[bytes, int]:
        """Return how many bytes those of these personas have that are in a set."""
        rows = self._do.lengths.all(tenant=self._tenant, set=set_id, ids=id_list(ids))
        return dict(rows)

    def several(self, set_id: int, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return those of these personas that are in a set, framed."""
        rows = self._do.several.all(tenant=self._tenant, set=set_id, ids=id_list(ids))
        return dict(rows)

    def known(self, ids: Sequence[bytes]) -> dict[bytes, Known]:
        """Return where personas with these ids are, visible or hidden; unknown ids are left out."""
        if not ids:
            return {}
        rows = self._do.known.all(tenant=self._tenant, ids=id_list(ids))
        return {row[0]: Known(row[1], row[2], row[3], bool(row[4])) for row in rows}

    def ancestry(self, ids: Sequence[bytes]) -> dict[bytes, Ancestry]:
        """Return the parents of these personas, deleted or not; unknown ids are left out.

        So are those of personas that were erased.
        """
        rows = self._do.ancestry.all(tenant=self._tenant, ids=id_list(ids))
        return {
            row[0]: Ancestry(row[1], row[2], bool(row[3]), row[4], row[5], bool(row[6]))
            for row in rows
        }

    def individual_of(self, ids: Collection[bytes]) -> dict[bytes, bytes]:
        """Return whose answers these personas gave, those of an erasure under way too."""
        rows = self._do.individual_of.all(tenant=self._tenant, ids=id_list(list(ids)))
        return dict(rows)

    def individuals(self, set_id: int, limit: int) -> list[bytes]:
        """Return whose answers the personas of a set give, of at most so many personas, each once.

        Copies of one individual are one.
        """
        rows = self._do.individuals.all(tenant=self._tenant, set=set_id, limit=limit)
        return sorted({individual for (individual,) in rows})

    def recorded(self, persona: bytes) -> bytes | None:
        """Return the framed persona, deleted or not; None if there is none, or it was erased."""
        row = self._do.recorded.first(tenant=self._tenant, persona=persona)
        return None if row is None else bytes(row[0])

    def insert(self, rows: Sequence[PersonaRow]) -> None:
        """Add personas whose ids are free, each the tuple of its INSERTED."""
        self._do.insert.run_each(rows)

    def restore(self, persona: bytes, old: int, new: int) -> None:
        """Move a hidden persona from set `old` to set `new` and make it visible again."""
        self._do.restore.run(tenant=self._tenant, persona=persona, old=old, set=new)

    def hide(self, persona: bytes, set_id: int, hidden: int, now: int) -> bool:
        """Move a persona to its group's hidden set; return whether it was in `set_id`."""
        moved = self._do.hide.run(
            tenant=self._tenant, persona=persona, set=set_id, hidden=hidden, now=now
        )
        return moved == 1
