"""Who answered what, once answers are taken out: as if they had never come.

An individual's earliest answer to a question is found among those that stand, and so is when a
question was first and last answered in a simulation. All else follows from rows that are counted:
those of a project from its simulations', and those of all questions from the questions'.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from peewee import JOIN

from persona.v1.response_service_pb2 import RecordResponsesResponse
from persona_server.measures.answers import Question
from persona_server.storage import tables
from persona_server.storage.derived.answers import NewAnswer, question_of
from persona_server.storage.derived.participation import (
    ALL_QUESTIONS,
    ParticipationStatements,
    Place,
)
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import (
    greatest_bytes,
    id_list,
    least_bytes,
    one_of,
    unindexed,
)
from persona_server.storage.engine.statements import Statement, param, upsert_statement
from persona_server.storage.repositories.pages import START
from persona_server.storage.repositories.response_lists import FOREVER, SHOWN, is_counted


class Span(NamedTuple):
    """When a question was first and last answered, as positions."""

    first: bytes
    last: bytes


class RemovalStatements:
    """Every statement on what is left, compiled once."""

    def __init__(self, database: Database) -> None:
        asked, answered = tables.Asked, tables.Answered
        row = _row(asked)
        counted = ("response_count", "individual_count", "first", "last")
        columns = [getattr(asked, name) for name in counted]
        self.asked = Statement(database, asked.select(*columns).where(row))
        self.put_asked = upsert_statement(database, asked, *counted)
        self.drop_asked = Statement(database, asked.delete().where(row))
        individual = answered.individual_id == param("individual")
        self.drop_answered = Statement(
            database, answered.delete().where(_row(answered) & individual)
        )
        self._spans(database)
        self._responses(database)

    def _spans(self, database: Database) -> None:
        asked, answered, simulation = tables.Asked, tables.Answered, tables.Simulation
        span = (least_bytes(asked.first), greatest_bytes(asked.last))
        of_scope = (asked.tenant_id == param("tenant")) & (asked.scope == param("scope"))
        each = asked.question_id > param("after")
        self.span_of_all = Statement(database, asked.select(*span).where(of_scope & each))
        self.span_in_project = Statement(
            database,
            simulation.select(*span)
            .join(asked, JOIN.CROSS)
            .where(
                (simulation.tenant_id == param("tenant"))
                & (simulation.project_id == param("project"))
                & (asked.tenant_id == param("tenant"))
                & (asked.scope == simulation.id)
                & (asked.question_id == param("question"))
            ),
        )
        self.earliest_of_all = Statement(
            database,
            asked.select(least_bytes(answered.earliest))
            .join(answered, JOIN.CROSS)
            .where(
                of_scope
                & each
                & (answered.tenant_id == param("tenant"))
                & (answered.scope == param("scope"))
                & (answered.question_id == asked.question_id)
                & (answered.individual_id == param("individual"))
            ),
        )

    def _responses(self, database: Database) -> None:
        response, link = tables.Response, tables.LibraryLink
        own, others = link.alias("own"), link.alias("others")
        self.personas = Statement(
            database,
            own.select(others.persona_id)
            .join(others, JOIN.CROSS)
            .where(
                (own.tenant_id == param("tenant"))
                & (own.persona_id == param("individual"))
                & (others.tenant_id == param("tenant"))
                & (others.library_persona_id == own.library_persona_id)
            ),
        )
        to_question = (response.tenant_id == param("tenant")) & (
            response.question_key == param("key")
        )
        given = (response.simulation_id, response.project_id, response.position, response.recorded)
        # By whom they are: there are fewer than to the question.
        named = unindexed(response.question_key) == param("key")
        theirs = (response.tenant_id == param("tenant")) & one_of(response.persona_id)
        self.answers = Statement(
            database,
            response.select(*given, response.framed).where(theirs & named & is_counted(response)),
        )
        place = response.position
        here = to_question & (response.simulation_id == param("simulation")) & is_counted(response)
        within = response.select(place, response.framed).where(
            here & (place > param("after")) & (place < param("before"))
        )
        self.next = Statement(database, within.order_by(place).limit(1))
        self.previous = Statement(database, within.order_by(place.desc()).limit(1))


def _row(model: Any) -> Any:
    """Return the condition of the rows of a scope and question."""
    scope = (model.tenant_id == param("tenant")) & (model.scope == param("scope"))
    return scope & (model.question_id == param("question"))


class Removal:
    """Takes answers of one simulation out of what is counted, of one tenant."""

    def __init__(
        self,
        statements: RemovalStatements,
        participation: ParticipationStatements,
        tenant: int,
        place: Place,
    ) -> None:
        self._do = statements
        self._participation = participation
        self._tenant = tenant
        self._place = place

    def run(self, rows: Sequence[NewAnswer], ids: Mapping[Question, int]) -> None:
        """Take answers out that were counted under these ids, and stand no more."""
        grouped: defaultdict[Question, list[NewAnswer]] = defaultdict(list)
        for row in rows:
            grouped[row.question].append(row)
        for question, gone in grouped.items():
            key = ids[question]
            left = self._left(question, {row.individual for row in gone})
            for scope in self._place.scopes:
                known = {one: orders.get(scope) for one, orders in left.items()}
                number = self._forget(scope, key, gone, known)
                self._count(scope, key, gone, number, question)
        for scope in self._place.scopes:
            number = self._forget(scope, ALL_QUESTIONS, rows, self._of_all(scope, rows))
            self._count(scope, ALL_QUESTIONS, rows, number, None)

    def _left(
        self, question: Question, individuals: Iterable[bytes]
    ) -> dict[bytes, dict[bytes, bytes]]:
        """Return the earliest answers that individuals have left to a question, by scope."""
        simulation, project = self._place.scopes
        left: dict[bytes, dict[bytes, bytes]] = {}
        for individual in individuals:
            orders: dict[bytes, bytes] = {}
            for of, within, order in self._standing(question, individual):
                if of == self._place.simulation:
                    orders[simulation] = min(order, orders.get(simulation, order))
                if within == self._place.project:
                    orders[project] = min(order, orders.get(project, order))
            left[individual] = orders
        return left

    def _standing(
        self, question: Question, individual: bytes
    ) -> Iterable[tuple[bytes, bytes, bytes]]:
        """Yield an individual's answers that stand: simulation, project, and order."""
        personas = self._do.personas.all(tenant=self._tenant, individual=individual)
        ids = id_list(list({individual, *(persona for (persona,) in personas)}))
        rows = self._do.answers.all(tenant=self._tenant, key=question.key, ids=ids)
        for simulation, project, position, recorded, framed in rows:
            if _answers(framed, question):
                yield simulation, project, recorded[:8] + position

    def _of_all(self, scope: bytes, rows: Iterable[NewAnswer]) -> dict[bytes, bytes | None]:
        """Return the earliest answers that individuals have left to any question of a scope."""
        found: dict[bytes, bytes | None] = {}
        for individual in {row.individual for row in rows}:
            where = {"tenant": self._tenant, "scope": scope, "individual": individual}
            row = self._do.earliest_of_all.first(after=ALL_QUESTIONS, **where)
            found[individual] = None if row is None else row[0]
        return found

    def _forget(
        self,
        scope: bytes,
        key: int,
        gone: Collection[NewAnswer],
        left: Mapping[bytes, bytes | None],
    ) -> int:
        """Keep the earliest answers that are left; return how many individuals have none."""
        where = {"tenant": self._tenant, "scope": scope, "question": key}
        rows = self._participation.earliest.all(ids=id_list(list(left)), **where)
        orders = {row.order for row in gone}
        changed = {one: left[one] for one, order in rows if order in orders}
        kept = [(self._tenant, scope, key, one, order) for one, order in changed.items() if order]
        self._participation.put_answered.run_each(kept)
        for one, order in changed.items():
            if order is None:
                self._do.drop_answered.run(individual=one, **where)
        return len(changed) - len(kept)

    def _count(
        self,
        scope: bytes,
        key: int,
        gone: Collection[NewAnswer],
        individuals: int,
        question: Question | None,
    ) -> None:
        """Count fewer answers, by fewer individuals, to a question or to all of them."""
        where = {"tenant": self._tenant, "scope": scope, "question": key}
        row = self._do.asked.first(**where)
        assert row is not None  # they were counted
        number, by, first, last = row
        if number == len(gone):
            self._do.drop_asked.run(**where)
            return
        span, positions = Span(first, last), {row.order[8:] for row in gone}
        if not positions.isdisjoint(span):
            span = self._span(scope, key, question, span, positions)
        self._do.put_asked.run_each(
            [(self._tenant, scope, key, number - len(gone), by - individuals, *span)]
        )

    def _span(
        self,
        scope: bytes,
        key: int,
        question: Question | None,
        old: Span,
        gone: Collection[bytes],
    ) -> Span:
        """Return when a question was first and last answered, by what is left."""
        if question is None:
            row = self._do.span_of_all.first(tenant=self._tenant, scope=scope, after=ALL_QUESTIONS)
        elif scope == self._place.simulation:
            first = self._next(question, old.first) if old.first in gone else old.first
            return Span(first, self._previous(question, old.last) if old.last in gone else old.last)
        else:
            place = {"project": self._place.project, "question": key}
            row = self._do.span_in_project.first(tenant=self._tenant, **place)
        assert row is not None  # others are counted still
        return Span(*row)

    def _next(self, question: Question, position: bytes) -> bytes:
        """Return the first answer to a question in the simulation behind a position."""
        while True:
            position, framed = self._nearest(self._do.next, question, position, FOREVER)
            if _answers(framed, question):
                return position

    def _previous(self, question: Question, position: bytes) -> bytes:
        """Return the last answer to a question in the simulation before a position."""
        while True:
            position, framed = self._nearest(self._do.previous, question, START, position)
            if _answers(framed, question):
                return position

    def _nearest(
        self, statement: Statement, question: Question, after: bytes, before: bytes
    ) -> tuple[bytes, bytes]:
        """Return the next answer to a question of this key, with its position."""
        place = {"tenant": self._tenant, "simulation": self._place.simulation}
        row = statement.first(key=question.key, after=after, before=before, **place)
        assert row is not None  # others are counted still
        return row[0], row[1]


def _answers(framed: bytes, question: Question) -> bool:
    """Return whether a stored response answers this question, and not another of its key."""
    (response,) = RecordResponsesResponse.FromString(framed + SHOWN).responses
    return question_of(response) == question
