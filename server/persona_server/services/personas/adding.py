"""The one way by which personas get into a group: create, batch, import and reuse stand on it."""

from collections.abc import Sequence
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona.v1.persona_pb2 import Persona
from persona_server.errors import ServiceError
from persona_server.services.framing import ELEMENT, content, frame
from persona_server.services.parents import already_exists, external_id_taken, lock_group
from persona_server.services.times import micros_of, set_time
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.groups import Locked
from persona_server.storage.repositories.personas import Known, PersonaRow
from persona_server.storage.store import Transaction
from persona_server.validation.filters import search_keys
from persona_server.validation.terms import external_id_term, terms_of


class Group(NamedTuple):
    """A group that this transaction has locked."""

    project_id: str
    group_id: str
    locked: Locked


class Added(NamedTuple):
    """The framed personas in the order of the request, their ids, and how many became visible."""

    framed: list[bytes]
    ids: list[bytes]
    number: int


def add_personas(
    repositories: Transaction, group: Group, personas: Sequence[Persona], path: str
) -> Added:
    """Add personas that were validated to a locked group, all or none.

    One that exists with the same content is returned as it is; one that was deleted from this group
    becomes visible again. `path` names the item in errors: "persona", "personas[{}]" or the like.
    Raises ServiceError ALREADY_EXISTS for an id that names anything else, or an external id that is
    taken.
    """
    personas = personas[:]  # of a message's field each look would make them anew
    _adopt_external(repositories, group, personas, path)
    known = repositories.personas.known([id_bytes(each.id) for each in personas if each.id])
    _give_ids(repositories, personas)
    ids = [id_bytes(persona.id) for persona in personas]
    framed: list[bytes] = []
    fresh: list[PersonaRow] = []
    terms: list[bytes] = []
    stored = restored = 0
    tenant, set_id = repositories.tenant, group.locked.set_id
    for i, (persona, raw) in enumerate(zip(personas, ids, strict=True)):
        if (found := known.get(raw)) is None:
            position = keys.position(_created_at(persona, repositories.now + i), raw)
            persona.project_id, persona.group_id = group.project_id, group.group_id
            element = frame(ELEMENT, _encoded(persona))
            framed.append(element)
            stored += len(element)
            fresh.append(_row(tenant, set_id, persona, position, raw, element))
            terms += _terms_at(position, persona)
            continue
        _require_same(persona, group, found, path.format(i))
        framed.append(found.framed)
        if not found.visible:
            terms += _restore(repositories, group, persona, found, path.format(i))
            restored += 1
    repositories.personas.insert(fresh)
    repositories.terms.add(set_id, terms)
    repositories.store_bytes(stored)
    if count := len(fresh) + restored:
        longest = max(map(len, framed))
        repositories.groups.changed(id_bytes(group.group_id), count, longest)
        repositories.written += count
    return Added(framed, ids, count)


def _adopt_external(
    repositories: Transaction, group: Group, personas: Sequence[Persona], path: str
) -> None:
    """Give personas without an id that of the one that the group shows under their external id.

    Raises ALREADY_EXISTS for an id of its own beside it.
    """
    given = {p.external_id: external_id_term(p.external_id) for p in personas if p.external_id}
    found = repositories.terms.find(group.locked.set_id, list(given.values()))
    if not found:
        return
    for i, persona in enumerate(personas):
        holder = found.get(given[persona.external_id]) if persona.external_id else None
        if holder is None:
            continue
        if persona.id and persona.id != id_text(holder):
            raise external_id_taken(path.format(i), persona.external_id)
        persona.id = id_text(holder)


def _give_ids(repositories: Transaction, personas: Sequence[Persona]) -> None:
    """Give an id to every persona that has none."""
    without = [persona for persona in personas if not persona.id]
    for persona, made in zip(without, repositories.new_ids(len(without)), strict=True):
        persona.id = made


def _terms_at(position: bytes, persona: Persona) -> list[bytes]:
    """Return what a persona is found by, with its place among those of its set."""
    return [term + position for term in terms_of(persona)]


