"""Recorded answers of one tenant: added, never changed, but marked as void once."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from peewee import SQL, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import as_bytes, id_list, one_of
from persona_server.storage.engine.statements import Statement, insert_statement, param
from persona_server.storage.keys import split_position
from persona_server.storage.repositories.pages import START, only_if
from persona_server.storage.repositories.response_lists import (
    BY_TIME,
    ListStatements,
    Order,
    Pages,
    WantedResponses,
    is_counted,
    standing,
    whole,
)


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
    recorded: bytes


class Stored(NamedTuple):
    """A response as it is stored, without its last byte, and whether it stands, 0 or 1."""

    id: bytes
    project_id: bytes
    simulation_id: bytes
    persona_id: bytes
    position: bytes
    recorded: bytes
    framed: bytes
    stands: int


class Count(NamedTuple):
    """How many responses a persona has given.

    How many of these are void, and how many are among what is counted: those of a void simulation
    are until they have been taken out.
    """

    recorded: int
    void: int
    counted: int


class ResponseStatements:
    """Every statement on responses, compiled once."""

    def __init__(self, database: Database) -> None:
        self.lists = ListStatements(database)
        response = tables.Response
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
        void_ones, counted = (
            fn.count(only_if(those, SQL("1")))
            for those in (~standing(response), is_counted(response))
        )
        self.count = Statement(
            database,
            response.select(fn.count(SQL("*")), void_ones, counted).where(
                mine & (response.persona_id == param("persona"))
            ),
        )
        self.answered = Statement(
            database,
            response.select(SQL("1"))
            .where(mine & (response.persona_id == param("persona")))
            .limit(1),
        )
        columns = [getattr(response, name) for name in Stored._fields[:-1]]
        self.stored = Statement(
            database,
            response.select(*columns, standing(response)).where(mine & one_of(response.id)),
        )
        self.counted = counted_after(database)
        void = tables.ResponseVoid
        self.void = insert_statement(database, void, ("tenant", "response_id", "mark"))
        self.last_recorded = Statement(
            database,
            response.select(response.recorded)
            .where(mine & (response.recorded > param("after")))
            .order_by(response.recorded.desc())
            .limit(1),
        )
        self.insert = insert_statement(database, response, ResponseRow._fields)


def counted_after(database: Database) -> Statement:
    """Return the statement of the next responses of a simulation that are counted."""
    response = tables.Response
    columns = [getattr(response, name) for name in Stored._fields[:-1]]
    behind = (
        (response.tenant_id == param("tenant"))
        & (response.simulation_id == param("simulation"))
        & (response.position > param("after"))
    )
    return Statement(
        database,
        response.select(*columns, standing(response))
        .where(behind & is_counted(response))
        .order_by(response.position)
        .limit(param("limit")),
    )


class Responses:
    """The responses of one tenant."""

    def __init__(self, statements: ResponseStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def pages(self, wanted: WantedResponses, order: Order = BY_TIME) -> Pages:
        """Return the list of the responses that are wanted, by one filter at least."""
        return Pages(self._do.lists, self._tenant, wanted, order)

    def next_recorded_at(self, now: int) -> int:
        """Return when what is recorded now was recorded: now, and later than all that is there."""
        row = self._do.last_recorded.first(tenant=self._tenant, after=START)
        return now if row is None else max(now, split_position(row[0])[0] + 1)

    def known(self, ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the framed responses with these ids; unknown ids are left out."""
        if not ids:
            return {}
        return dict(self._do.known.all(tenant=self._tenant, ids=id_list(ids)))

    def persona(self, response: bytes) -> bytes | None:
        """Return the id of the persona that gave a response, None if there is no such response."""
        row = self._do.persona.first(tenant=self._tenant, id=response)
        return None if row is None else bytes(row[0])

    def stored(self, ids: Sequence[bytes]) -> dict[bytes, Stored]:
        """Return the responses with these ids as they are stored; unknown ids are left out."""
        rows = self._do.stored.all(tenant=self._tenant, ids=id_list(ids)) if ids else []
        return {row[0]: Stored(*row) for row in rows}

    def counted(self, simulation: bytes, after: bytes, limit: int) -> list[Stored]:
        """Return the next responses of a simulation that are counted, by when they occurred."""
        rows = self._do.counted.all(
            tenant=self._tenant, simulation=simulation, after=after, limit=limit
        )
        return [Stored(*row) for row in rows]

    def void(self, marks: Mapping[bytes, bytes]) -> None:
        """Mark responses that stand as void, each with what its message has from now on."""
        self._do.void.run_each([(self._tenant, *mark) for mark in marks.items()])

    def count(self, persona: bytes) -> Count:
        """Return how many responses a persona has given."""
        row = self._do.count.first(tenant=self._tenant, persona=persona)
        assert row is not None
        return Count(*row)

    def has_answered(self, persona: bytes) -> bool:
        """Return whether a persona has given any response, void or not."""
        return self._do.answered.first(tenant=self._tenant, persona=persona) is not None

    def insert(self, rows: Sequence[ResponseRow]) -> None:
        """Add responses whose ids are free, of personas and a simulation that are there.

        In the order of their ids, so that each page of the largest index is looked up once.
        """
        self._do.insert.run_each(sorted(rows, key=itemgetter(1)))
