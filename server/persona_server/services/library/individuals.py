"""Individuals: which one a persona is, and how reliable its answers are."""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona_server import patience
from persona_server.errors import ServiceError, invalid_field
from persona_server.measures.answers import Question
from persona_server.measures.individual.change import (
    Noise,
    ReliableChange,
    noise,
    reliable_change,
)
from persona_server.measures.individual.explanation import explanation
from persona_server.measures.individual.points import Point, points
from persona_server.measures.individual.policy import Policy
from persona_server.measures.individual.reliability import Reliability, reliability
from persona_server.measures.individual.trend import benjamini_hochberg
from persona_server.measures.reasons import Reason
from persona_server.patience import while_awaited
from persona_server.services.parents import (
    group_not_found,
    persona_not_found,
    project_not_found,
)
from persona_server.storage.derived.crowds import KnownCrowds
from persona_server.storage.derived.repository import (
    MOST_ANSWERS,
    MOST_CHARACTERS,
    TooManyAnswersError,
)
from persona_server.storage.derived.series import Series
from persona_server.storage.keys import id_bytes
from persona_server.storage.store import Repositories

Numeric = tuple[Question, tuple[Point, ...], Noise | Reason]


class Individual(NamedTuple):
    """An individual: the persona it began as, and its library persona if it has one.

    `field` is that of the request which names it.
    """

    origin: bytes
    library_persona_id: bytes | None
    field: str = "persona_id"


class Measurement(NamedTuple):
    """An individual's reliability, and in how many questions its attitude has reliably changed."""

    reliability: Reliability
    reliable_changes: int
    explanation: str  # what is missing, and what would help


def library_individual(repositories: Repositories, library_persona_id: str) -> Individual:
    """Return the individual of a library persona. Raises LIBRARY_PERSONA_NOT_FOUND."""
    raw = id_bytes(library_persona_id)
    origin = repositories.library.origin(raw)
    if origin is None:
        raise library_persona_not_found(library_persona_id)
    return Individual(origin, raw, "library_persona_id")


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


TOO_MANY_ANSWERS = (
    f"has more than {MOST_ANSWERS} answers, or {MOST_CHARACTERS >> 20} MiB of options: of one "
    "individual no more is measured"
)


def series_of(repositories: Repositories, individual: Individual) -> Series:
    """Return all answers of an individual. Raises INVALID_FIELD where they are too many."""
    try:
        return repositories.derived.series_of(individual.origin)
    except TooManyAnswersError:
        raise invalid_field(individual.field, TOO_MANY_ANSWERS) from None


def measure(
    repositories: Repositories,
    individual: Individual,
    policy: Policy,
    known: KnownCrowds | None = None,
) -> Measurement:
    """Measure an individual over all of its answers. `repositories` must be one snapshot.

    `known` keeps what is the same for others of that snapshot. Raises as `series_of` does.
    """
    series = series_of(repositories, individual)
    found = measure_reliability(repositories, series, policy, known)
    changes = _reliable_changes(repositories, series, policy)
    return Measurement(found, changes, explanation(found, policy))


def measure_reliability(
    repositories: Repositories,
    series: Series,
    policy: Policy,
    known: KnownCrowds | None = None,
) -> Reliability:
    """Measure how reliable an individual's answers are, and not how they change."""
    repeated = {
        question: simulations
        for question, given in series.items()
        if question.scored and len(simulations := {a.simulation_id for a in given}) > 1
    }
    crowds = repositories.derived.crowds(series.ids, repeated, known)
    return reliability(while_awaited(list(chain.from_iterable(series.values()))), crowds, policy)


def _reliable_changes(repositories: Repositories, series: Series, policy: Policy) -> int:
    found = [
        change
        for question, own, others in numeric_series(repositories, series, policy)
        if isinstance(change := reliable_change(question.kind, own, others), ReliableChange)
    ]
    adjusted = benjamini_hochberg([change.p for change in found])
    return sum(change.reliable(p) for change, p in zip(found, adjusted, strict=True))


def numeric_series(repositories: Repositories, series: Series, policy: Policy) -> Iterator[Numeric]:
    """Yield each rating and sentiment with the individual's points and the others' noise."""
    own = {
        question: points(answers) for question, answers in series.items() if question.kind.numeric
    }
    ends = {question: {p.simulation_id for p in given[1:]} for question, given in own.items()}
    everyone = repositories.derived.differences(series.ids, ends)
    voiding = bool(repositories.derived.voiding())
    for question, given in own.items():
        patience.require()
        if voiding:  # differences to answers that are void are among them
            yield question, given, Reason.VOIDING
            continue
        yield question, given, noise(question.kind, given, everyone.get(question, {}), policy)


def library_persona_not_found(library_persona_id: str) -> ServiceError:
    """LIBRARY_PERSONA_NOT_FOUND: never was, or another tenant's."""
    return ServiceError(
        errors_pb2.ERROR_REASON_LIBRARY_PERSONA_NOT_FOUND,
        f"There is no library persona {library_persona_id}.",
        metadata={"library_persona_id": library_persona_id},
    )
