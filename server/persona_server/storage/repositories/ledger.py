"""What was done: answers kept for retries, imports under way, and the audit trail."""

from typing import Any, NamedTuple

from persona_server.storage import tables
from persona_server.storage.engine.sqlite import SqliteDatabase
from persona_server.storage.engine.statements import Statement, hole
from persona_server.storage.keys import Serial

DAY = 86_400_000_000  # microseconds
KEEP_ANSWERS = 1 * DAY  # so long an answer can be asked for again
KEEP_IMPORTS = 30 * DAY  # so long an import can be resumed


class Kept(NamedTuple):
    """An answer kept under a request_id, and the hash of the request it answered."""

    request_hash: bytes
    answer: bytes


class Session(NamedTuple):
    """An import as its ledger has it."""

    group_id: bytes
    set_id: int
    owner: bytes
    committed_sequence: int
    persona_count: int


class AuditEntry(NamedTuple):
    """One committed mutation: the resources it named, and how many of them it touched."""

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


class LedgerStatements:
    """Every statement on retries, imports and audit, compiled once."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._retries(database)
        self._imports(database)
        audit = tables.Audit
        columns = ("tenant_id", "id", "at", *AuditEntry._fields)
        row = {getattr(audit, name): hole(name) for name in columns}
        self.audit = Statement(database, audit.insert(row))

    def _retries(self, database: SqliteDatabase) -> None:
        kept = tables.Idempotency
        self.find_answer = Statement(
            database,
            kept.select(kept.request_hash, kept.answer).where(
                (kept.tenant_id == hole("tenant"))
                & (kept.method == hole("method"))
                & (kept.request_id == hole("request_id"))
                & (kept.created_at > hole("since"))
            ),
        )
        row: dict[Any, Any] = {
            kept.tenant_id: hole("tenant"),
            kept.method: hole("method"),
            kept.request_id: hole("request_id"),
            kept.request_hash: hole("request_hash"),
            kept.answer: hole("answer"),
            kept.created_at: hole("now"),
        }
        self.keep_answer = Statement(database, kept.insert(row).on_conflict_replace())

    def _imports(self, database: SqliteDatabase) -> None:
        session, batch = tables.ImportSession, tables.ImportBatch
        this = (session.tenant_id == hole("tenant")) & (session.id == hole("import_id"))
        columns = [getattr(session, name) for name in Session._fields]
        self.find_import = Statement(database, session.select(*columns).where(this))
        row: dict[Any, Any] = {
            session.tenant_id: hole("tenant"),
            session.id: hole("import_id"),
            session.group_id: hole("group"),
            session.set_id: hole("set"),
            session.owner: hole("owner"),
            session.committed_sequence: 0,
            session.persona_count: 0,
            session.updated_at: hole("now"),
        }
        self.start_import = Statement(database, session.insert(row))
        taken = {session.owner: hole("owner"), session.updated_at: hole("now")}
        self.take_import = Statement(database, session.update(taken).where(this))
        advanced = {
            session.committed_sequence: hole("sequence"),
            session.persona_count: session.persona_count + hole("count"),
            session.updated_at: hole("now"),
        }
        self.advance_import = Statement(database, session.update(advanced).where(this))
        entry: dict[Any, Any] = {
            batch.tenant_id: hole("tenant"),
            batch.import_id: hole("import_id"),
            batch.sequence: hole("sequence"),
            batch.batch_hash: hole("batch_hash"),
        }
        self.add_batch = Statement(database, batch.insert(entry))
        self.find_batch = Statement(
            database,
            batch.select(batch.batch_hash).where(
                (batch.tenant_id == hole("tenant"))
                & (batch.import_id == hole("import_id"))
                & (batch.sequence == hole("sequence"))
            ),
        )


class Retries:
    """The answers that one tenant's mutations may ask for again."""

    def __init__(self, statements: LedgerStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def find(self, method: str, request_id: bytes, since: int) -> Kept | None:
        """Return the answer kept under a request_id after `since` (microseconds), or None."""
        row = self._do.find_answer.first(
            tenant=self._tenant, method=method, request_id=request_id, since=since
        )
        return None if row is None else Kept(*row)

    def keep(
        self, method: str, request_id: bytes, request_hash: bytes, answer: bytes, now: int
    ) -> None:
        """Keep an answer, over one that has expired but was not swept yet."""
        self._do.keep_answer.run(
            tenant=self._tenant,
            method=method,
            request_id=request_id,
            request_hash=request_hash,
            answer=answer,
            now=now,
        )


class Imports:
    """The import ledger of one tenant. The caller holds the group's lock."""

    def __init__(self, statements: LedgerStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def find(self, import_id: bytes) -> Session | None:
        """Return an import, or None."""
        row = self._do.find_import.first(tenant=self._tenant, import_id=import_id)
        return None if row is None else Session(*row)

    def start(self, import_id: bytes, group: bytes, set_id: int, owner: bytes, now: int) -> None:
        """Begin an import that is not there yet."""
        self._do.start_import.run(
            tenant=self._tenant, import_id=import_id, group=group, set=set_id, owner=owner, now=now
        )

    def take_over(self, import_id: bytes, owner: bytes, now: int) -> None:
        """Make a newer stream the owner of an import."""
        self._do.take_import.run(tenant=self._tenant, import_id=import_id, owner=owner, now=now)

    def batch_hash(self, import_id: bytes, sequence: int) -> bytes | None:
        """Return the hash of a committed batch, or None."""
        row = self._do.find_batch.first(tenant=self._tenant, import_id=import_id, sequence=sequence)
        return None if row is None else bytes(row[0])

    def advance(self, import_id: bytes, sequence: int, digest: bytes, count: int, now: int) -> None:
        """Record the next batch as committed."""
        self._do.advance_import.run(
            tenant=self._tenant, import_id=import_id, sequence=sequence, count=count, now=now
        )
        self._do.add_batch.run(
            tenant=self._tenant, import_id=import_id, sequence=sequence, batch_hash=digest
        )


class AuditTrail:
    """The audit rows of one tenant: written, never changed."""

    def __init__(self, statements: LedgerStatements, tenant: int, serial: Serial) -> None:
        self._do = statements
        self._tenant = tenant
        self._serial = serial

    def add(self, entry: AuditEntry, now: int) -> None:
        """Record a mutation in the transaction that commits it."""
        self._do.audit.run(
            tenant_id=self._tenant, id=self._serial.next(now), at=now, **entry._asdict()
        )
