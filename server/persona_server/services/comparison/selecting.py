"""Selections: whose answers to which questions are counted, and how they are read."""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from functools import cache
from typing import NamedTuple, Protocol

from persona_server.errors import ServiceError, invalid_field
from persona_server.measures.answers import SETS, Question, Value
from persona_server.measures.populations import Numbers
from persona_server.services.library.individuals import recorded_individual
from persona_server.services.parents import (
    group_not_found,
    project_not_found,
    simulation_not_found,
)
from persona_server.storage.derived.counts import by_value
from persona_server.storage.derived.participation import project_scope
from persona_server.storage.derived.selections import Belongs, Counts
from persona_server.storage.derived.series import Entry
from persona_server.storage.keys import id_bytes
from persona_server.storage.store import Repositories

MOST_READ = 10_000  # answers of a call, and so individuals of a selection


class WantedSelection(NamedTuple):
    """What a request selects; `prefix` is that of the names of its fields.

    A persona is one of the group, deleted or not.
    """

    project_id: str
    simulation_id: str
    group_id: str
    model: str = ""
    prefix: str = ""
    persona_id: str = ""


class AskedOf(NamedTuple):
    """A question of a selection, with its id."""

    id: int
    question: Question
    individual_count: int  # who answered it in the simulation or project


Answers = dict[bytes, Entry]  # to a question, by individual
Read = Callable[[int, Sequence[bytes]], Answers]  # of a question


class Selection(Protocol):
    """Individuals, and which of their answers count. Read within one snapshot.

    Raises INVALID_FIELD where more than MOST_READ would be read.
    """

    def questions(self, after: int, limit: int) -> list[AskedOf]:
        """Return at most `limit` questions behind one, in the order first asked."""

    def counted(self, asked: AskedOf) -> Counts | Numbers | None:
        """Return what was answered to one of them; None where there are too many sets."""

    def counting(self, asked: AskedOf) -> int:
        """Return how many rows `counted` reads."""

    def given(self, asked: AskedOf) -> Answers:
        """Return what was answered to one of them, by individual."""

    def reading(self, asked: AskedOf) -> int:
        """Return how many answers `given` reads."""


def asked_by(selection: Selection, question: int) -> AskedOf | None:
    """Return a question of a selection by its id; None if it was not asked there."""
    found = selection.questions(question - 1, 1)
    return found[0] if found and found[0].id == question else None


def numbers_of(answers: Answers) -> dict[bytes, int]:
    """Return what was answered, in the form of a series' records."""
    return {individual: answer.number for individual, answer in answers.items()}


def without_shared(one: Answers, other: Answers) -> tuple[Answers, Answers]:
    """Return the answers of two selections, but those of the larger one that both have."""
    if len(one) < len(other):
        narrow, wide = without_shared(other, one)
        return wide, narrow
    rest = {who: each for who, each in one.items() if other.get(who) != each}
    return rest, other


def selection_of(repositories: Repositories, wanted: WantedSelection) -> Selection:
    """Return the selection that a request names. Raises NOT_FOUND reasons, outermost first.

    INVALID_FIELD if it has more individuals than a call reads.
    """
    void = repositories.derived.voiding()
    standing = _standing(void)
    if not wanted.project_id:
        of_library = repositories.selections.of_library(MOST_READ + 1)
        read = _latest(repositories, standing)
        return _Individuals(repositories, b"", read, "project_id", of_library)
    project, simulation = id_bytes(wanted.project_id), id_bytes(wanted.simulation_id)
    if repositories.projects.find(project) is None:
        raise project_not_found(wanted.project_id)
    if simulation and repositories.simulations.project(simulation) != project:
        raise simulation_not_found(wanted.simulation_id)
    members = _members(repositories, project, wanted)
    if simulation in void:
        members = ()
    by_model = _by_model(repositories, wanted.model, standing)
    if simulation:
        read = _first(repositories, simulation, by_model)
    else:
        read = _latest(repositories, _in_project(repositories, project, by_model))
    part = "group" if members is not None else "simulation" if simulation else "project"
    field = f"{wanted.prefix}{part}_id".replace("other_project", "project")
    scope = simulation or project_scope(project)
    whole = simulation and members is None and not wanted.model
    kind = _Simulation if whole else _Individuals
    return kind(repositories, scope, read, field, members)


