"""Library personas of one tenant: added by a promotion, counted, retired, never removed."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from peewee import SQL, Select, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import BYTES, INTEGER, id_list, one_of, optional
from persona_server.storage.engine.statements import Statement, insert_statement, param
from persona_server.storage.repositories.filters import (
    KEY_COLUMNS,
    Filters,
    matches,
    parameters,
)
from persona_server.storage.repositories.pages import MOST_VISITED, only_if
from persona_server.storage.repositories.personas import Ancestry
from persona_server.storage.repositories.terms import library_has_all

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


_LEAST, _GREATEST = -(2**63), 2**63 - 1  # of integers, in place of what is infinite
TOP, BOTTOM = ListKey(math.inf, b"\xff" * 16), ListKey(-math.inf, b"\0" * 16)


class Part(NamedTuple):
    """A part of the library in its order of reliability: below `start`, down to `end` itself."""

    start: ListKey
    end: ListKey


class ListKeys(NamedTuple):
    """Places that match, and where looking for more stopped: None at the end, or if there is more.

    There may be more if as many were found as were asked for.
    """

    found: list[ListKey]
    stopped: ListKey | None


class WantedPersonas(NamedTuple):
    """What a list asks for: its filters, folded, and its order."""

    filters: Filters
    lower_bound_min: float | None
    include_retired: bool
    order: str = "lower_bound"
    descending: bool = True
    terms: Sequence[bytes] = ()


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
            (order, descending): OrderStatements(database, order, descending=descending)
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


class OrderStatements:
    """The places of a list in one order. Equals are in order of their ids."""

    def __init__(self, database: Database, order: str, *, descending: bool) -> None:
        library = tables.LibraryPersona
        column = getattr(library, order)
        here, place = Tuple(column, library.id), Tuple(param("value"), param("after"))
        within = (library.tenant_id == param("tenant")) & (
            here < place if descending else here > place
        )
        reliable = library.lower_bound >= param("lower_bound_min")
        wanted = optional("only_active", library.retired_at.is_null(), INTEGER) & matches(library)
        wanted &= library_has_all(library.id)
        if order == "lower_bound":  # its index ends there by itself
            within &= reliable
        else:
            wanted &= reliable
        by = (column.desc(), library.id.desc()) if descending else (column, library.id)
        places = library.select(column, library.id).where(within).order_by(*by)
        hit = only_if(wanted, SQL("1")).alias("hit")
        visited = places.select(column.alias("value"), library.id, hit)
        visited = visited.limit(param("window")).alias("visited")
        ordered = [getattr(visited.c, name) for name in ("value", "id")]
        self.matching = Statement(
            database,
            Select((visited,), ordered)
            .where(visited.c.hit.is_null(False))
            .order_by(*[each.desc() if descending else each for each in ordered])
            .limit(param("limit")),
        )
        self.beyond = Statement(database, places.limit(1).offset(param("skip")))


def _candidates(database: Database) -> Statement:
    """Return the statement of all in a part that can be reused, as matching reads them.

    With `project` bound, without those that the project has used.
    """
    library, link = tables.LibraryPersona, tables.LibraryLink.alias("used")
    place = Tuple(library.lower_bound, library.id)
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
            & (place < Tuple(param("start"), param("start_id")))
            & (place >= Tuple(param("end"), param("end_id")))
            & library.retired_at.is_null()
            & optional("project", ~used, BYTES)
        ),
    )


def _place_in(order: str, value: float) -> float:
    """Return a place in an order as a value of its column: only bounds are numbers of reals."""
    return value if order == "lower_bound" else int(max(_LEAST, min(value, _GREATEST)))


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

    def keys(self, wanted: WantedPersonas, after: tuple[float, bytes], limit: int) -> ListKeys:
        """Return the next `limit` places after one, of those that match, in the order wanted.

        No more than MOST_VISITED are looked at. `self` must be of one snapshot.
        """
        least = -math.inf if wanted.lower_bound_min is None else wanted.lower_bound_min
        if wanted.order == "lower_bound" and not wanted.descending:
            after = max(after, (least, b""))  # nobody before is to be looked at
        where = {
            "tenant": self._tenant,
            "value": _place_in(wanted.order, after[0]),
            "after": after[1],
            "lower_bound_min": least,
            "only_active": None if wanted.include_retired else 1,
            "terms": id_list(wanted.terms) if wanted.terms else None,
            **parameters(wanted.filters),
        }
        statements = self._do.keys[wanted.order, wanted.descending]
        rows = statements.matching.all(limit=limit, window=MOST_VISITED, **where)
        found = [ListKey(*row) for row in rows]
        if len(found) == limit:
            return ListKeys(found, None)
        last = statements.beyond.first(skip=MOST_VISITED - 1, **where)
        return ListKeys(found, ListKey(*last) if last else None)

    def part(self, start: ListKey) -> Part:
        """Return the part of the next MOST_VISITED library personas below a place."""
        last = self._do.keys["lower_bound", True].beyond.first(
            tenant=self._tenant,
            value=start.value,
            after=start.id,
            lower_bound_min=-math.inf,
            skip=MOST_VISITED - 1,
        )
        return Part(start, ListKey(*last) if last else BOTTOM)

    def candidates(self, not_in: bytes | None, part: Part) -> list[tuple[Any, ...]]:
        """Return (id, age, gender, income, location, occupation) of all that can be reused.

        The texts are folded. Those that the project `not_in` has used are left out.
        """
        return self._do.candidates.all(
            tenant=self._tenant,
            project=not_in,
            start=part.start.value,
            start_id=part.start.id,
            end=part.end.value,
            end_id=part.end.id,
        )

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

    def uncount_responses(
        self, personas: Iterable[bytes], ancestry: Mapping[bytes, Ancestry]
    ) -> None:
        """Count answers no more, each by the persona that gave it, with the parents of these."""
        known = [ancestry[one] for one in personas if one in ancestry]
        named = [of.library_persona_id for of in known if of.library_persona_id is not None]
        self.count_responses({one: -n for one, n in Counter(named).items()})
