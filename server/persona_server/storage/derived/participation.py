"""Who answered which question, and how often it was answered, in a simulation and in a project.

An individual counts once for each question, and once for all of them together, whatever it is asked
again. Of its answers to a question the earliest is kept by when it was recorded, then by when it
occurred: so the tables are the same in whatever order the answers came.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from peewee import EXCLUDED, JOIN, Value

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import (
    as_bytes,
    greater,
    id_list,
    integer_list,
    lesser,
    one_of,
)
from persona_server.storage.engine.statements import (
    Statement,
    column_params,
    emptied,
    param,
    upsert_statement,
)

ALL_QUESTIONS = 0  # in place of a question's id
_LATEST = b"\xff"  # behind every order
_PROJECT = b"p"  # before the id of a project


class Place(NamedTuple):
    """Where answers were given: a simulation, and the project that it is of."""

    project: bytes
    simulation: bytes

    @property
    def scopes(self) -> tuple[bytes, bytes]:
        """What is counted: the simulation, and the whole project."""
        return self.simulation, project_scope(self.project)


class Given(NamedTuple):
    """An answer that was recorded: its question's id, by whom, and where it stands.

    `order` is (recorded_at, occurred_at, id), by which the earliest of several answers is chosen.
    """

    question: int
    individual: bytes
    order: bytes


class Group(NamedTuple):
    """The new answers to one question by their places, and those that are their individual's first.

    `first` and `last` are positions, (occurred_at, id).
    """

    question: int
    places: Sequence[int]
    earliest: Mapping[bytes, bytes]
    first: bytes
    last: bytes


def project_scope(project: bytes) -> bytes:
    """Return the scope of a project, which no client's simulation can have."""
    return _PROJECT + project


def scope_of_project(project: Any) -> Any:
    """Return the expression of a project's scope, given that of its id."""
    return as_bytes(Value(_PROJECT, converter=False).concat(project))


class ParticipationStatements:
    """Every statement on who answered what, compiled once."""

    def __init__(self, database: Database) -> None:
        asked: Any = tables.Asked
        answered = tables.Answered
        self.earliest = Statement(
            database,
            answered.select(answered.individual_id, answered.earliest).where(
                (answered.tenant_id == param("tenant"))
                & (answered.scope == param("scope"))
                & (answered.question_id == param("question"))
                & one_of(answered.individual_id)
            ),
        )
        self.of_individual = Statement(
            database,
            answered.select(answered.question_id, answered.earliest).where(
                (answered.tenant_id == param("tenant"))
                & (answered.scope == param("scope"))
                & one_of(answered.question_id)
                & (answered.individual_id == param("individual"))
            ),
        )
        self.put_answered = upsert_statement(database, answered, "earliest")
        self.add_asked = Statement(
            database,
            asked.insert(column_params(asked)).on_conflict(
                conflict_target=list(asked._meta.get_primary_keys()),
                update={
                    asked.response_count: asked.response_count + EXCLUDED.response_count,
                    asked.individual_count: asked.individual_count + EXCLUDED.individual_count,
                    asked.first: lesser(asked.first, EXCLUDED.first),
                    asked.last: greater(asked.last, EXCLUDED.last),
                },
            ),
        )
        self.page = _page(database)
        self.clear_asked = emptied(database, asked.scope)
        self.clear_answered = emptied(database, answered.scope)


def _page(database: Database) -> Statement:
    """Return the statement of the questions of a scope, as they were first asked."""
    asked, question = tables.Asked, tables.Question
    counted = (asked.response_count, asked.individual_count, asked.first, asked.last)
    return Statement(
        database,
        asked.select(asked.question_id, question.key, question.scale, *counted)
        .join(question, JOIN.CROSS)
        .where(
            (asked.tenant_id == param("tenant"))
            & (asked.scope == param("scope"))
            & (asked.question_id > param("after"))
            & (question.tenant_id == param("tenant"))
            & (question.id == asked.question_id)
        )
        .order_by(asked.question_id)
        .limit(param("limit")),
    )


