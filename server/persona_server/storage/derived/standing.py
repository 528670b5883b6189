"""Answers that are counted still, where others are taken out: an individual's, the first, the last.

Responses have an index by the key of their question, and none by the question itself. So the first
answer to a question is looked for among the next few with its key. Where these are to other scales
or of other simulations, of which there may be a million, rows that are counted tell which it is.
"""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from peewee import JOIN, SQL, fn

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import RecordResponsesResponse
from persona_server.measures.answers import Kind, Question
from persona_server.storage import tables
from persona_server.storage.derived.answers import question_of
from persona_server.storage.derived.participation import scope_of_project
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import (
    BYTES,
    greatest_bytes,
    least_bytes,
    one_of,
    optional,
    unindexed,
)
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.repositories.pages import START, matching, only_if
from persona_server.storage.repositories.response_lists import FOREVER, SHOWN, is_counted

NEAR = 100  # answers with the key of a question that are looked at for one to it
READ = 10  # of these, at most, that are counted in the simulation: of 1,000 questions in a call
CHUNK = 1000  # responses in memory at a time; each is of at most 64 KiB


class Span(NamedTuple):
    """When a question was first and last answered, as positions."""

    first: bytes
    last: bytes


class Left(NamedTuple):
    """An answer that an individual has left. `order` is (recorded_at, occurred_at, id)."""

    question: Question
    simulation: bytes
    project: bytes
    order: bytes


class Found(NamedTuple):
    """An answer that was looked for, and its position."""

    position: bytes
    response: Response


class StandingStatements:
    """Every statement on answers that are counted still, compiled once."""

    def __init__(self, database: Database) -> None:
        self._of_individual(database)
        self._near(database)
        self._counted(database)

    def _of_individual(self, database: Database) -> None:
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
        given = (response.simulation_id, response.project_id, response.position, response.recorded)
        # By whom they are: there are fewer than to the question.
        named = one_of(unindexed(response.question_key), "keys")
        theirs = (response.tenant_id == param("tenant")) & (response.persona_id == param("persona"))
        self.answers = Statement(
            database,
            response.select(*given, response.framed)
            .where(theirs & (response.position > param("after")) & named & is_counted(response))
            .order_by(response.position)
            .limit(param("limit")),
        )

    def _near(self, database: Database) -> None:
        response = tables.Response
        place = response.position
        here = optional("simulation", response.simulation_id == param("simulation"), BYTES)
        wanted = here & is_counted(response)  # most of others are told by the first
        within = response.select(
            place.alias("position"), only_if(wanted, response.framed).alias("framed")
        ).where(
            (response.tenant_id == param("tenant"))
            & (response.question_key == param("key"))
            & (place > param("after"))
            & (place < param("before"))
        )
        self.next = Statement(database, matching(within.order_by(place), "framed"))
        self.previous = Statement(
            database, matching(within.order_by(place.desc()), "framed", descending=True)
        )
        mine = response.tenant_id == param("tenant")
        self.framed = Statement(
            database, response.select(response.framed).where(mine & (response.id == param("id")))
        )

    def _counted(self, database: Database) -> None:
        project, asked = tables.Project, tables.Asked
        answered, series = tables.Answered, tables.Series
        self.first_in_projects = Statement(
            database,
            project.select(least_bytes(asked.first))
            .join(asked, JOIN.CROSS)
            .where(
                (project.tenant_id == param("tenant"))
                & (project.id > param("after"))
                & (asked.tenant_id == param("tenant"))
                & (asked.scope == scope_of_project(project.id))
                & (asked.question_id == param("question"))
            ),
        )
        these = (
            (answered.tenant_id == param("tenant"))
            & (answered.scope == param("simulation"))
            & (answered.question_id == param("question"))
        )
        position = fn.SUBSTR(answered.earliest, SQL("9"))
        self.span = Statement(
            database, answered.select(least_bytes(position), greatest_bytes(position)).where(these)
        )
        self.individuals = Statement(database, answered.select(answered.individual_id).where(these))
        self.repeating = Statement(
            database,
            answered.select(answered.individual_id)
            .join(series, JOIN.CROSS)
            .where(
                these
                & (series.tenant_id == param("tenant"))
                & (series.individual_id == answered.individual_id)
                & (series.question_id == param("question"))
                & (series.repeats == SQL("1"))
            ),
        )


