"""Selections: whose answers to which questions are counted, and how they are read."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, Protocol

from persona.v1.comparison_service_pb2 import SummarizeResponsesRequest
from persona_server.errors import ServiceError, invalid_field
from persona_server.measures.answers import Question, Value
from persona_server.measures.populations import Numbers
from persona_server.services.parents import (
    group_not_found,
    project_not_found,
    simulation_not_found,
)
from persona_server.storage.derived.counts import by_value
from persona_server.storage.derived.participation import project_scope
from persona_server.storage.derived.repository import AskedRow
from persona_server.storage.derived.selections import SETS, Counts
from persona_server.storage.keys import id_bytes
from persona_server.storage.store import Repositories

MOST_READ = 10_000  # answers of a call, and so individuals of a selection


class AskedOf(NamedTuple):
    """A question of a selection: its id, and how many answers are read to count it."""

    id: int
    question: Question
    cost: int
    individual_count: int  # who answered it in the simulation or project


Read = Callable[[int, Sequence[bytes]], dict[bytes, int]]  # of a question; by individual


class Selection(Protocol):
    """Individuals, and which of their answers count. Read within one snapshot."""

    def questions(self, after: int, limit: int) -> list[AskedOf]:
        """Return at most `limit` questions behind one, in the order first asked."""

    def counted(self, asked: AskedOf) -> Counts | Numbers | None:
        """Return what was answered to one of them; None where there are too many sets.

        Raises INVALID_FIELD if it costs more than MOST_READ.
        """


def selection_of(repositories: Repositories, request: SummarizeResponsesRequest) -> Selection:
    """Return the selection that a request names. Raises NOT_FOUND reasons, outermost first.

    INVALID_FIELD if it has more individuals than a call reads.
    """
    if not request.project_id:
        individuals = repositories.selections.of_library(MOST_READ + 1)
        return _of_library(repositories, _few(individuals, "project_id"))
    project, simulation, group = map(
        id_bytes, (request.project_id, request.simulation_id, request.group_id)
    )
    if repositories.projects.find(project) is None:
        raise project_not_found(request.project_id)
    if simulation and repositories.simulations.project(simulation) != project:
        raise simulation_not_found(request.simulation_id)
    found = repositories.groups.find(group) if group else None
    if group and (found is None or found.project_id != project):
        raise group_not_found(request.group_id)
    if found is None:
        return _of_all(repositories, project, simulation)
    members = repositories.personas.individuals(found.set_id, MOST_READ + 1)
    return _of_group(repositories, project, simulation, _few(members, "group_id"))


def _of_all(repositories: Repositories, project: bytes, simulation: bytes) -> Selection:
    if simulation:
        return _Simulation(repositories, simulation)
    return _Individuals(repositories, project_scope(project), _latest(repositories, project))


def _of_group(
    repositories: Repositories, project: bytes, simulation: bytes, members: Sequence[bytes]
) -> Selection:
    if not simulation:
        scope, read = project_scope(project), _latest(repositories, project)
        return _Individuals(repositories, scope, read, members)

    def first(key: int, individuals: Sequence[bytes]) -> dict[bytes, int]:
        return repositories.selections.first_in(key, individuals, simulation)

    return _Individuals(repositories, simulation, first, members)


def _of_library(repositories: Repositories, individuals: Sequence[bytes]) -> Selection:
    def latest(key: int, individuals: Sequence[bytes]) -> dict[bytes, int]:
        return repositories.selections.latest(key, individuals, lambda _: True)

    return _Individuals(repositories, b"", latest, individuals)


def _latest(repositories: Repositories, project: bytes) -> Read:
    """Return the function that reads what individuals answered last in a project."""

    @cache
    def belongs(simulation: bytes) -> bool:
        return repositories.simulations.project(simulation) == project

    return lambda key, individuals: repositories.selections.latest(key, individuals, belongs)


class _Simulation:
    """All who answered in a simulation, by their first answers: those are counted already."""

    def __init__(self, repositories: Repositories, simulation: bytes) -> None:
        self._repositories = repositories
        self._simulation = simulation

    def questions(self, after: int, limit: int) -> list[AskedOf]:
        rows = self._repositories.derived.asked(self._simulation, after, limit)
        return [
            AskedOf(row.id, row.question, self._cost(row), row.individual_count) for row in rows
        ]

    def counted(self, asked: AskedOf) -> Counts | Numbers | None:
        if not asked.question.scored:  # its only option
            return {0: asked.individual_count}
        return self._repositories.selections.counted(
            self._simulation, asked.id, asked.question, MOST_READ
        )

    @staticmethod
    def _cost(row: AskedRow) -> int:
        """Return how many rows are read at most: each set that was given has one of its own."""
        return min(row.individual_count, MOST_READ) if row.question.kind in SETS else 0


class _Individuals:
    """Individuals, each read by itself: all who answered in a scope, or those given.

    Without a scope, "", all questions of the tenant are theirs.
    """

    def __init__(
        self,
        repositories: Repositories,
        scope: bytes,
        read: Read,
        individuals: Sequence[bytes] | None = None,
    ) -> None:
        self._repositories = repositories
        self._scope = scope
        self._read = read
        self._given = individuals

    def questions(self, after: int, limit: int) -> list[AskedOf]:
        if not self._scope:
            rows = self._repositories.selections.questions(after, limit)
            return [AskedOf(*row, self._cost(0), 0) for row in rows]
        asked = self._repositories.derived.asked(self._scope, after, limit)
        return [
            AskedOf(row.id, row.question, self._cost(row.individual_count), row.individual_count)
            for row in asked
        ]

    def counted(self, asked: AskedOf) -> Counts | Numbers:
        if asked.cost > MOST_READ:
            raise _too_many("project_id")
        individuals = self._given
        if individuals is None:
            individuals = self._repositories.selections.individuals(self._scope, asked.id)
        numbers = self._read(asked.id, individuals).values()
        if by_value(asked.question):
            return Counter(numbers)
        return Numbers.of(Counter[Value](numbers))

    def _cost(self, answered: int) -> int:
        return answered if self._given is None else len(self._given)


def _few(individuals: Sequence[bytes], field: str) -> Sequence[bytes]:
    if len(individuals) > MOST_READ:
        raise _too_many(field)
    return individuals


def _too_many(field: str) -> ServiceError:
    return invalid_field(
        field,
        f"selects more than {MOST_READ} individuals, and a call reads at most so many answers; "
        "name a smaller group, or a simulation alone, which may have any number",
    )
