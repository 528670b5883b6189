"""The audit trail of one tenant: written, never changed."""

from typing import NamedTuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.keys import IdGenerator


class AuditEntry(NamedTuple):
    """One committed mutation: the resources it named, and how many of them it touched.

    `peer` is the address that it came from, None where the service itself did it.
    """

    method: str
    actor: str
    project_id: bytes | None = None
    group_id: bytes | None = None
    persona_id: bytes | None = None
    persona_count: int | None = None
    request_id: bytes | None = None
    simulation_id: bytes | None = None
    response_count: int | None = None
    library_persona_id: bytes | None = None
    peer: str | None = None


class AuditRow(NamedTuple):
    """A mutation with its id in the trail, and when it was, in microseconds since 1970."""

    id: int
    at: int
    entry: AuditEntry


class AuditStatements:
    """Every statement on the audit trail, compiled once."""

    def __init__(self, database: Database) -> None:
        audit = tables.Audit
        columns = ("tenant_id", "id", "at", *AuditEntry._fields)
        row = {getattr(audit, name): param(name) for name in columns}
        self.insert = Statement(database, audit.insert(row))
        shown = [getattr(audit, name) for name in columns[1:]]
        later = (audit.tenant_id == param("tenant")) & (audit.id > param("after"))
        self.page = Statement(
            database, audit.select(*shown).where(later).order_by(audit.id).limit(param("limit"))
        )


class AuditTrail:
    """The audit rows of one tenant."""

    def __init__(self, statements: AuditStatements, tenant: int, id_generator: IdGenerator) -> None:
        self._do = statements
        self._tenant = tenant
        self._id_generator = id_generator

    def page(self, after: int, limit: int) -> list[AuditRow]:
        """Return the first rows whose id is above `after`."""
        rows = self._do.page.all(tenant=self._tenant, after=after, limit=limit)
        return [AuditRow(row_id, at, AuditEntry(*entry)) for row_id, at, *entry in rows]

    def add(self, entry: AuditEntry, now: int) -> None:
        """Record a mutation in the transaction that commits it."""
        self._do.insert.run(
            tenant_id=self._tenant, id=self._id_generator.next(now), at=now, **entry._asdict()
        )