def _members(
    repositories: Repositories, project: bytes, wanted: WantedSelection
) -> Sequence[bytes] | None:
    """Return the individuals of a group, or that of a persona; None without either."""
    if not wanted.group_id:
        return None
    if wanted.persona_id:
        path = (wanted.project_id, wanted.group_id, wanted.persona_id)
        return [recorded_individual(repositories, *path).origin]
    found = repositories.groups.find(id_bytes(wanted.group_id))
    if found is None or found.project_id != project:
        raise group_not_found(wanted.group_id)
    return repositories.personas.individuals(found.set_id, MOST_READ + 1)


def _standing(void: Container[bytes]) -> Belongs:
    """Return whether an answer stands: those of a simulation just voided may be counted still."""
    return lambda entry: entry.simulation not in void


def _by_model(repositories: Repositories, model: str, standing: Belongs) -> Belongs:
    """Return whether a model gave an answer that stands, any without a name."""
    if not model:
        return standing
    models = repositories.selections.models(model)
    return lambda entry: entry.model in models and standing(entry)


def _in_project(repositories: Repositories, project: bytes, also: Belongs) -> Belongs:
    """Return whether an answer was given in a project, and what else must be true of it."""

    @cache
    def is_of_it(simulation: bytes) -> bool:
        return repositories.simulations.project(simulation) == project

    def belongs(entry: Entry) -> bool:
        return is_of_it(entry.simulation) and also(entry)

    return belongs


def _latest(repositories: Repositories, belongs: Belongs) -> Read:
    return lambda key, who: repositories.selections.latest(key, who, belongs)


def _first(repositories: Repositories, simulation: bytes, belongs: Belongs) -> Read:
    return lambda key, who: repositories.selections.first_in(key, who, simulation, belongs)


class _Individuals:
    """Individuals, each read by itself: all who answered in a scope, or those given.

    Without a scope, "", all questions of the tenant are theirs. `field` is what names them.
    """

    def __init__(
        self,
        repositories: Repositories,
        scope: bytes,
        read: Read,
        field: str,
        given: Sequence[bytes] | None,
    ) -> None:
        self._repositories = repositories
        self._scope = scope
        self._read = read
        self._field = field
        self._given = None if given is None else self._few(given)

    def questions(self, after: int, limit: int) -> list[AskedOf]:
        if not self._scope:
            rows = self._repositories.selections.questions(after, limit)
            return [AskedOf(*row, 0) for row in rows]
        asked = self._repositories.derived.asked(self._scope, after, limit)
        return [AskedOf(row.id, row.question, row.individual_count) for row in asked]

    def counted(self, asked: AskedOf) -> Counts | Numbers | None:
        numbers = [answer.number for answer in self.given(asked).values()]
        if by_value(asked.question):
            return Counter(numbers)
        return Numbers.of(Counter[Value](numbers))

    def counting(self, asked: AskedOf) -> int:
        return self.reading(asked)

    def given(self, asked: AskedOf) -> Answers:
        individuals = self._given
        if individuals is None:
            individuals = self._few(
                self._repositories.selections.individuals(self._scope, asked.id, MOST_READ + 1)
            )
        return self._read(asked.id, individuals)

    def reading(self, asked: AskedOf) -> int:
        return asked.individual_count if self._given is None else len(self._given)

    def _few(self, individuals: Sequence[bytes]) -> Sequence[bytes]:
        if len(individuals) > MOST_READ:
            raise _too_many(self._field)
        return individuals


class _Simulation(_Individuals):
    """All who answered in a simulation, by their first answers: those are counted already."""

    def counted(self, asked: AskedOf) -> Counts | Numbers | None:
        if not asked.question.scored:  # its only option
            return {0: asked.individual_count}
        return self._repositories.selections.counted(
            self._scope, asked.id, asked.question, MOST_READ
        )

    def counting(self, asked: AskedOf) -> int:
        """Each set that was given has a row of its own; any other question has few."""
        if asked.question.kind not in SETS:
            return 0
        return self._repositories.selections.set_count(self._scope, asked.id, MOST_READ)


def _too_many(field: str) -> ServiceError:
    return invalid_field(
        field,
        f"selects more than {MOST_READ} individuals, and a call reads at most so many answers; "
        "name a smaller group, or for a summary a simulation alone, which may have any number",
    )
