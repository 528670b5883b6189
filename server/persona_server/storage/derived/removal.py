"""Who answered what, once answers are taken out: as if they had never come.

An individual's earliest answer to a question is found among those that stand, and so is when a
question was first and last answered in a simulation. All else follows from rows that are counted:
those of a project from its simulations', and those of all questions from the questions'.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from peewee import JOIN

from persona_server.measures.answers import Question
from persona_server.storage import tables
from persona_server.storage.derived.answers import NewAnswer
from persona_server.storage.derived.participation import (
    ALL_QUESTIONS,
    ParticipationStatements,
    Place,
    project_scope,
)
from persona_server.storage.derived.standing import Span, Standing
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import greatest_bytes, id_list, least_bytes
from persona_server.storage.engine.statements import Statement, param, upsert_statement


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
        standing: Standing,
        tenant: int,
        place: Place,
    ) -> None:
        self._do = statements
        self._participation = participation
        self._standing = standing
        self._tenant = tenant
        self._place = place

    def run(self, rows: Sequence[NewAnswer], ids: Mapping[Question, int]) -> None:
        """Take answers out that were counted under these ids, and stand no more."""
        grouped: defaultdict[Question, list[NewAnswer]] = defaultdict(list)
        for row in rows:
            grouped[row.question].append(row)
        left = self._left(rows)
        for scope in self._place.scopes:
            for question, gone in grouped.items():
                key = ids[question]
                known = {
                    row.individual: left.get((scope, question, row.individual)) for row in gone
                }
                number = self._forget(scope, key, gone, known.get)
                self._count(scope, key, gone, number, question)
            number = self._forget(scope, ALL_QUESTIONS, rows, partial(self._of_all, scope))
            self._count(scope, ALL_QUESTIONS, rows, number, None)

    def _left(self, rows: Iterable[NewAnswer]) -> dict[tuple[bytes, Question, bytes], bytes]:
        """Return the earliest answers that are left, by scope, question and individual.

        Each individual is read once, whatever the number of questions.
        """
        asked: defaultdict[bytes, set[Question]] = defaultdict(set)
        for row in rows:
            asked[row.individual].add(row.question)
        left: dict[tuple[bytes, Question, bytes], bytes] = {}
        for individual, questions in asked.items():
            for question, simulation, project, order in self._standing.left(individual, questions):
                for scope in {simulation, project_scope(project)}.intersection(self._place.scopes):
                    one = (scope, question, individual)
                    left[one] = min(order, left.get(one, order))
        return left

    def _of_all(self, scope: bytes, individual: bytes) -> bytes | None:
        """Return the earliest answer that an individual has left to any question of a scope."""
        where = {"tenant": self._tenant, "scope": scope, "individual": individual}
        row = self._do.earliest_of_all.first(after=ALL_QUESTIONS, **where)
        return None if row is None else row[0]

    def _forget(
        self,
        scope: bytes,
        key: int,
        gone: Collection[NewAnswer],
        left: Callable[[bytes], bytes | None],
    ) -> int:
        """Keep the earliest answers that are left; return how many individuals have none.

        What is `left` is asked of those alone whose earliest is gone.
        """
        where = {"tenant": self._tenant, "scope": scope, "question": key}
        ids = id_list({row.individual for row in gone})
        orders = {row.order for row in gone}
        rows = self._participation.earliest.all(ids=ids, **where)
        changed = {one: left(one) for one, order in rows if order in orders}
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
        left, whose = number - len(gone), by - individuals
        if not left:
            self._do.drop_asked.run(**where)
            return
        span, positions = Span(first, last), {row.order[8:] for row in gone}
        if not positions.isdisjoint(span):
            repeated = left > whose
            span = self._span(scope, key, question, span, positions, repeated=repeated)
        self._do.put_asked.run_each([(self._tenant, scope, key, left, whose, *span)])

    def _span(
        self,
        scope: bytes,
        key: int,
        question: Question | None,
        old: Span,
        gone: Collection[bytes],
        *,
        repeated: bool,
    ) -> Span:
        """Return when a question was first and last answered, by what is left.

        `repeated` is whether any individual has answered it more than once.
        """
        if question is None:
            row = self._do.span_of_all.first(tenant=self._tenant, scope=scope, after=ALL_QUESTIONS)
        elif scope == self._place.simulation:
            near, here = self._standing, (question, scope)
            first = near.next(*here, old.first) if old.first in gone else old.first
            last = near.previous(*here, old.last) if old.last in gone else old.last
            if first is not None and last is not None:
                return Span(first, last)
            return near.span(question, key, scope, repeated=repeated)
        else:
            place = {"project": self._place.project, "question": key}
            row = self._do.span_in_project.first(tenant=self._tenant, **place)
        assert row is not None  # others are counted still
        return Span(*row)
