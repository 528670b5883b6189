"""Imports of one tenant that are under way, and the batches that they have committed."""

from typing import Any, NamedTuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.keys import DAY

KEEP_IMPORTS = 30 * DAY  # so long an import can be resumed


class ImportSession(NamedTuple):
    """An import: its group and set, the stream that owns it, and how far it is on disk.

    Of `persona_count` personas the group did not show `added_count` before.
    """

    group_id: bytes
    set_id: int
    owner: bytes
    committed_sequence: int
    persona_count: int
    added_count: int


class CommittedBatch(NamedTuple):
    """A batch, the hash by which it is known, how many personas it has, and how many it added."""

    sequence: int
    digest: bytes
    personas: int
    added: int


class ImportStatements:
    """Every statement on imports, compiled once."""

    def __init__(self, database: Database) -> None:
        session, batch = tables.ImportSession, tables.ImportBatch
        this = (session.tenant_id == param("tenant")) & (session.id == param("import_id"))
        columns = [getattr(session, name) for name in ImportSession._fields]
        self.find = Statement(database, session.select(*columns).where(this))
        row: dict[Any, Any] = {
            session.tenant_id: param("tenant"),
            session.id: param("import_id"),
            session.group_id: param("group"),
            session.set_id: param("set"),
            session.owner: param("owner"),
            session.committed_sequence: 0,
            session.persona_count: 0,
            session.added_count: 0,
            session.updated_at: param("now"),
        }
        self.start = Statement(database, session.insert(row))
        taken = {session.owner: param("owner"), session.updated_at: param("now")}
        self.take_over = Statement(database, session.update(taken).where(this))
        advanced = {
            session.committed_sequence: param("sequence"),
            session.persona_count: session.persona_count + param("count"),
            session.added_count: session.added_count + param("added"),
            session.updated_at: param("now"),
        }
        self.advance = Statement(database, session.update(advanced).where(this))
        entry: dict[Any, Any] = {
            batch.tenant_id: param("tenant"),
            batch.import_id: param("import_id"),
            batch.sequence: param("sequence"),
            batch.batch_hash: param("batch_hash"),
        }
        self.add_batch = Statement(database, batch.insert(entry))
        self.find_batch = Statement(
            database,
            batch.select(batch.batch_hash).where(
                (batch.tenant_id == param("tenant"))
                & (batch.import_id == param("import_id"))
                & (batch.sequence == param("sequence"))
            ),
        )


class Imports:
    """The imports of one tenant. The caller holds the group's lock."""

    def __init__(self, statements: ImportStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def find(self, import_id: bytes) -> ImportSession | None:
        """Return an import, or None."""
        row = self._do.find.first(tenant=self._tenant, import_id=import_id)
        return None if row is None else ImportSession(*row)

    def start(self, import_id: bytes, group: bytes, set_id: int, owner: bytes, now: int) -> None:
        """Begin an import that is not there yet."""
        self._do.start.run(
            tenant=self._tenant, import_id=import_id, group=group, set=set_id, owner=owner, now=now
        )

    def take_over(self, import_id: bytes, owner: bytes, now: int) -> None:
        """Make a newer stream the owner of an import."""
        self._do.take_over.run(tenant=self._tenant, import_id=import_id, owner=owner, now=now)

    def batch_hash(self, import_id: bytes, sequence: int) -> bytes | None:
        """Return the hash of a committed batch, or None."""
        row = self._do.find_batch.first(tenant=self._tenant, import_id=import_id, sequence=sequence)
        return None if row is None else bytes(row[0])

    def advance(self, import_id: bytes, batch: CommittedBatch, now: int) -> None:
        """Record the next batch as committed."""
        this = {"tenant": self._tenant, "import_id": import_id, "sequence": batch.sequence}
        self._do.advance.run(**this, count=batch.personas, added=batch.added, now=now)
        self._do.add_batch.run(**this, batch_hash=batch.digest)