class Participation:
    """Who answered what, of one tenant."""

    def __init__(self, statements: ParticipationStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def add(self, place: Place, given: Sequence[Given]) -> dict[int, bytes]:
        """Count answers that were just recorded in one simulation.

        Return which of them, by their places, are not their individual's first to the question in
        the simulation, each with the response that is.
        """
        groups = _groups(given)
        repeated: dict[int, bytes] = {}
        for scope in place.scopes:
            counts, answered = [], []
            found = self._known(scope, groups)
            for question, places, earliest, first, last in groups:
                known = found[question]
                answered += [
                    (self._tenant, scope, question, one, order)
                    for one, order in earliest.items()
                    if order < known.get(one, _LATEST)
                ]
                row = (len(places), len(earliest) - len(known), first, last)
                counts.append((self._tenant, scope, question, *row))
                if scope == place.simulation and question != ALL_QUESTIONS:
                    repeated.update(_repeated(given, places, earliest, known))
            self._do.put_answered.run_each(answered)
            self._do.add_asked.run_each(counts)
        return repeated

    def _known(self, scope: bytes, groups: Sequence[Group]) -> dict[int, dict[bytes, bytes]]:
        """Return where the earliest answers stood before, by question and individual.

        With as few queries as there are questions or, if they are fewer, individuals.
        """
        wanted: defaultdict[bytes, list[int]] = defaultdict(list)
        for group in groups:
            for one in group.earliest:
                wanted[one].append(group.question)
        if len(groups) <= len(wanted):
            return {g.question: self.earliest(scope, g.question, g.earliest) for g in groups}
        found: dict[int, dict[bytes, bytes]] = {group.question: {} for group in groups}
        for one, questions in wanted.items():
            ids = integer_list(questions)
            rows = self._do.of_individual.all(
                tenant=self._tenant, scope=scope, individual=one, ids=ids
            )
            for question, order in rows:
                found[question][one] = order
        return found

    def earliest(self, scope: bytes, question: int, who: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return where the earliest answers of these individuals stand, of those that gave any.

        The last 16 bytes are the response's id.
        """
        rows = self._do.earliest.all(
            tenant=self._tenant, scope=scope, question=question, ids=id_list(list(who))
        )
        return dict(rows)

    def page(self, scope: bytes, after: int, limit: int) -> list[tuple[Any, ...]]:
        """Return at most `limit` questions of a scope behind one: id, key, scale, and counts."""
        return self._do.page.all(tenant=self._tenant, scope=scope, after=after, limit=limit)

    def clear(self) -> None:
        """Remove everything."""
        self._do.clear_asked.run(tenant=self._tenant, first=b"")
        self._do.clear_answered.run(tenant=self._tenant, first=b"")


def _groups(given: Sequence[Given]) -> list[Group]:
    """Return answers by question, and all of them together."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for i, one in enumerate(given):
        places[one.question].append(i)
    groups = [_group(given, question, each) for question, each in places.items()]
    return [_group(given, ALL_QUESTIONS, range(len(given))), *groups]


def _group(given: Sequence[Given], question: int, places: Sequence[int]) -> Group:
    earliest: dict[bytes, bytes] = {}
    positions = []
    for i in places:
        _, individual, order = given[i]
        positions.append(order[8:])
        if order < earliest.get(individual, _LATEST):
            earliest[individual] = order
    return Group(question, places, earliest, min(positions), max(positions))


def _repeated(
    given: Sequence[Given],
    places: Sequence[int],
    earliest: Mapping[bytes, bytes],
    known: Mapping[bytes, bytes],
) -> Iterator[tuple[int, bytes]]:
    """Yield the places of answers that are not the first, each with the response that is."""
    if len(earliest) == len(places) and not known:  # as mostly
        return
    for i in places:
        one = given[i]
        first = min(earliest[one.individual], known.get(one.individual, _LATEST))
        if first != one.order:
            yield i, first[-16:]
