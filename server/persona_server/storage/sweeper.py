"""Purging: what was hidden long enough ago is removed for good, in small transactions.

The work list is in the data (`purge_after` on sets and rows), so that no failed chunk, late commit
or stepped clock makes it forget anything.
"""

from collections.abc import Callable, Iterator
from typing import Any

import apsw
from peewee import SQL, Select, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.sqlite import LOCK_TIMEOUT, SqliteDatabase, translated
from persona_server.storage.engine.statements import Statement, given, hole
from persona_server.storage.repositories.ledger import KEEP_ANSWERS, KEEP_IMPORTS
from persona_server.storage.repositories.personas import START
from persona_server.storage.repositories.tenants import Tenants

CHUNK = 5000  # rows a transaction: the log stays small, writers wait tens of milliseconds


class Sweeper:
    """Removes what has expired, tenant by tenant."""

    def __init__(self, database: SqliteDatabase, tenants: Tenants) -> None:
        self._database = database
        self._tenants = tenants
        self._sets(database)
        self._rows(database)
        kept = ["method", "request_id"]
        self._answers = expired(database, tables.Idempotency, kept, "created_at")
        self._import_batches = batches_of_expired(database)
        self._imports = expired(database, tables.ImportSession, ["id"], "updated_at")

    def _sets(self, database: SqliteDatabase) -> None:
        persona, persona_set = tables.Persona, tables.PersonaSet
        mine = persona_set.tenant_id == hole("tenant")
        self._due_sets = Statement(
            database,
            persona_set.select(persona_set.id)
            .where(mine & (persona_set.purge_after <= hole("until")))
            .order_by(persona_set.purge_after, persona_set.id),
        )
        here = (persona.tenant_id == hole("tenant")) & (persona.set_id == hole("set"))
        after = here & (persona.position > hole("after"))
        chunk = (persona.select(persona.position).where(after).order_by(persona.position)).limit(
            hole("chunk")
        )
        rows = chunk.alias("chunk")
        self._last_of_chunk = Statement(database, Select((rows,), (fn.max(rows.c.position),)))
        self._delete_chunk = Statement(
            database, persona.delete().where(after & (persona.position <= hole("last")) & free())
        )
        self._set_done = Statement(
            database,
            persona_set.delete().where(
                mine
                & (persona_set.id == hole("set"))
                & persona_set.purge_after.is_null(False)
                & ~fn.EXISTS(persona.select(SQL("1")).where(here))
            ),
        )

        self._unlist_set = Statement(
            database,
            persona_set.update({persona_set.purge_after: None}).where(
                mine & (persona_set.id == hole("set"))
            ),
        )

    def _rows(self, database: SqliteDatabase) -> None:
        persona = tables.Persona
        mine = persona.tenant_id == hole("tenant")
        self._due_rows = Statement(
            database,
            persona.select(persona.id)
            .where(mine & (persona.purge_after <= hole("until")))
            .order_by(persona.purge_after)
            .limit(hole("chunk")),
        )
        these = mine & persona.id.in_(given())
        self._delete_rows = Statement(database, persona.delete().where(these & free()))
        self._unlist_rows = Statement(
            database, persona.update({persona.purge_after: None}).where(these)
        )

    def sweep(self, now: int, retention: int, stopping: Callable[[], bool] = lambda: False) -> int:
        """Remove everything hidden before `now - retention` (microseconds); return the rows.

        `stopping` is asked after every chunk. Raises ServiceError if the database is not available.
        What is left, in either case, stays on the list.
        """
        removed = 0
        with translated():
            for count in self._chunks(now, retention):
                removed += count
                if stopping():
                    break
        return removed

    def _chunks(self, now: int, retention: int) -> Iterator[int]:
        """Yield the rows of each transaction, between which others may write."""
        for tenant in self._tenants.all():
            for (set_id,) in self._due_sets.all(tenant=tenant, until=now - retention):
                yield from self._purge_set(tenant, set_id)
            yield from self._purge_rows(tenant, now - retention)
            yield from self._drain(self._answers, tenant, now - KEEP_ANSWERS)
            # First what would go with an import by CASCADE, in one transaction however much.
            yield from self._drain(self._import_batches, tenant, now - KEEP_IMPORTS)
            yield from self._drain(self._imports, tenant, now - KEEP_IMPORTS)

    def _purge_set(self, tenant: int, set_id: int) -> Iterator[int]:
        after = START
        while True:
            with self._database.write(LOCK_TIMEOUT):
                row = self._last_of_chunk.first(tenant=tenant, set=set_id, after=after, chunk=CHUNK)
                if row is None or row[0] is None:
                    # A set that keeps rows is off the list, or every sweep would look at them.
                    if not self._set_done.run(tenant=tenant, set=set_id):
                        self._unlist_set.run(tenant=tenant, set=set_id)
                    return
                last = row[0]
                count = self._delete_chunk.run(tenant=tenant, set=set_id, after=after, last=last)
            yield count
            after = last

    def _purge_rows(self, tenant: int, until: int) -> Iterator[int]:
        due_count = CHUNK
        while due_count == CHUNK:
            with self._database.write(LOCK_TIMEOUT):
                due = self._due_rows.all(tenant=tenant, until=until, chunk=CHUNK)
                due_count = len(due)
                if not due:
                    return
                ids = apsw.carray(tuple(row[0] for row in due))
                count = self._delete_rows.run(tenant=tenant, ids=ids)
                self._unlist_rows.run(tenant=tenant, ids=ids)  # those left are kept for good
            yield count

    def _drain(self, statement: Statement, tenant: int, until: int) -> Iterator[int]:
        count = CHUNK
        while count == CHUNK:
            with self._database.write(LOCK_TIMEOUT):
                count = statement.run(tenant=tenant, until=until, chunk=CHUNK)
            yield count


