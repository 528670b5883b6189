"""A tenant erased: all that it has, in chunks, but for its name, its quotas and one audit row."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from peewee import Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.erasure.guard import EVERYBODY, Guard
from persona_server.storage.erasure.people import OPERATOR
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.store import Store

METHOD = "EraseTenant"  # as the audit trail names it
CHUNK = 5000  # rows of a transaction
# In this order: nothing goes before what refers to it. Quotas are the operator's, and what was
# revoked stays so.
CONTENT: tuple[Any, ...] = (
    tables.Idempotency,
    tables.ImportBatch,
    tables.ImportSession,
    tables.Asked,
    tables.Answered,
    tables.Series,
    tables.Piece,
    tables.AnswerSet,
    tables.AnswerModel,
    tables.Tally,
    tables.Sums,
    tables.Question,
    tables.Promotion,
    tables.PersonaTerm,
    tables.LibraryTerm,
    tables.LibraryLink,
    tables.LibraryPersona,
    tables.ReferenceAnswer,
    tables.Voiding,
    tables.SimulationVoid,
    tables.ResponseVoid,
    tables.Response,
    tables.Simulation,
    tables.Persona,
    tables.PersonaSet,
    tables.PersonaGroup,
    tables.Project,
    tables.ApiKey,
    tables.TenantUsage,
    tables.Audit,
)


class Held(NamedTuple):
    """What a tenant has: how many projects, personas, hidden ones included, and answers."""

    projects: int
    personas: int
    responses: int


class TenantErasure:
    """Erases tenants. No server may be running."""

    def __init__(self, store: Store) -> None:
        database = store.database
        self._store = store
        self._guard = Guard(database)
        counted = (tables.Project, tables.Persona, tables.Response)
        self._counts = [Statement(database, _count(model)) for model in counted]
        self._drops = [_dropped(database, model) for model in CONTENT]

    def held(self, tenant: str) -> Held:
        """Return what a tenant has."""
        key = self._store.tenants.key(tenant)
        return Held(*(statement.all(tenant=key)[0][0] for statement in self._counts))

    def erase(self, tenant: str) -> Iterator[int]:
        """Erase a tenant, and yield how many rows each transaction took.

        Broken off, it goes on when it is called again. Raises ServiceError if the database is not
        available.
        """
        held, key = self.held(tenant), self._store.tenants.key(tenant)
        for statement in self._drops:
            count = CHUNK
            while count == CHUNK:
                with self._guard.erasing(self._store, tenant, [EVERYBODY]):
                    count = statement.run(tenant=key, chunk=CHUNK)
                yield count
        entry = AuditEntry(
            METHOD, OPERATOR, persona_count=held.personas, response_count=held.responses
        )
        with self._store.writing(tenant, None) as repositories:
            repositories.audit.add(entry, repositories.now)


def _count(model: Any) -> Any:
    return model.select(fn.count(model.tenant_id)).where(model.tenant_id == param("tenant"))


def _dropped(database: Database, model: Any) -> Statement:
    """Return the statement that deletes at most `chunk` rows of a tenant."""
    old = model.alias("old")
    names = [field.name for field in model._meta.get_primary_keys()]
    columns, same = ([getattr(one, name) for name in names] for one in (model, old))
    some = old.select(*same).where(old.tenant_id == param("tenant")).limit(param("chunk"))
    chosen = Tuple(*columns) if len(columns) > 1 else columns[0]
    return Statement(
        database, model.delete().where((model.tenant_id == param("tenant")) & chosen.in_(some))
    )
