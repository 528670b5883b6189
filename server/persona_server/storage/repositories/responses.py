"""Recorded answers of one tenant, and the simulations that they belong to: added, never changed."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from peewee import SQL, Case, Select, Value, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import as_bytes, id_list, one_of, page_in_one_row
from persona_server.storage.engine.statements import Statement, insert_statement, param
from persona_server.storage.repositories.pages import (
    EMPTY_PAGE,
    VISITED,
    FilteredPages,
    Page,
    matching,
    only_if,
)

FOREVER = b"\xff"  # after every position

Columns = Callable[[Any], Sequence[Any]]  # of a table's alias

# The last byte of every response on its way out: the value of its bool field persona_deleted.
SHOWN, DELETED = b"\0", b"\1"


class ResponseRow(NamedTuple):
    """A response to insert, in the order of the insert statement's parameters."""

    tenant: int
    id: bytes
    simulation_id: bytes
    project_id: bytes
    group_id: bytes
    persona_id: bytes
    position: bytes
    question_key: str
    length: int
    framed: bytes
    library_persona_id: bytes | None


class Range(NamedTuple):
    """Where a list begins and ends: positions, both left out, and the one question it is about."""

    after: bytes
    until: bytes = FOREVER
    question: str | None = None


class ResponseStatements:
    """Every statement on responses and simulations, compiled once."""

    def __init__(self, database: Database) -> None:
        self.of_simulation = PageStatements(database, "simulation_id")
        self.of_project = PageStatements(database, "project_id")
        self.of_persona = PageStatements(database, "persona_id")
        self.of_individual = IndividualStatements(database)
        simulation, response = tables.Simulation, tables.Response
        self.simulation = Statement(
            database,
            simulation.select(simulation.project_id).where(
                (simulation.tenant_id == param("tenant")) & (simulation.id == param("id"))
            ),
        )
        row: dict[Any, Any] = {
            simulation.tenant_id: param("tenant"),
            simulation.id: param("id"),
            simulation.project_id: param("project"),
            simulation.created_at: param("now"),
        }
        self.insert_simulation = Statement(database, simulation.insert(row))
        mine = response.tenant_id == param("tenant")
        self.known = Statement(
            database,
            response.select(response.id, as_bytes(whole(response))).where(
                mine & one_of(response.id)
            ),
        )
        self.persona = Statement(
            database,
            response.select(response.persona_id).where(mine & (response.id == param("id"))),
        )
        self.count = Statement(
            database,
            response.select(fn.count(SQL("*"))).where(
                mine & (response.persona_id == param("persona"))
            ),
        )
        self.insert = insert_statement(database, response, ResponseRow._fields)


def within(response: Any, scope: Any) -> Any:
    """Return the condition of a list: whose responses, and those of a Range."""
    return (
        (response.tenant_id == param("tenant"))
        & scope
        & (response.position > param("after"))
        & (response.position < param("until"))
    )


class PageStatements:
    """The pages of one list: the responses whose `column` is the parameter `scope`."""

    def __init__(self, database: Database, column: str) -> None:
        response = tables.Response
        scope = within(response, getattr(response, column) == param("scope"))

        def entries(columns: Columns) -> Any:
            return response.select(*columns(response)).where(scope).order_by(response.position)

        self._compile(database, entries)

    def _compile(self, database: Database, entries: Callable[[Columns], Any]) -> None:
        """Compile all statements. `entries` reads columns of the list, the position first."""
        limit, positions = param("limit"), entries(lambda one: (one.position,))
        self.longest = _longest(
            database, entries(lambda one: (one.position, one.length)).limit(limit)
        )
        page = entries(lambda one: (one.position, whole(one).alias("framed"))).limit(limit)
        self.page = Statement(database, page_in_one_row(page))
        self.more = Statement(database, positions.limit(limit))
        lengths = entries(lambda one: (one.position, _if_asked(one, one.length).alias("length")))
        self.longest_of_question = _longest(database, matching(lengths, "length"))
        framed = entries(lambda one: (one.position, _if_asked(one, whole(one)).alias("framed")))
        self.of_question = FilteredPages(database, positions, framed)


class IndividualStatements(PageStatements):
    """The pages of an individual: of its origin, the parameter `origin`, and of its reused copies.

    Both lists are in order by an index of their own, and merged as they are read.
    """

    def __init__(self, database: Database) -> None:  # no super: another list
        own, copies = tables.Response.alias("own_answer"), tables.Response.alias("copy_answer")
        of_origin = within(own, own.persona_id == param("origin"))
        of_copies = within(copies, copies.library_persona_id == param("scope"))

        def entries(columns: Columns) -> Any:
            origins = own.select(*columns(own)).where(of_origin)
            both = origins.union_all(copies.select(*columns(copies)).where(of_copies))
            return both.order_by(SQL("1"))  # the position, the first column of both

        self._compile(database, entries)


