"""Copies: personas of one group put into another, each as an individual of its own."""

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import CopyPersonasRequest
from persona_server.services.indexes import refuse_large
from persona_server.services.parents import require_shown
from persona_server.services.personas.adding import (
    Added,
    Group,
    add_personas,
    clear_place,
    unframed,
)
from persona_server.services.personas.finding import require_all
from persona_server.storage.store import Transaction


def copy_personas(repositories: Transaction, group: Group, request: CopyPersonasRequest) -> Added:
    """Put copies of the personas that a request names into a locked group, all or none.

    Raises the reason of a missing parent, PERSONA_NOT_FOUND naming each, and MESSAGE_TOO_LARGE.
    """
    source = require_shown(repositories, request.source_project_id, request.source_group_id).set_id
    what = "is not the id of a persona in the group to copy from"
    there = require_all(repositories, source, request.persona_ids, what, "Nothing was copied.")
    advice = "Nothing was copied. Send the ids in parts."
    refuse_large(f"{len(there.ids)} personas", there.size, "copies", advice)
    known = repositories.personas.known(there.ids)
    copies = [_copy(unframed(known[raw].framed)) for raw in there.ids]
    return add_personas(repositories, group, copies, "persona_ids[{}]")


def _copy(persona: Persona) -> Persona:
    """Make a stored persona a new one of the same profile, without an external id.

    It is new in its group as a reused one is, so its time is that of the copying.
    """
    persona.copied_from.value = persona.id
    clear_place(persona)
    persona.ClearField("created_at")
    return persona
