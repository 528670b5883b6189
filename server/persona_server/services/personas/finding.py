"""Personas of one group that are named by their ids, or counted by what they are."""

from collections.abc import Sequence
from typing import Protocol

from persona.v1 import errors_pb2
from persona.v1.persona_service_pb2 import CountPersonasRequest
from persona_server.errors import ServiceError, Violation
from persona_server.services.indexes import ranges
from persona_server.services.paging import MAX_PAGE_BYTES
from persona_server.services.parents import group_not_found, project_not_found
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.filters import NO_FILTERS
from persona_server.storage.repositories.pages import Counted
from persona_server.storage.store import Repositories
from persona_server.validation.filters import filters_of
from persona_server.validation.terms import wanted_terms
from persona_server.validation.violations import MAX_VIOLATIONS


class OfGroup(Protocol):
    """A request that names a group."""

    project_id: str
    group_id: str


def shown_set(repositories: Repositories, request: OfGroup) -> tuple[int, int]:
    """Return the set that a group shows, and the length of the longest row that it had."""
    head = repositories.groups.head(id_bytes(request.project_id), id_bytes(request.group_id))
    if not head.project:
        raise project_not_found(request.project_id)
    if head.set_id is None:
        raise group_not_found(request.group_id)
    return head.set_id, head.max_framed


def several(repositories: Repositories, set_id: int, ids: Sequence[str]) -> bytes:
    """Return all personas of these ids, framed, in their order.

    Raises PERSONA_NOT_FOUND naming each that is not in the set, and MESSAGE_TOO_LARGE.
    """
    wanted = [id_bytes(text) for text in ids]
    lengths = repositories.personas.lengths(set_id, wanted)
    if missing := [i for i, raw in enumerate(wanted) if raw not in lengths]:
        raise _not_found(missing, ids)
    if (size := sum(lengths.values())) > MAX_PAGE_BYTES:
        raise ServiceError(
            errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE,
            f"The {len(ids)} personas have {size} bytes in total, and one call takes at most "
            f"{MAX_PAGE_BYTES}. Ask for them in parts.",
            metadata={"size": str(size), "limit": str(MAX_PAGE_BYTES)},
        )
    found = repositories.personas.several(set_id, wanted)
    return b"".join([found[raw] for raw in wanted])


def count(repositories: Repositories, request: CountPersonasRequest, after: bytes) -> Counted:
    """Return how many of a group match after a position; without filters all that it shows."""
    set_id, _ = shown_set(repositories, request)
    group, filters, terms = id_bytes(request.group_id), filters_of(request), wanted_terms(request)
    if filters != NO_FILTERS or terms:
        return repositories.personas.count(group, set_id, after, filters, terms)
    found = repositories.groups.find(group)
    assert found is not None  # its set was found in this snapshot
    return Counted(found.persona_count, None)


def _not_found(missing: Sequence[int], ids: Sequence[str]) -> ServiceError:
    """PERSONA_NOT_FOUND, naming every id to drop: as violations, and as ranges of indexes."""
    first = ids[missing[0]]
    what = "is not the id of a persona of the group"
    return ServiceError(
        errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND,
        f"There is no persona {first} in this persona group. Leave out the {len(missing)} of "
        f"{len(ids)} ids that it does not have, and ask for the others again.",
        metadata={"persona_id": first, "indexes": ranges(missing)},
        violations=[
            Violation(f"persona_ids[{i}]", f"{what}: {ids[i]}") for i in missing[:MAX_VIOLATIONS]
        ],
        violations_total=len(missing),
    )
