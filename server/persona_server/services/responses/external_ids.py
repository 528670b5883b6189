"""Answers that name their persona by its external id, before they are recorded."""

from collections.abc import Sequence

from persona.v1.fidelity_pb2 import ReferenceAnswer
from persona.v1.response_pb2 import Response
from persona_server.errors import ServiceError
from persona_server.services.parents import group_not_found
from persona_server.services.responses.answerers import Unknown, personas_not_found, unknown_ids
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.store import Transaction
from persona_server.validation.terms import external_id_term

_NO_EXTERNAL_ID = "is not the external id of a persona of the group"


def name_by_id(
    repositories: Transaction,
    group_id: str,
    answers: Sequence[Response] | Sequence[ReferenceAnswer],
    field: str,
) -> set[int]:
    """Give every answer the id of its persona in place of the external id.

    `field` is what the answers are called in the request. Returns the places of those answers.
    Raises PERSONA_GROUP_NOT_FOUND, and PERSONA_NOT_FOUND naming each answer whose persona the group
    does not show.
    """
    if not group_id:  # then nobody is named so
        return set()
    group = repositories.groups.find(id_bytes(group_id))
    if group is None or group.deleted_at:
        raise group_not_found(group_id, where="")
    given = [one.persona_external_id for one in answers]
    terms = {text: external_id_term(text) for text in given if text}
    found = repositories.terms.find(group.set_id, list(terms.values()))
    unknown = {text for text, term in terms.items() if term not in found}
    if unknown:
        raise _not_found(repositories, answers, unknown, field)
    for answer in answers:
        if answer.persona_external_id:
            answer.persona_id = id_text(found[terms[answer.persona_external_id]])
            answer.ClearField("persona_external_id")
    return {i for i, text in enumerate(given) if text}


def _not_found(
    repositories: Transaction,
    answers: Sequence[Response] | Sequence[ReferenceAnswer],
    unknown: set[str],
    field: str,
) -> ServiceError:
    """PERSONA_NOT_FOUND for these external ids, and for ids that other answers have in their place.

    So who drops what is named need not be refused once more.
    """
    external = [one.persona_external_id for one in answers]
    ids = [one.persona_id for one in answers]
    unnamed = [i for i, text in enumerate(external) if text in unknown]
    plain = [id_bytes(text) for text in set(ids) if text]
    known = repositories.personas.ancestry(plain) if plain else {}
    unidentified = [i for i, text in enumerate(ids) if text and id_bytes(text) not in known]
    by_external_id = Unknown("persona_external_id", _NO_EXTERNAL_ID, unnamed, external)
    first = by_external_id.first
    said = f"There is no persona with the external id {first} in this persona group."
    others = unknown_ids(unidentified, ids)
    return personas_not_found(said, {"external_id": first}, field, by_external_id, others)
