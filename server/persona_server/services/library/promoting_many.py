"""Promotion of several personas at once: named ones, or a page of their group."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona.v1.library_pb2 import Promotion, PromotionOutcome
from persona.v1.library_service_pb2 import PromotePersonasRequest
from persona.v1.persona_service_pb2 import ListPersonasResponse
from persona_server.errors import ServiceError
from persona_server.measures.individual.policy import Policy
from persona_server.services.library.individuals import TOO_MANY_ANSWERS
from persona_server.services.library.promoting import AnswersCameError, Look, looks_at, promote
from persona_server.services.paging import page_limit
from persona_server.services.parents import require_shown
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.store import Repositories, Transaction
from persona_server.validation.limits import MAX_PROMOTED


class Candidates(NamedTuple):
    """Personas to promote as one snapshot showed them, and the last one's position in a page.

    `last` is None where no others follow. `looks` has those that may be promoted, `unmeasured`
    those of them with too many answers.
    """

    personas: Sequence[bytes]
    looks: Mapping[bytes, Look]
    last: bytes | None
    unmeasured: Collection[bytes] = ()


NOBODY = Candidates((), {}, None)


def candidates(
    repositories: Repositories, request: PromotePersonasRequest, after: bytes, policy: Policy
) -> Candidates:
    """Measure the personas that a request names, or those of its page, which begins `after` one.

    `repositories` must be one snapshot. A group that is missing has nobody: who promotes says so.
    """
    group = id_bytes(request.group_id)
    head = repositories.groups.head(id_bytes(request.project_id), group)
    if head.set_id is None:
        return NOBODY
    if request.persona_ids:
        personas, last = [id_bytes(text) for text in request.persona_ids], None
        here = repositories.personas.lengths(head.set_id, personas)
    else:
        limit = page_limit(min(request.page_size or MAX_PROMOTED, MAX_PROMOTED), head.max_framed)
        page = repositories.personas.page(group, head.set_id, after, limit)
        listed = ListPersonasResponse.FromString(page.framed).personas
        personas, last = [id_bytes(one.id) for one in listed], page.last if page.more else None
        here = dict.fromkeys(personas, 0)
    unmeasured: set[bytes] = set()
    looks = looks_at(repositories, list(here), policy, unmeasured) if here else {}
    return Candidates(personas, looks, last, unmeasured)


def promote_many(
    repositories: Transaction, request: PromotePersonasRequest, found: Candidates
) -> list[Promotion]:
    """Promote those candidates that are reliable, and return what became of each, in their order.

    Raises PROJECT_NOT_FOUND and PERSONA_GROUP_NOT_FOUND.
    """
    set_id = require_shown(repositories, request.project_id, request.group_id).set_id
    here = repositories.personas.lengths(set_id, found.personas) if found.personas else {}

    def outcome(persona: bytes) -> Promotion:
        if persona not in here:
            return _promotion(persona, "PERSONA_NOT_FOUND")
        if persona in found.unmeasured:
            return _promotion(persona, "NOT_ELIGIBLE", f"It {TOO_MANY_ANSWERS}.")
        return _promoted(repositories, persona, found.looks.get(persona))

    return [outcome(persona) for persona in found.personas]


def _promoted(repositories: Transaction, persona: bytes, look: Look | None) -> Promotion:
    """Return what became of a persona that the group shows."""
    try:
        entry, made = promote(repositories, persona, look)
    except AnswersCameError:
        return _promotion(persona, "ANSWERED_MEANWHILE")
    except ServiceError as error:
        if look is None or error.reason != errors_pb2.ERROR_REASON_NOT_ELIGIBLE:
            raise
        measured = look.measurement
        return _promotion(persona, measured.reliability.status.name, measured.explanation)
    promotion = _promotion(persona, "PROMOTED" if made else "ALREADY_PROMOTED")
    promotion.library_persona_id.value = id_text(entry.id)
    return promotion


def _promotion(persona: bytes, outcome: str, explanation: str = "") -> Promotion:
    return Promotion(
        persona_id=id_text(persona),
        outcome=PromotionOutcome.Value(f"PROMOTION_OUTCOME_{outcome}"),
        explanation=explanation,
    )