class Standing:
    """The answers of one tenant that are counted still."""

    def __init__(self, statements: StandingStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def left(self, individual: bytes, questions: Collection[Question]) -> Iterator[Left]:
        """Yield an individual's answers to some questions, its own and those of its copies."""
        copies = self._do.personas.all(tenant=self._tenant, individual=individual)
        keys = list({question.key for question in questions})
        for persona in {individual, *(copy for (copy,) in copies)}:
            for simulation, project, position, recorded, framed in self._answers(persona, keys):
                question = question_of(_response(framed))
                if question in questions:
                    yield Left(question, simulation, project, recorded[:8] + position)

    def _answers(self, persona: bytes, keys: list[str]) -> Iterator[tuple[Any, ...]]:
        """Yield a persona's answers to questions with these keys."""
        after = START
        while True:
            where = {"persona": persona, "keys": keys, "after": after}
            rows = self._do.answers.all(tenant=self._tenant, limit=CHUNK, **where)
            yield from rows
            if len(rows) < CHUNK:
                return
            after = rows[-1][2]

    def first(self, question: Question, key: int, after: bytes) -> Found | None:
        """Return the first answer to a question with this id; None if there is none.

        It is behind a position, and counted in its project.
        """
        if found := self._near(self._do.next, question, after, FOREVER, None):
            return found
        row = self._do.first_in_projects.first(tenant=self._tenant, question=key, after=START)
        if row is None or row[0] is None:
            return None
        (position,) = row
        stored = self._do.framed.first(tenant=self._tenant, id=position[8:])
        assert stored is not None  # it is counted
        return Found(position, _response(stored[0]))

    def next(self, question: Question, simulation: bytes, position: bytes) -> bytes | None:
        """Return the first answer to a question in a simulation behind a position.

        None if there is none among those that are near.
        """
        found = self._near(self._do.next, question, position, FOREVER, simulation)
        return found and found.position

    def previous(self, question: Question, simulation: bytes, position: bytes) -> bytes | None:
        """Return the last one before a position, or None as above."""
        found = self._near(self._do.previous, question, START, position, simulation)
        return found and found.position

    def _near(
        self,
        statement: Statement,
        question: Question,
        after: bytes,
        before: bytes,
        simulation: bytes | None,
    ) -> Found | None:
        """Return the nearest answer to a question between two positions.

        None if it is none of those that are looked at.
        """
        rows = statement.all(
            tenant=self._tenant,
            key=question.key,
            simulation=simulation,
            after=after,
            before=before,
            window=NEAR,
            limit=READ,
        )
        for framed, position in rows:
            if question_of(response := _response(framed)) == question:
                return Found(position, response)
        return None

    def span(self, question: Question, key: int, simulation: bytes, *, repeated: bool) -> Span:
        """Return when a question with this id was first and last answered in a simulation.

        By who answered it, however many other answers there are; `repeated` is whether anybody did
        so more than once.
        """
        where = {"tenant": self._tenant, "simulation": simulation, "question": key}
        span = self._do.span.first(**where)
        assert span is not None  # somebody did
        positions = list(span)
        if repeated:
            # Series have all answers but texts without themes.
            texts = question.kind is Kind.THEMES
            statement = self._do.individuals if texts else self._do.repeating
            for (individual,) in statement.all(**where):
                answers = self.left(individual, {question})
                positions += [one.order[8:] for one in answers if one.simulation == simulation]
        return Span(min(positions), max(positions))


def _response(framed: bytes) -> Response:
    """Return a response as it is stored."""
    (response,) = RecordResponsesResponse.FromString(framed + SHOWN).responses
    return response
