"""Individuals: which one a persona is, and how reliable its answers are."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.measures.answers import Answer, Question
from persona_server.measures.points import Noise, Point, noise, points
from persona_server.measures.policy import Policy
from persona_server.measures.reliability import Reliability, reliability
from persona_server.measures.shift import ReliableChange, reliable_change
from persona_server.services.parents import (
    group_not_found,
    persona_not_found,
    project_not_found,
)
from persona_server.storage.keys import id_bytes
from persona_server.storage.store import Repositories


class Individual(NamedTuple):
    """An individual: the persona it began as, and its library persona if it has one."""

    origin: bytes
    library_persona_id: bytes | None


class Measurement(NamedTuple):
    """An individual's reliability, and in how many questions its attitude has reliably changed."""

    reliability: Reliability
    reliable_changes: int


def library_individual(repositories: Repositories, library_persona_id: str) -> Individual:
    """Return the individual of a library persona. Raises LIBRARY_PERSONA_NOT_FOUND."""
    raw = id_bytes(library_persona_id)
    origin = repositories.library.origin(raw)
    if origin is None:
        raise library_persona_not_found(library_persona_id)
    return Individual(origin, raw)


def recorded_individual(
    repositories: Repositories, project_id: str, group_id: str, persona_id: str
) -> Individual:
    """Return the individual that a persona is, where it and its parents may be deleted.

    The path must be the persona's own. Raises the reason of the outermost part that is not.
    """
    project, group, persona = map(id_bytes, (project_id, group_id, persona_id))
    parents = repositories.personas.ancestry([persona]).get(persona)
    if parents is not None and parents[:2] == (project, group):
        return Individual(parents.individual, parents.library_persona_id)
    if repositories.projects.find(project) is None:
        raise project_not_found(project_id)
    found = repositories.groups.find(group)
    if found is None or found.project_id != project:
        raise group_not_found(group_id)
    raise persona_not_found(persona_id)


def measure(repositories: Repositories, origin: bytes, policy: Policy) -> Measurement:
    """Measure an individual over all of its answers. `repositories` must be one snapshot."""
    series = repositories.derived.series_of(origin)
    everyone = repositories.derived.everyone(origin)
    everyones_noise = repositories.derived.noise(origin)
    changes = 0
    for question, own, others in numeric_series(series, everyones_noise):
        change = reliable_change(question.kind, own, others, policy)
        changes += isinstance(change, ReliableChange) and change.reliable_change
    found = reliability(chain.from_iterable(series.values()), everyone, policy)
    return Measurement(found, changes)


def numeric_series(
    series: Mapping[Question, Iterable[Answer]], everyone: Mapping[Question, Noise]
) -> Iterator[tuple[Question, tuple[Point, ...], Noise]]:
    """Yield each rating and sentiment with the individual's points and the others' noise.

    `everyone` has the noise of all individuals, this one included.
    """
    for question, answers in series.items():
        if question.kind.numeric:
            own = points(answers)
            yield question, own, everyone.get(question, Noise()).minus(noise(question.kind, own))


def library_persona_not_found(library_persona_id: str) -> ServiceError:
    """LIBRARY_PERSONA_NOT_FOUND: never was, or another tenant's."""
    return ServiceError(
        errors_pb2.ERROR_REASON_LIBRARY_PERSONA_NOT_FOUND,
        f"There is no library persona {library_persona_id}.",
        metadata={"library_persona_id": library_persona_id},
    )
