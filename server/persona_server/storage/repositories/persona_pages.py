"""The pages of a set of personas: all of them, those that match, and those that have a term."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from peewee import JOIN, OP, SQL, Expression, Select, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import (
    INTEGER,
    id_list,
    lesser,
    optional,
    page_in_one_row,
)
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.repositories.filters import (
    NO_FILTERS,
    Filters,
    matches,
    parameters,
)
from persona_server.storage.repositories.pages import (
    EMPTY_PAGE,
    FilteredPages,
    HitCount,
    HitCounts,
    Page,
    only_if,
)
from persona_server.storage.repositories.terms import has_all

# Personas found by a term lie apart: to read one costs what four cost that lie beside each other.
MOST_APART = 250
_AFTER_TIME = SQL("9")  # where the id begins in a position, counted from 1


class ShownPage(NamedTuple):
    """A page of what a group shows, and the group's version at that moment."""

    page: Page
    version: int


class WholePages:
    """The pages of all personas of a set.

    In one row where the engine has pages so, else row by row: PostgreSQL takes three times as long
    to join the messages of a page as to send them.
    """

    def __init__(self, database: Database, places: Any, here: Any) -> None:
        """Compile the statement: `places` are the positions after a parameter in a set, `here`."""
        persona, self._in_one_row = tables.Persona, database.pages_in_one_row
        rows = places.select(persona.framed, persona.position).limit(param("limit"))
        self.page = Statement(database, _joined(rows, here) if self._in_one_row else rows)

    def read(self, after: bytes, limit: int, **where: Any) -> Page:
        """Return at most `limit` personas after a position."""
        if self._in_one_row:
            row = self.page.first(after=after, limit=limit, **where)
            assert row is not None
            framed, last, count, more = row
            return Page(framed, last, count, bool(more)) if count else EMPTY_PAGE
        found = self.page.all(after=after, limit=limit + 1, **where)
        if not found:
            return EMPTY_PAGE
        return _page_of(found, limit)


def _page_of(found: Sequence[tuple[Any, ...]], limit: int) -> Page:
    """Return the page of the first `limit` rows of framed messages and positions."""
    shown = found[:limit]
    return Page(b"".join([row[0] for row in shown]), shown[-1][1], len(shown), len(found) > limit)


class ShownPages:
    """The pages of all personas that a group shows, found with the group in one statement.

    In one row or row by row, as WholePages.
    """

    def __init__(self, database: Database) -> None:
        """Compile the statement."""
        self._in_one_row = database.pages_in_one_row
        self.page = Statement(database, _shown_in_one_row() if self._in_one_row else _shown_rows())

    def read(self, after: bytes, limit: int, most_bytes: int, **where: Any) -> ShownPage | None:
        """Return at most `limit` personas after a position, of `most_bytes` at most.

        None if there are none, or a parent is not visible.
        """
        where |= {"after": after, "limit": limit, "bytes": most_bytes}
        if self._in_one_row:
            row = self.page.first(**where)
            assert row is not None
            framed, last, count, version, more = row
            return ShownPage(Page(framed, last, count, bool(more)), version) if count else None
        found = sorted(self.page.all(**where), key=itemgetter(1))  # a join promises no order
        if not found:
            return None
        version, fitting = found[0][2:]
        return ShownPage(_page_of(found, fitting), version)


def _visible(project: Any) -> Any:
    """Return the condition that a project is the one named, and visible."""
    this = (project.tenant_id == param("tenant")) & (project.id == param("project"))
    return this & project.deleted_at.is_null()


def _fitting(longest: Any) -> Any:
    """Return how many rows a page may have where none is longer than that; 0 and NULL are none."""
    longest = fn.COALESCE(fn.NULLIF(longest, SQL("0")), SQL("1"))
    return lesser(param("limit"), param("bytes") / longest)


def _shown_in_one_row() -> Select:
    project, group, persona = tables.Project, tables.PersonaGroup, tables.Persona
    this = (group.tenant_id == param("tenant")) & (group.id == param("group"))
    shown = (
        persona.select(persona.framed, persona.position, group.set_id, group.version)
        .join(group, on=this & (group.set_id == persona.set_id) & group.deleted_at.is_null())
        .join(project, on=_visible(project) & (project.id == group.project_id))
        .where((persona.tenant_id == param("tenant")) & (persona.position > param("after")))
        .order_by(persona.position)
        .limit(_fitting(group.select(group.max_framed).where(this)))
    )
    # Set and version are those of every row.
    page = page_in_one_row(shown, SQL("set_id"), SQL("version")).alias("found")
    here = (persona.tenant_id == param("tenant")) & (persona.set_id == page.c.set_id)
    columns = (page.c.framed, page.c.last, page.c.size, page.c.version, _follows(page, here))
    return Select((page,), columns)


