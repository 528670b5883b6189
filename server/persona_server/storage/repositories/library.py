"""Library personas of one tenant: added by a promotion, counted, retired, never removed."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from peewee import SQL, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import BYTES, INTEGER, REAL, id_list, one_of, optional
from persona_server.storage.engine.statements import Statement, insert_statement, param
from persona_server.storage.repositories.filters import (
    KEY_COLUMNS,
    Filters,
    matches,
    parameters,
)

ORDERS = ("lower_bound", "project_count", "created_at")
CONTENT = ("id", "body", "project_count", "response_count", "retired_at")


class LibraryRow(NamedTuple):
    """A library persona to insert."""

    tenant: int
    id: bytes
    origin_project_id: bytes
    origin_persona_id: bytes
    age: int
    keys: tuple[str, ...]  # of KEY_COLUMNS
    lower_bound: float
    created_at: int
    body: bytes
    project_count: int
    response_count: int

    def values(self) -> tuple[Any, ...]:
        """Return the parameters of the insert statement."""
        return (*self[:5], *self.keys, *self[6:])


class LibraryEntry(NamedTuple):
    """A library persona as stored: `body` is its message without the three fields behind it."""

    id: bytes
    body: bytes
    project_count: int
    response_count: int
    retired_at: int | None  # microseconds since 1970


class ListKey(NamedTuple):
    """Where a library persona stands in an order."""

    value: float
    id: bytes


class Wanted(NamedTuple):
    """What a list asks for: its filters, folded, and its order."""

    filters: Filters
    min_reliability: float | None
    include_retired: bool
    order: str = "lower_bound"
    descending: bool = True


class LibraryStatements:
    """Every statement on library personas, compiled once."""

    def __init__(self, database: Database) -> None:
        library = tables.LibraryPersona
        mine = library.tenant_id == param("tenant")
        content = [getattr(library, name) for name in CONTENT]
        self.find = Statement(database, library.select(*content).where(mine & one_of(library.id)))
        self.origin = Statement(
            database,
            library.select(library.origin_persona_id).where(mine & (library.id == param("id"))),
        )
        self.keys = {
            (order, descending): _keys(database, order, descending=descending)
            for order in ORDERS
            for descending in (False, True)
        }
        self.candidates = _candidates(database)
        self.insert = insert_statement(
            database, library, (*LibraryRow._fields[:5], *KEY_COLUMNS, *LibraryRow._fields[6:])
        )
        self._changes(database)

    def _changes(self, database: Database) -> None:
        library = tables.LibraryPersona
        this = (library.tenant_id == param("tenant")) & (library.id == param("id"))
        self.retire = Statement(
            database,
            library.update({library.retired_at: param("now")}).where(
                this & library.retired_at.is_null()
            ),
        )
        self.count_project = Statement(
            database, library.update({library.project_count: library.project_count + 1}).where(this)
        )
        self.count_responses = Statement(
            database,
            library.update({library.response_count: library.response_count + param("count")}).where(
                this
            ),
        )


def _keys(database: Database, order: str, *, descending: bool) -> Statement:
    """Return the statement of the next places in an order. Equals are in order of their ids."""
    library = tables.LibraryPersona
    column = getattr(library, order)
    here, place = Tuple(column, library.id), Tuple(param("value"), param("after"))
    by = (column.desc(), library.id.desc()) if descending else (column, library.id)
    return Statement(
        database,
        library.select(column, library.id)
        .where(
            (library.tenant_id == param("tenant"))
            & (here < place if descending else here > place)
            & optional("min_reliability", library.lower_bound >= param("min_reliability"), REAL)
            & optional("only_active", library.retired_at.is_null(), INTEGER)
            & matches(library)
        )
        .order_by(*by)
        .limit(param("limit")),
    )


def _candidates(database: Database) -> Statement:
    """Return the statement of all that can be reused, as matching reads them.

    With `project` bound, without those that the project has used.
    """
    library, link = tables.LibraryPersona, tables.LibraryLink.alias("used")
    used = fn.EXISTS(
        link.select(SQL("1")).where(
            (link.tenant_id == param("tenant"))
            & (link.project_id == param("project"))
            & (link.library_persona_id == library.id)
        )
    )
    return Statement(
        database,
        library.select(
            library.id,
            library.age,
            library.gender_key,
            library.income_level_key,
            library.location_key,
            library.occupation_key,
        ).where(
            (library.tenant_id == param("tenant"))
            & library.retired_at.is_null()
            & optional("project", ~used, BYTES)
        ),
    )


class Library:
    """The library personas of one tenant."""

    def __init__(self, statements: LibraryStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def find(self, library_persona: bytes) -> LibraryEntry | None:
        """Return a library persona, retired or not."""
        return self.entries([library_persona]).get(library_persona)

    def entries(self, ids: Sequence[bytes]) -> dict[bytes, LibraryEntry]:
        """Return the library personas with these ids; unknown ids are left out."""
        rows = self._do.find.all(tenant=self._tenant, ids=id_list(ids)) if ids else []
        return {row[0]: LibraryEntry(*row) for row in rows}

    def origin(self, library_persona: bytes) -> bytes | None:
        """Return the id of the persona that was promoted, by which the individual is measured."""
        row = self._do.origin.first(tenant=self._tenant, id=library_persona)
        return None if row is None else bytes(row[0])

    def keys(self, wanted: Wanted, after: tuple[float, bytes], limit: int) -> list[ListKey]:
        """Return the next `limit` places after one, in the order wanted."""
        rows = self._do.keys[wanted.order, wanted.descending].all(
            tenant=self._tenant,
            value=after[0],
            after=after[1],
            limit=limit,
            min_reliability=wanted.min_reliability,
            only_active=None if wanted.include_retired else 1,
            **parameters(wanted.filters),
        )
        return [ListKey(*row) for row in rows]

    def candidates(self, not_in: bytes | None) -> list[tuple[Any, ...]]:
        """Return (id, age, gender, income, location, occupation) of all that can be reused.

        The texts are folded. Those that the project `not_in` has used are left out.
        """
        return self._do.candidates.all(tenant=self._tenant, project=not_in)

    def insert(self, row: LibraryRow) -> None:
        """Add a library persona whose id is free and whose origin is not in the library."""
        self._do.insert.run_each([row.values()])

    def retire(self, library_persona: bytes, now: int) -> bool:
        """Mark a library persona; return whether it was not retired before."""
        return self._do.retire.run(tenant=self._tenant, id=library_persona, now=now) == 1

    def count_project(self, library_persona: bytes) -> None:
        """Count a project that uses the individual for the first time."""
        self._do.count_project.run(tenant=self._tenant, id=library_persona)

    def count_responses(self, answered: Mapping[bytes, int]) -> None:
        """Count answers of individuals, by library persona."""
        for library_persona, count in answered.items():
            if count:
                self._do.count_responses.run(tenant=self._tenant, id=library_persona, count=count)
