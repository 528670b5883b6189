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


class AuditStatements:
    """The one statement on the audit trail, compiled once."""

    def __init__(self, database: Database) -> None:
        audit = tables.Audit
        columns = ("tenant_id", "id", "at", *AuditEntry._fields)
        row = {getattr(audit, name): param(name) for name in columns}
        self.insert = Statement(database, audit.insert(row))


class AuditTrail:
    """The audit rows of one tenant."""

    def __init__(self, statements: AuditStatements, tenant: int, id_generator: IdGenerator) -> None:
        self._do = statements
        self._tenant = tenant
        self._id_generator = id_generator

    def add(self, entry: AuditEntry, now: int) -> None:
        """Record a mutation in the transaction that commits it."""
        self._do.insert.run(
            tenant_id=self._tenant, id=self._id_generator.next(now), at=now, **entry._asdict()
        )
