"""Personas of one group that are named by their ids, or counted by what they are."""

from collections.abc import Sequence
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona.v1.persona_service_pb2 import CountPersonasRequest
from persona_server.services.indexes import ids_refused, refuse_large
from persona_server.services.parents import require_shown
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.filters import NO_FILTERS
from persona_server.storage.repositories.pages import HitCount
from persona_server.storage.store import Repositories
from persona_server.validation.filters import filters_of
from persona_server.validation.terms import wanted_terms


class Several(NamedTuple):
    """Personas that are all there: their ids, and how many bytes they have together."""

    ids: list[bytes]
    size: int


def several(repositories: Repositories, set_id: int, ids: Sequence[str]) -> bytes:
    """Return all personas of these ids, framed, in their order.

    Raises PERSONA_NOT_FOUND naming each that is not in the set, and MESSAGE_TOO_LARGE.
    """
    there = require_all(
        repositories,
        set_id,
        ids,
        "is not the id of a persona of the group",
        "Leave out the {missing} of {all} ids that it does not have, and ask for the others again.",
    )
    refuse_large(f"{len(ids)} personas", there.size, "takes", "Ask for them in parts.")
    found = repositories.personas.several(set_id, there.ids)
    return b"".join([found[raw] for raw in there.ids])


def require_all(
    repositories: Repositories, set_id: int, ids: Sequence[str], what: str, ending: str
) -> Several:
    """Return personas of these ids, of which none is read yet.

    Raises PERSONA_NOT_FOUND naming each that is not in the set: `what` it is not, and at the end
    what to do, where "{missing}" and "{all}" are how many there are.
    """
    wanted = [id_bytes(text) for text in ids]
    lengths = repositories.personas.lengths(set_id, wanted)
    if missing := [i for i, raw in enumerate(wanted) if raw not in lengths]:
        reason = errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND
        advice = ending.format(missing=len(missing), all=len(ids))
        raise ids_refused(reason, "persona_ids", what, missing, ids, advice)
    return Several(wanted, sum(lengths.values()))


def count(repositories: Repositories, request: CountPersonasRequest, after: bytes) -> HitCount:
    """Return how many of a group match after a position; without filters all that it shows."""
    set_id = require_shown(repositories, request.project_id, request.group_id).set_id
    group, filters, terms = id_bytes(request.group_id), filters_of(request), wanted_terms(request)
    if filters != NO_FILTERS or terms:
        return repositories.personas.count(group, set_id, after, filters, terms)
    found = repositories.groups.find(group)
    assert found is not None  # its set was found in this snapshot
    return HitCount(found.persona_count, None)
