"""The one way by which a persona leaves the set that its group shows: it is hidden, not removed."""

from persona_server.services.personas.adding import position_of, unframed
from persona_server.storage.repositories.groups import Locked
from persona_server.storage.store import Transaction
from persona_server.validation.terms import terms_of


def hide_persona(repositories: Transaction, locked: Locked, persona: bytes, now: int) -> bool:
    """Hide one persona of a locked group, and return whether it was visible.

    Nothing finds it any more, so that its external id is free again.
    """
    if not repositories.personas.hide(persona, locked.set_id, locked.hidden_set_id, now):
        return False
    framed = repositories.personas.recorded(persona)
    assert framed is not None  # the row is only in another set now
    stored = unframed(framed)
    repositories.terms.remove(locked.set_id, position_of(stored), terms_of(stored))
    return True
