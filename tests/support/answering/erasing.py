"""A person in a store that is everywhere: promoted, reused and copied, with answers as each."""

import random
import uuid
from typing import NamedTuple

from persona.v1.persona_service_pb2 import CopyPersonasRequest
from persona.v1.response_pb2 import ChoiceAnswer
from persona_server.services.library.reusing import reuse
from persona_server.services.personas.adding import Group
from persona_server.services.personas.copying import copy_personas
from persona_server.storage.erasure.people import Person, PersonErasure
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.store import Store
from support.answering.looks import LENIENT, Served, say
from support.answering.measuring import random_batches, record_all
from support.answers import answer
from support.data import rich_persona, uid
from support.library import OWN, PEERS, SIMULATIONS, peer_answers, ratings
from support.stored import StoredGroup


class Everywhere(NamedTuple):
    """The personas of one person, and others with as many answers."""

    home: StoredGroup
    away: StoredGroup
    origin: bytes
    reused: bytes
    copy: bytes
    others: list[bytes]
    library_persona: bytes

    @property
    def person(self) -> set[bytes]:
        return {self.origin, self.reused, self.copy}


def everywhere(store: Store, seed: int = 1) -> Everywhere:
    """Let a person be promoted, reused and copied, and answer as each, among others."""
    home, away, tag = StoredGroup(store), StoredGroup(store), uid()
    (origin,) = home.add(rich_persona(full_name="Erased Person"))
    others = home.add(*[rich_persona(full_name=f"Other {i}") for i in range(len(PEERS))])
    for day in range(SIMULATIONS):
        given = peer_answers([id_text(one) for one in others], tag, day)
        say(home, *given, *ratings(id_text(origin), tag, OWN, day))
    for options in (["a", "b"], ["only"]):  # questions of its own, one of which counts for nothing
        choice = ChoiceAnswer(value=options[-1], options=options)
        say(home, answer(id_text(origin), question_key="its own", choice=choice))
    library = Served(store, home, LENIENT).promote(origin).id
    with store.writing(away.tenant, None) as repositories:
        group = Group(id_text(away.project), id_text(away.group), away.locked(repositories))
        (reused,) = reuse(repositories, group, [library]).ids
    copy = copied(away, home, origin)
    chance = random.Random(seed)
    record_all(home, random_batches(chance, [origin, *others], simulations=3, answers=40))
    record_all(away, random_batches(chance, [reused, copy], simulations=3, answers=40))
    return Everywhere(home, away, origin, reused, copy, others, id_bytes(library))


def copied(target: StoredGroup, source: StoredGroup, persona: bytes) -> bytes:
    """Copy a persona into another group and return the copy's id."""
    request = CopyPersonasRequest(
        source_project_id=id_text(source.project),
        source_group_id=id_text(source.group),
        persona_ids=[id_text(persona)],
    )
    with target.store.writing(target.tenant, None) as repositories:
        locked = target.locked(repositories)
        group = Group(id_text(target.project), id_text(target.group), locked)
        return copy_personas(repositories, group, request).ids[0]


def found(store: Store, persona: bytes, tenant: str) -> Person:
    """Return the person that a persona is."""
    person = PersonErasure(store, tenant).find(persona)
    assert person is not None
    return person


def erase(store: Store, persona: bytes, tenant: str) -> int:
    """Erase a person and return how many transactions took something."""
    return len(list(PersonErasure(store, tenant).erase(found(store, persona, tenant))))


def fixed(number: int) -> bytes:
    """Return an id that is the same in every store."""
    return uuid.UUID(int=number).bytes
