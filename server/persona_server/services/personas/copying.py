"""Copies: personas of one group put into another, each as an individual of its own."""

from persona.v1 import errors_pb2
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import CopyPersonasRequest
from persona_server.services.indexes import ids_refused, refuse_large
from persona_server.services.parents import require_shown
from persona_server.services.personas.adding import Added, Group, add_personas, unframed
from persona_server.storage.keys import id_bytes
from persona_server.storage.store import Transaction


def copy_personas(repositories: Transaction, group: Group, request: CopyPersonasRequest) -> Added:
    """Put copies of the personas that a request names into a locked group, all or none.

    Raises the reason of a missing parent, PERSONA_NOT_FOUND naming each, and MESSAGE_TOO_LARGE.
    """
    source = require_shown(repositories, request.source_project_id, request.source_group_id).set_id
    wanted = [id_bytes(text) for text in request.persona_ids]
    lengths = repositories.personas.lengths(source, wanted)  # before any is read
    if missing := [i for i, raw in enumerate(wanted) if raw not in lengths]:
        raise ids_refused(
            errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND,
            "persona_ids",
            "is not the id of a persona in the group to copy from",
            missing,
            request.persona_ids,
            "Nothing was copied.",
        )
    advice = "Nothing was copied. Send the ids in parts."
    refuse_large(f"{len(wanted)} personas", sum(lengths.values()), "copies", advice)
    known = repositories.personas.known(wanted)
    copies = [_copy(unframed(known[raw].framed)) for raw in wanted]
    return add_personas(repositories, group, copies, "persona_ids[{}]")


def _copy(persona: Persona) -> Persona:
    """Make a stored persona a new one of the same profile, without an external id.

    It is new in its group as a reused one is, so its time is that of the copying.
    """
    persona.copied_from.value = persona.id
    for name in (
        "id",
        "external_id",
        "project_id",
        "group_id",
        "library_persona_id",
        "created_at",
    ):
        persona.ClearField(name)
    return persona
