"""The pages of a set of personas: all of them, those that match, and those that have a term."""

from collections.abc import Sequence
from typing import Any

from peewee import SQL, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import id_list, page_in_one_row
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.repositories.filters import Filters, matches, parameters
from persona_server.storage.repositories.pages import EMPTY_PAGE, FilteredPages, Page, only_if
from persona_server.storage.repositories.terms import has_all

_AFTER_TIME = 9  # where the id begins in a position, counted from 1


class PersonaPages:
    """Every statement that lists the personas of a set, compiled once."""

    def __init__(self, database: Database) -> None:
        persona = tables.Persona
        here = (persona.tenant_id == param("tenant")) & (persona.set_id == param("set"))
        after = here & (persona.position > param("after"))
        places = (
            persona.select(persona.position).where(after & still_shown()).order_by(persona.position)
        )
        self.page = Statement(
            database,
            page_in_one_row(
                places.select(persona.framed, persona.position).limit(param("limit")),
            ),
        )
        self.more = Statement(database, persona.select(SQL("1")).where(after).limit(1))
        # Looked at in the covering index; only the rows of the page are read for their text.
        framed = only_if(matches(persona), persona.framed).alias("framed")
        entries = places.select(persona.position, framed)
        self.filtered = FilteredPages(database, places, entries)
        self.by_term = _by_term(database)

    def read(self, after: bytes, limit: int, **where: Any) -> Page:
        """Return at most `limit` personas after a position."""
        row = self.page.first(after=after, limit=limit, **where)
        assert row is not None
        framed, last, count = row
        if not count:
            return EMPTY_PAGE
        more = count == limit and self.more.first(after=last, **where) is not None
        return Page(framed, last, count, more)

    def read_matching(
        self, after: bytes, limit: int, filters: Filters, terms: Sequence[bytes], **where: Any
    ) -> Page:
        """Return at most `limit` personas after a position, of those that match and have all terms.

        Those that have the first term are looked at, if there is one.
        """
        where |= parameters(filters)
        if not terms:
            return self.filtered.read(after, limit, **where)
        return self.by_term.read(after, limit, term=terms[0], terms=id_list(terms), **where)


def _by_term(database: Database) -> FilteredPages:
    """Return the pages of the personas that have `term`, in the order of that index."""
    persona, term = tables.Persona, tables.PersonaTerm
    places = (
        term.select(term.position)
        .where(
            (term.tenant_id == param("tenant"))
            & (term.set_id == param("set"))
            & (term.hash == param("term"))
            & (term.position > param("after"))
            & still_shown()
        )
        .order_by(term.position)
    )
    stored = persona.select(persona.framed).where(
        (persona.tenant_id == param("tenant"))
        & (persona.id == fn.SUBSTR(term.position, _AFTER_TIME))
        & (persona.set_id == param("set"))
        & matches(persona)
    )
    framed = only_if(has_all(term.position), stored).alias("framed")
    return FilteredPages(database, places, places.select(term.position, framed))


def still_shown() -> Any:
    """Return the condition that the group still shows the set that the head named."""
    group = tables.PersonaGroup.alias("shown")
    return fn.EXISTS(
        group.select(SQL("1")).where(
            (group.tenant_id == param("tenant"))
            & (group.id == param("group"))
            & (group.set_id == param("set"))
            & group.deleted_at.is_null()
        )
    )