def _shown_rows() -> Select:
    """Return the query of the rows of a page and the one behind it, of the version and its limit.

    The rows are found by the group, so that PostgreSQL reads them in order and no further.
    """
    project, group, persona = tables.Project, tables.PersonaGroup, tables.Persona
    fitting = _fitting(group.max_framed)
    rows = (
        persona.select(persona.framed, persona.position)
        .where(
            (persona.tenant_id == param("tenant"))
            & (persona.set_id == group.set_id)
            & (persona.position > param("after"))
        )
        .order_by(persona.position)
        .limit(Expression(fitting, OP.ADD, SQL("1")))
        .alias("rows")
    )
    this = (group.tenant_id == param("tenant")) & (group.id == param("group"))
    return (
        group.select(rows.c.framed, rows.c.position, group.version, fitting)
        .join(project, on=_visible(project) & (project.id == group.project_id))
        .join(rows, JOIN.LATERAL, on=SQL("TRUE"))
        .where(this & group.deleted_at.is_null())
    )


def _joined(rows: Any, here: Any) -> Select:
    """Return the query of a page in one row, and of whether anything follows."""
    page = page_in_one_row(rows).alias("found")
    return Select((page,), (page.c.framed, page.c.last, page.c.size, _follows(page, here)))


def _follows(page: Any, here: Any) -> Any:
    """Return whether anything follows a page in a set, `here`."""
    later = tables.Persona.position > page.c.last
    return fn.EXISTS(tables.Persona.select(SQL("1")).where(here & later))


class PersonaPages:
    """Every statement that lists the personas of a set, compiled once."""

    def __init__(self, database: Database) -> None:
        persona = tables.Persona
        here = (persona.tenant_id == param("tenant")) & (persona.set_id == param("set"))
        after = here & (persona.position > param("after"))
        places = (
            persona.select(persona.position).where(after & still_shown()).order_by(persona.position)
        )
        self.whole = WholePages(database, places, here)
        self.shown = ShownPages(database)
        # Looked at in the covering index; only the rows of the page are read for their text.
        framed = only_if(matches(persona), persona.framed).alias("framed")
        entries = places.select(persona.position, framed)
        self.filtered = FilteredPages(database, places, entries)
        hit = only_if(matches(persona), SQL("1")).alias("hit")
        self.counts = HitCounts(database, places, places.select(persona.position, hit))
        self._by_term(database)

    def _by_term(self, database: Database) -> None:
        """Compile what lists the personas that have `term`, in the order of that index."""
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
        others = has_all(term.position)
        framed = only_if(others, stored).alias("framed")
        self.by_term = FilteredPages(database, places, places.select(term.position, framed))
        # Rows of personas are read only where there is something to compare.
        matching = optional("filtered", fn.EXISTS(stored), INTEGER)
        hit = only_if(others & matching, SQL("1")).alias("hit")
        self.counts_by_term = HitCounts(database, places, places.select(term.position, hit))

    def read(self, after: bytes, limit: int, **where: Any) -> Page:
        """Return at most `limit` personas after a position."""
        return self.whole.read(after, limit, **where)

    def read_matching(
        self, after: bytes, limit: int, filters: Filters, terms: Sequence[bytes], **where: Any
    ) -> Page:
        """Return at most `limit` personas after a position, of those that match and have all terms.

        Those that have the first term are looked at, if there is one, and MOST_APART returned at
        most.
        """
        where |= parameters(filters)
        if not terms:
            return self.filtered.read(after, limit, **where)
        return self.by_term.read(after, min(limit, MOST_APART), **where, **_bound(terms))

    def count_matching(
        self, after: bytes, filters: Filters, terms: Sequence[bytes], **where: Any
    ) -> HitCount:
        """Count the personas after a position that match and have all terms, likewise."""
        where |= parameters(filters)
        if not terms:
            return self.counts.read(after, **where)
        filtered = None if filters == NO_FILTERS else 1
        return self.counts_by_term.read(after, filtered=filtered, **where, **_bound(terms))


def _bound(terms: Sequence[bytes]) -> dict[str, Any]:
    """Return what the first term, and the others, are bound to."""
    first, *others = terms
    return {"term": first, "terms": id_list(others) if others else None}


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