def _if_asked(response: Any, value: Any) -> Any:
    """Return a column that is the value where a response answers the one question wanted."""
    return only_if(response.question_key == param("question"), value)


def _longest(database: Database, page: Any) -> Statement:
    """Return the statement of the longest response of a page; NULL if it is empty."""
    lengths = page.alias("lengths")
    return Statement(database, Select((lengths,), (fn.max(lengths.c.length),)))


def whole(response: Any) -> Any:
    """Return the expression of a framed response with its last byte: persona_deleted as of now.

    A persona is shown if its group shows the set it is in; deleting a project marks its groups too.
    """
    persona, group = tables.Persona.alias("answerer"), tables.PersonaGroup.alias("shown")
    shown = fn.EXISTS(
        persona.select(SQL("1"))
        .join(group, on=(group.tenant_id == param("tenant")) & (group.set_id == persona.set_id))
        .where(
            (persona.tenant_id == param("tenant"))
            & (persona.id == response.persona_id)
            & (group.id == response.group_id)
            & group.deleted_at.is_null()
        )
    )
    flag = Case(None, [(shown, _constant(SHOWN))], _constant(DELETED))
    return response.framed.concat(flag)


def _constant(value: bytes) -> Value:
    return Value(value, converter=False)


class Pages:
    """One list of responses: of a simulation, a project, a persona or an individual."""

    def __init__(self, statements: PageStatements, tenant: int, **scope: bytes) -> None:
        self._do = statements
        self._where: dict[str, Any] = {"tenant": tenant, **scope}

    def longest(self, wanted: Range, limit: int) -> int:
        """Return the length of the longest of the next `limit` responses, 0 if there are none."""
        filtered = wanted.question is not None
        statement = self._do.longest_of_question if filtered else self._do.longest
        where = self._where | wanted._asdict()
        row = statement.first(limit=limit, window=VISITED, **where)
        assert row is not None
        return int(row[0] or 0)

    def page(self, wanted: Range, limit: int) -> Page:
        """Return at most `limit` responses of a range, oldest first."""
        where = self._where | wanted._asdict()
        if wanted.question is not None:
            return self._do.of_question.read(limit=limit, **where)
        row = self._do.page.first(limit=limit, **where)
        assert row is not None
        framed, last, count = row
        if not count:
            return EMPTY_PAGE
        following = where | {"after": last, "limit": 1}
        more = count == limit and self._do.more.first(**following) is not None
        return Page(framed, last, count, more)


class Responses:
    """The responses of one tenant."""

    def __init__(self, statements: ResponseStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def of_simulation(self, simulation: bytes) -> Pages:
        """Return the list of a simulation's responses."""
        return Pages(self._do.of_simulation, self._tenant, scope=simulation)

    def of_project(self, project: bytes) -> Pages:
        """Return the list of a project's responses."""
        return Pages(self._do.of_project, self._tenant, scope=project)

    def of_persona(self, persona: bytes) -> Pages:
        """Return the list of a persona's responses."""
        return Pages(self._do.of_persona, self._tenant, scope=persona)

    def of_library(self, library_persona: bytes, origin: bytes) -> Pages:
        """Return the list of an individual's responses: its origin's and its copies'."""
        return Pages(self._do.of_individual, self._tenant, scope=library_persona, origin=origin)

    def simulation(self, simulation: bytes) -> bytes | None:
        """Return the project that a simulation belongs to, None if nothing was recorded in it."""
        row = self._do.simulation.first(tenant=self._tenant, id=simulation)
        return None if row is None else bytes(row[0])

    def insert_simulation(self, simulation: bytes, project: bytes, now: int) -> None:
        """Bind a simulation that is new to its project."""
        self._do.insert_simulation.run(tenant=self._tenant, id=simulation, project=project, now=now)

    def known(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the framed responses with these ids; unknown ids are left out."""
        if not ids:
            return {}
        return dict(self._do.known.all(tenant=self._tenant, ids=id_list(ids)))

    def persona(self, response: bytes) -> bytes | None:
        """Return the id of the persona that gave a response, None if there is no such response."""
        row = self._do.persona.first(tenant=self._tenant, id=response)
        return None if row is None else bytes(row[0])

    def count(self, persona: bytes) -> int:
        """Return how many responses a persona has given."""
        row = self._do.count.first(tenant=self._tenant, persona=persona)
        assert row is not None
        return int(row[0])

    def insert(self, rows: Sequence[ResponseRow]) -> None:
        """Add responses whose ids are free, of personas and a simulation that are there."""
        self._do.insert.run_each(rows)
