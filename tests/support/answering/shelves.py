"""A large library, written into the database: by promotion it would take hours."""

import random
import uuid
from pathlib import Path

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.project_pb2 import PersonaGroup
from persona_server.services.personas.adding import Group, add_personas
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.library import LibraryRow
from persona_server.storage.store import Transaction, open_store
from persona_server.validation.filters import search_keys
from support.data import persona
from support.service import where

_BATCH = 1000


def fill_library(data: Path, tenant: str, number: int) -> None:
    """Put this many library personas into a tenant's library, of a group of their own."""
    store = open_store(where(data), make=False)
    source = random.Random(7)
    try:
        project, group = uuid.uuid4().bytes, uuid.uuid4().bytes
        with store.writing(tenant, None) as repositories:
            repositories.projects.insert(project, "shelf", "", repositories.now)
            definition = PersonaGroup(name="shelf").SerializeToString()
            repositories.groups.insert(group, project, definition, repositories.now)
        for _ in range(0, number, _BATCH):
            with store.writing(tenant, None) as repositories:
                _shelve(repositories, project, group, source)
    finally:
        store.close()


def _shelve(repositories: Transaction, project: bytes, group: bytes, source: random.Random) -> None:
    locked = repositories.groups.lock(project, group)
    assert locked is not None
    people = [
        persona(full_name="Shelved", age=source.randrange(18, 90), location=f"Town {i % 90}")
        for i in range(_BATCH)
    ]
    place = Group(id_text(project), id_text(group), locked)
    ids = add_personas(repositories, place, people, "personas[{}]").ids
    for origin, one in zip(ids, people, strict=True):
        library = LibraryPersona(id=str(uuid.uuid4()), profile=one)
        library.reliability.lower_bound.value = source.uniform(0.7, 1)
        repositories.library.insert(
            LibraryRow(
                tenant=repositories.tenant,
                id=id_bytes(library.id),
                origin_project_id=project,
                origin_persona_id=origin,
                age=one.age.value,
                keys=search_keys(one),
                lower_bound=library.reliability.lower_bound.value,
                created_at=repositories.now,
                body=library.SerializeToString(),
                project_count=1,
                response_count=0,
            )
        )
