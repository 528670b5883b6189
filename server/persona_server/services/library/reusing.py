"""Reuse: library personas put into a group, each as a new persona with a link."""

from collections.abc import Sequence

from persona.v1 import errors_pb2
from persona.v1.library_pb2 import LibraryPersona
from persona.v1.persona_pb2 import Persona
from persona_server.measures.matching import Candidate, Matcher, Target
from persona_server.services.indexes import ids_refused, refuse_large
from persona_server.services.library.promoting import definition_of, names_of
from persona_server.services.personas.adding import Added, Group, add_personas
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.library import LibraryEntry
from persona_server.storage.repositories.links import LinkRow
from persona_server.storage.repositories.personas import REUSE
from persona_server.storage.store import Repositories, Transaction


def target_of(repositories: Repositories, group: bytes) -> Target:
    """Return what a group that is there asks for."""
    wanted = definition_of(repositories, group)
    return Target(
        gender=wanted.gender,
        age_min=wanted.age_min,
        age_max=wanted.age_max,
        income_level=wanted.income_level,
        location=wanted.location,
        occupation=wanted.occupation,
    )


def reuse(repositories: Transaction, group: Group, ids: Sequence[str]) -> Added:
    """Put individuals into a locked group, all or none.

    Raises LIBRARY_PERSONA_NOT_FOUND, LIBRARY_PERSONA_RETIRED and ALREADY_EXISTS, naming each, and
    MESSAGE_TOO_LARGE.
    """
    entries = _reusable(repositories, group, ids)
    size = sum(len(entry.body) for entry in entries)  # a copy is no longer than what it copies
    advice = "Nothing was reused. Send the ids in parts."
    refuse_large(f"{len(entries)} library personas", size, "takes", advice)
    profiles = [LibraryPersona.FromString(entry.body).profile for entry in entries]
    personas = []
    for library_id, profile in zip(ids, profiles, strict=True):
        persona = Persona()
        persona.CopyFrom(profile)
        persona.ClearField("created_at")  # that of a reused persona is the time of the reuse
        persona.library_persona_id.value = library_id
        personas.append(persona)
    added = add_personas(repositories, group, personas, "library_persona_ids[{}]")
    _link(repositories, group, added, entries, profiles)
    return added


def _reusable(repositories: Transaction, group: Group, ids: Sequence[str]) -> list[LibraryEntry]:
    raw = [id_bytes(text) for text in ids]
    found = repositories.library.entries(raw)
    _refuse(
        [i for i, key in enumerate(raw) if key not in found],
        ids,
        errors_pb2.ERROR_REASON_LIBRARY_PERSONA_NOT_FOUND,
        "is not the id of a library persona",
    )
    _refuse(
        [i for i, key in enumerate(raw) if found[key].retired_at is not None],
        ids,
        errors_pb2.ERROR_REASON_LIBRARY_PERSONA_RETIRED,
        "is the id of a retired library persona, which can't be reused",
    )
    shown = repositories.links.shown(
        id_bytes(group.project_id), id_bytes(group.group_id), group.locked.set_id, raw
    )
    _refuse(
        [i for i, key in enumerate(raw) if key in shown],
        ids,
        errors_pb2.ERROR_REASON_ALREADY_EXISTS,
        "is the id of an individual that is already in this group",
        state="visible",
    )
    return [found[key] for key in raw]


def _refuse(
    bad: Sequence[int],
    ids: Sequence[str],
    reason: "errors_pb2.ErrorReason.ValueType",
    what: str,
    **metadata: str,
) -> None:
    """Raise an error that names every bad id, if there is one."""
    if bad:
        field, ending = "library_persona_ids", "Nothing was reused."
        raise ids_refused(reason, field, what, bad, ids, ending, **metadata)


def _link(
    repositories: Transaction,
    group: Group,
    added: Added,
    entries: Sequence[LibraryEntry],
    profiles: Sequence[Persona],
) -> None:
    project, group_key = id_bytes(group.project_id), id_bytes(group.group_id)
    names = names_of(repositories, project, group_key)
    matcher = Matcher(target_of(repositories, group_key))
    rows = []
    for persona, entry, profile in zip(added.ids, entries, profiles, strict=True):
        if not repositories.links.used(entry.id, project):
            repositories.library.count_project(entry.id)
        rows.append(
            LinkRow(
                repositories.tenant,
                persona,
                repositories.links.next_id(repositories.now),
                entry.id,
                project,
                group_key,
                *names,
                REUSE,
                _score(matcher, profile),
                repositories.now,
            )
        )
    repositories.links.insert(rows)


def _score(matcher: Matcher, profile: Persona) -> float | None:
    """Return how well a profile fits the group; None if it misses a requirement."""
    candidate = Candidate(
        b"",
        profile.age.value,
        profile.gender,
        profile.income_level,
        profile.location,
        profile.occupation,
    )
    match = matcher.match(candidate)
    return None if match is None else match.score
