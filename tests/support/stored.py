"""A group in a store, for tests that stand on the repositories alone."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import ListPersonasResponse
from persona_server.services.personas.adding import Added, Group, add_personas
from persona_server.services.personas.removing import hide_persona
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.filters import NO_FILTERS, Filters
from persona_server.storage.repositories.groups import Head, Locked
from persona_server.storage.repositories.pages import START, Page
from persona_server.storage.store import Repositories, Store, Transaction

TENANT = "acme"
EMPTY = b""  # a group's definition that names nothing


def rows(store: Store, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what a query of the test's own finds."""
    found: list[tuple[Any, ...]] = store.database.execute_sql(sql, values).fetchall()
    return found


def read(store: Store, tenant: str = TENANT) -> Repositories:
    """Return a tenant's data to read."""
    return store.reading(tenant)


class UndoneError(Exception):
    """Ends a transaction so that it is rolled back."""


def rolled_back(store: Store, work: Callable[[Transaction], Any], tenant: str = TENANT) -> None:
    """Do work in a transaction that fails afterwards."""
    try:
        with store.writing(tenant, None) as transaction:
            work(transaction)
            raise UndoneError
    except UndoneError:
        return


class StoredGroup:
    """A project with one group, and short words for what is done to its personas."""

    def __init__(self, store: Store, tenant: str = TENANT) -> None:
        self.store = store
        self.tenant = tenant
        self.project, self.group = uuid.uuid4().bytes, uuid.uuid4().bytes
        with store.writing(tenant, None) as repositories:
            repositories.projects.insert(self.project, "Project", "", repositories.now)
            repositories.groups.insert(self.group, self.project, EMPTY, repositories.now)

    def add(self, *personas: Persona) -> list[bytes]:
        """Add personas and return their ids."""
        with self.store.writing(self.tenant, None) as repositories:
            return self.add_in(repositories, *personas).ids

    def add_in(self, repositories: Transaction, *personas: Persona) -> Added:
        """Add personas in a transaction that is open."""
        parents = Group(id_text(self.project), id_text(self.group), self.locked(repositories))
        return add_personas(repositories, parents, personas, "personas[{}]")

    def locked(self, repositories: Repositories) -> Locked:
        locked = repositories.groups.lock(self.project, self.group)
        assert locked is not None
        return locked

    def head(self) -> Head:
        return read(self.store, self.tenant).groups.head(self.project, self.group)

    @property
    def set_id(self) -> int:
        found = self.head().set_id
        assert found is not None
        return found

    def count(self) -> int:
        found = read(self.store, self.tenant).groups.find(self.group)
        assert found is not None
        return found.persona_count

    def page(
        self,
        limit: int,
        after: bytes = START,
        filters: Filters = NO_FILTERS,
        terms: Sequence[bytes] = (),
    ) -> Page:
        personas = read(self.store, self.tenant).personas
        return personas.page(self.group, self.set_id, after, limit, filters, terms)

    def get(self, persona: bytes) -> bytes | None:
        return read(self.store, self.tenant).personas.get(self.project, self.group, persona).framed

    def hide(self, persona: bytes, now: int | None = None) -> bool:
        """Delete one persona at a time."""
        with self.store.writing(self.tenant, None) as repositories:
            locked, at = self.locked(repositories), now or repositories.now
            if not hide_persona(repositories, locked, persona, at):
                return False
            repositories.groups.changed(self.group, -1)
            return True

    def drop(self, now: int | None = None) -> int:
        """Delete all personas at a time, and return the set that they are in."""
        with self.store.writing(self.tenant, None) as repositories:
            old = self.locked(repositories).set_id
            repositories.groups.swap_set(self.group, old, now or repositories.now)
        return old

    def names(self, filters: Filters) -> set[str]:
        """Return the full names of the personas that match."""
        return {one.full_name for one in unframe(self.page(1000, filters=filters).framed)}


def unframe(framed: bytes) -> list[Persona]:
    """Return the personas of framed elements."""
    return list(ListPersonasResponse.FromString(framed).personas)


def raw(persona: Persona) -> bytes:
    """Return a persona's id as it is stored."""
    return id_bytes(persona.id)