def free() -> Any:
    """Return the condition that nothing recorded needs a persona's row: it can be purged."""
    persona = tables.Persona

    def unnamed(model: Any) -> Any:
        return ~fn.EXISTS(
            model.select(SQL("1")).where(
                (model.tenant_id == hole("tenant")) & (model.persona_id == persona.id)
            )
        )

    return unnamed(tables.Response.alias("recorded")) & unnamed(tables.LibraryLink.alias("linked"))


def expired(database: SqliteDatabase, model: Any, key: list[str], since: str) -> Statement:
    """Return the statement that deletes at most `chunk` rows whose time is at or before `until`."""
    columns = [getattr(model, name) for name in key]
    old = model.alias("old")
    oldest = (
        old.select(*[getattr(old, name) for name in key])
        .where((old.tenant_id == hole("tenant")) & (getattr(old, since) <= hole("until")))
        .order_by(getattr(old, since))
        .limit(hole("chunk"))
    )
    chosen = Tuple(*columns) if len(columns) > 1 else columns[0]
    return Statement(
        database, model.delete().where((model.tenant_id == hole("tenant")) & chosen.in_(oldest))
    )


def batches_of_expired(database: SqliteDatabase) -> Statement:
    """Return the statement that deletes at most `chunk` batches of imports that have expired."""
    batch, session = tables.ImportBatch, tables.ImportSession
    old = batch.alias("old")
    oldest = (
        session.select(old.import_id, old.sequence)
        .join(old, on=(old.tenant_id == hole("tenant")) & (old.import_id == session.id))
        .where((session.tenant_id == hole("tenant")) & (session.updated_at <= hole("until")))
        .order_by(session.updated_at)
        .limit(hole("chunk"))
    )
    chosen = Tuple(batch.import_id, batch.sequence).in_(oldest)
    mine = batch.tenant_id == hole("tenant")
    return Statement(database, batch.delete().where(mine & chosen))