def _restore(
    repositories: Transaction, group: Group, persona: Persona, found: Known, path: str
) -> list[bytes]:
    """Bring a deleted persona back, and return the terms that it has with its place.

    Raises ALREADY_EXISTS if the group shows its individual.
    """
    raw = id_bytes(persona.id)
    individual = repositories.personas.ancestry([raw])[raw].library_persona_id
    if individual is not None:
        _refuse_twice(repositories, group, persona, individual, path)
    repositories.personas.restore(raw, found.set_id, group.locked.set_id)
    # Whoever was gone has not been looked at. The row of one that may wait is never purged.
    if individual is None and repositories.responses.has_answered(raw):
        repositories.promotions.add([raw], repositories.now)
    position = position_of(unframed(found.framed))
    # A dropped set has its terms still: who erases the persona would look for them in one set only.
    repositories.terms.remove(found.set_id, position, terms_of(persona))
    return _terms_at(position, persona)


def _refuse_twice(
    repositories: Transaction, group: Group, persona: Persona, individual: bytes, path: str
) -> None:
    """Refuse to bring a persona back beside another one of the same individual."""
    project, group_key = id_bytes(group.project_id), id_bytes(group.group_id)
    if repositories.links.shown(project, group_key, group.locked.set_id, [individual]):
        raise ServiceError(
            errors_pb2.ERROR_REASON_ALREADY_EXISTS,
            f"{path}.id: the persona {persona.id} can't be restored, because this group has "
            "another persona of the same individual. Delete that one first.",
            metadata={"state": "deleted", "field": f"{path}.id", "id": persona.id},
        )


def unframed(framed: bytes) -> Persona:
    """Return the persona of a stored element."""
    return Persona.FromString(content(framed))


def _row(
    tenant: int, set_id: int, persona: Persona, position: bytes, raw: bytes, element: bytes
) -> PersonaRow:
    """Return the row of a new persona that has all that the server gives, with its framed bytes."""
    copied_from = id_bytes(persona.copied_from.value) if persona.HasField("copied_from") else None
    found_by = search_keys(persona)
    return tenant, set_id, persona.age.value, position, raw, *found_by, element, copied_from


def _created_at(persona: Persona, now: int) -> int:
    """Return when a persona was made, in microseconds: now, unless it says."""
    if persona.HasField("created_at"):
        return micros_of(persona.created_at)
    set_time(persona.created_at, now)
    return now


def _encoded(persona: Persona) -> bytes:
    """Return the bytes of a persona, which are always the same; only maps have no order."""
    if persona.attributes:
        return persona.SerializeToString(deterministic=True)
    return persona.SerializeToString()  # half the cost


def clear_place(persona: Persona) -> None:
    """Clear what says which persona of which group it is, so that a profile is left."""
    for name in ("id", "external_id", "project_id", "group_id", "library_persona_id"):
        persona.ClearField(name)


def locked_group(repositories: Transaction, project_id: str, group_id: str) -> Group:
    """Lock the group that personas are put into, or say which parent is missing."""
    return Group(project_id, group_id, lock_group(repositories, project_id, group_id))


def position_of(persona: Persona) -> bytes:
    """Return where a persona with id and time stands among those of its set."""
    return keys.position(micros_of(persona.created_at), id_bytes(persona.id))


def _require_same(persona: Persona, group: Group, found: Known, path: str) -> None:
    """Refuse an id that names another group's persona, or one with another content."""
    stored = unframed(found.framed)
    wanted = Persona()
    wanted.CopyFrom(persona)
    wanted.project_id, wanted.group_id = group.project_id, group.group_id
    for name in ("library_persona_id", "copied_from"):
        stored.ClearField(name)
    for each in (wanted, stored):
        each.ClearField("created_at")  # languages differ in how finely they tell times
    if wanted == stored:
        return
    other = "" if stored.group_id == group.group_id else "group"
    shown = found.visible and not other
    if shown and persona.external_id and persona.external_id == stored.external_id:
        raise external_id_taken(path, persona.external_id)
    raise already_exists("persona", f"{path}.id", persona.id, visible=found.visible, other=other)
