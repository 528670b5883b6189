"""Promotion: a reliable individual becomes a library persona, on demand or by the worker."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona.v1.library_pb2 import LibraryPersona
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup
from persona_server import patience
from persona_server.errors import ServiceError, is_unavailable
from persona_server.measures.individual.explanation import told_apart
from persona_server.measures.individual.policy import Policy, Rule, Status
from persona_server.services.library.individuals import Individual, Measurement, measure
from persona_server.services.library.reliability_messages import (
    kept_message,
    kept_models,
    reliability_message,
)
from persona_server.services.personas.adding import clear_place, unframed
from persona_server.storage.derived.crowds import KnownCrowds
from persona_server.storage.engine.errors import driver_errors_translated
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.repositories.library import LibraryEntry, LibraryRow
from persona_server.storage.repositories.links import LinkRow
from persona_server.storage.repositories.personas import ORIGIN, Ancestry
from persona_server.storage.repositories.promotions import Queued
from persona_server.storage.repositories.responses import Count
from persona_server.storage.store import Repositories, Store, Transaction
from persona_server.telemetry.logs import LOGGER
from persona_server.validation.filters import search_keys
from persona_server.validation.terms import profile_terms

METHOD, WORKER = "PromotePersona", "automatic-promotion"  # as the audit trail names them
_STYLES, _EITHER_WAY = ("straight_lining", "first_option"), "acquiescence"  # have a maximum
_CHUNK = 100  # individuals that the worker reads at a time


class Look(NamedTuple):
    """An individual as one snapshot showed it: measured, over this number of its own answers."""

    measurement: Measurement
    answers: Count


class AnswersCameError(Exception):
    """An individual has answered since it was looked at, so that its figures are others now."""


def look_at(
    store: Store,
    tenant: str,
    persona: bytes,
    policy: Policy,
    path: tuple[bytes, bytes] | None = None,
) -> Look | None:
    """Measure a persona that may be promoted, on a snapshot, which keeps no writer waiting.

    Returns None for one that is not visible, or not in the project and group of the `path`, and for
    one that is in the library. Raises as `looks_at` does.
    """
    with store.snapshot(tenant) as repositories:
        if path and repositories.personas.get(*path, persona).framed is None:
            return None
        return looks_at(repositories, [persona], policy).get(persona)


def looks_at(
    repositories: Repositories,
    personas: Sequence[bytes],
    policy: Policy,
    unmeasured: set[bytes] | None = None,
) -> dict[bytes, Look]:
    """Measure those of one or more personas that may be promoted, all on one snapshot.

    Those that are not visible, and those that are in the library, are left out. So are those with
    too many answers, which `unmeasured` gets; without it they raise INVALID_FIELD.
    """
    looks: dict[bytes, Look] = {}
    known: KnownCrowds = {}
    for persona, parents in repositories.personas.ancestry(personas).items():
        if parents.may_be_promoted:
            patience.require()
            try:
                found = measure(repositories, Individual(persona, None), policy, known)
            except ServiceError as error:
                if unmeasured is None or error.reason != errors_pb2.ERROR_REASON_INVALID_FIELD:
                    raise
                unmeasured.add(persona)
                continue
            looks[persona] = Look(found, repositories.responses.count(persona))
    return looks


def promote(
    repositories: Transaction, persona: bytes, look: Look | None
) -> tuple[LibraryEntry, bool]:
    """Return the library persona of a visible persona, made now if its answers are reliable.

    The second value is whether it was made now. Raises NOT_ELIGIBLE, and AnswersCameError if it
    must be looked at again.
    """
    parents = repositories.personas.ancestry([persona])[persona]
    if parents.library_persona_id is not None:
        entry = repositories.library.find(parents.library_persona_id)
        assert entry is not None  # links name library personas, which are never removed
        return entry, False
    # What others have answered since is left to the next look: the figures are of one moment.
    if look is None or repositories.responses.count(persona) != look.answers:
        raise AnswersCameError
    if look.measurement.reliability.status is not Status.ELIGIBLE:
        raise not_eligible(id_text(persona), look.measurement, repositories.now)
    framed = repositories.personas.recorded(persona)
    assert framed is not None  # the persona is visible in this transaction
    profile = unframed(framed)
    row = _library_row(repositories, profile, look)
    repositories.library.insert(row)
    repositories.terms.add_library(row.id, profile_terms(profile))
    repositories.links.insert([_origin_link(repositories, row, parents)])
    return LibraryEntry(row.id, row.body, row.project_count, row.response_count, None), True


def promote_waiting(store: Store, policy: Policy, stopping: Callable[[], bool]) -> int:
    """Look at every individual that waits, and promote those that are reliable; return how many.

    One that is not, or whose persona was deleted, leaves the queue until answers come again.
    """
    promoted = 0
    with driver_errors_translated():
        for tenant, queued in _waiting(store):
            if stopping():  # a stop waits for this run, and one look may take long
                break
            promoted += _tried(store, tenant, queued, policy)
    return promoted


def _waiting(store: Store) -> Iterator[tuple[str, Queued]]:
    """Yield who waits, with the name of the tenant."""
    for tenant in store.tenants.promoting():
        after, more = b"", True
        while more:
            with store.reading(tenant) as repositories:
                queue = repositories.promotions.next(after, _CHUNK)
            more = len(queue) == _CHUNK
            for queued in queue:
                yield tenant, queued
                after = queued.persona_id


def _tried(store: Store, tenant: str, queued: Queued, policy: Policy) -> bool:
    """Look at an individual; a fault of ours in one must not keep all others waiting."""
    try:
        return _look_and_promote(store, tenant, queued, policy)
    except Exception as error:
        if is_unavailable(error):  # everybody waits
            raise
        extra = {"persona_id": id_text(queued.persona_id)}
        LOGGER.exception("a persona could not be looked at for promotion", extra=extra)
        with store.writing(tenant, None) as repositories:
            repositories.promotions.done(queued)
        return False


def _look_and_promote(store: Store, tenant: str, queued: Queued, policy: Policy) -> bool:
    """Promote an individual if it is reliable, and take it off the queue."""
    with store.snapshot(tenant) as snapshot:
        look = looks_at(snapshot, [queued.persona_id], policy, set()).get(queued.persona_id)
    with store.writing(tenant, None) as repositories:
        promoted = look is not None and _promote_queued(repositories, queued.persona_id, look)
        repositories.promotions.done(queued)
    return promoted


def _promote_queued(repositories: Transaction, persona: bytes, look: Look) -> bool:
    parents = repositories.personas.ancestry([persona]).get(persona)
    if parents is None or not parents.visible:
        return False
    try:
        entry, made = promote(repositories, persona, look)
    except (ServiceError, AnswersCameError):  # not reliable, or queued again by its answers
        return False
    if made:
        audit = AuditEntry(
            METHOD,
            WORKER,
            project_id=parents.project_id,
            group_id=parents.group_id,
            persona_id=persona,
            library_persona_id=entry.id,
        )
        repositories.audit.add(audit, repositories.now)
    return made


def _library_row(repositories: Transaction, persona: Persona, look: Look) -> LibraryRow:
    now = repositories.now
    library = LibraryPersona(
        id=repositories.new_id(),
        origin_project_id=persona.project_id,
        origin_group_id=persona.group_id,
        origin_persona_id=persona.id,
        reliability=kept_message(look.measurement, now),
        models=kept_models(look.measurement),
    )
    library.created_at.FromMicroseconds(now)
    library.profile.CopyFrom(persona)
    clear_place(library.profile)
    library.profile.ClearField("copied_from")
    estimate = look.measurement.reliability.estimate
    assert estimate is not None  # nobody is eligible without one
    return LibraryRow(
        tenant=repositories.tenant,
        id=id_bytes(library.id),
        origin_project_id=id_bytes(persona.project_id),
        origin_persona_id=id_bytes(persona.id),
        age=persona.age.value,
        keys=search_keys(persona),
        lower_bound=estimate.low,
        created_at=now,
        body=library.SerializeToString(deterministic=True),
        project_count=1,
        response_count=look.answers.counted,
    )


def _origin_link(repositories: Transaction, row: LibraryRow, parents: Ancestry) -> LinkRow:
    names = names_of(repositories, parents.project_id, parents.group_id)
    return LinkRow(
        repositories.tenant,
        row.origin_persona_id,
        repositories.links.next_id(repositories.now),
        row.id,
        parents.project_id,
        parents.group_id,
        *names,
        ORIGIN,
        None,
        repositories.now,
    )


def names_of(repositories: Repositories, project: bytes, group: bytes) -> tuple[str, str]:
    """Return the names of a project and of a group that are there, as they are now."""
    named = repositories.projects.find(project)
    assert named is not None
    return named.name, definition_of(repositories, group).name


def definition_of(repositories: Repositories, group: bytes) -> PersonaGroup:
    """Return what defines a group that is there: the message without output-only fields."""
    found = repositories.groups.find(group)
    assert found is not None
    return PersonaGroup.FromString(found.definition)


def not_eligible(persona_id: str, measurement: Measurement, now: int) -> ServiceError:
    """NOT_ELIGIBLE with what was measured; its sentence names the rules that do not hold."""
    found = measurement.reliability
    broken = "; ".join(_sentence(rule) for rule in found.rules if not rule.holds)
    return ServiceError(
        errors_pb2.ERROR_REASON_NOT_ELIGIBLE,
        f"The persona can't be promoted: {found.status.value}: {broken}. {measurement.explanation}",
        metadata={"persona_id": persona_id, "status": found.status.value},
        detail=reliability_message(measurement, now),
    )


def answers_keep_coming(persona_id: str) -> ServiceError:
    """CONCURRENT_CHANGE for an individual that has answered at every look."""
    return ServiceError(
        errors_pb2.ERROR_REASON_CONCURRENT_CHANGE,
        f"The persona {persona_id} was recorded to answer each time its answers had been measured. "
        "Retry when its simulation is over.",
        metadata={"persona_id": persona_id},
        retry_after=1.0,
    )


_COMPARABLE = ("simulations", "questions")


def _sentence(rule: Rule) -> str:
    if rule.figure is None:
        return f"{rule.name} is undefined, must be at least {rule.limit:.2f}"
    if rule.name in _COMPARABLE:  # more of them may have been answered
        return f"{rule.figure:g} {rule.name} can be compared, must be at least {rule.limit:g}"
    size, limit = told_apart(abs(rule.figure), rule.limit)
    figure = f"-{size}" if rule.figure < 0 else size
    if rule.name == _EITHER_WAY:
        return f"{rule.name} is {figure}, must be between -{limit} and {limit}"
    must = "at most" if rule.name in _STYLES else "at least"
    return f"{rule.name} is {figure}, must be {must} {limit}"
