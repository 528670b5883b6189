"""Purging: what was hidden long enough ago is removed for good, in small transactions.

The work list is in the data (`purge_after` on sets and rows), so that no failed chunk, late commit
or stepped clock makes it forget anything.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_
from typing import Any

from peewee import SQL, Select, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import LOCK_TIMEOUT, Database
from persona_server.storage.engine.dialect import id_list, last_position, one_of
from persona_server.storage.engine.errors import driver_errors_translated
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.pace import Pace
from persona_server.storage.repositories.idempotency import KEEP_ANSWERS
from persona_server.storage.repositories.imports import KEEP_IMPORTS
from persona_server.storage.repositories.pages import START
from persona_server.storage.repositories.quotas import QuotaStatements
from persona_server.storage.repositories.tenants import Tenants


class Sweeper:
    """Removes what has expired, tenant by tenant."""

    def __init__(self, database: Database, tenants: Tenants) -> None:
        self._database = database
        self._tenants = tenants
        self._sets(database)
        self._rows(database)
        self._add_stored = QuotaStatements(database).add
        kept = ["method", "request_id"]
        self._any_due = Statement(database, anything_due())
        self._answers = expired(database, tables.Idempotency, kept, "created_at")
        self._import_batches = batches_of_expired(database)
        self._imports = expired(database, tables.ImportSession, ["id"], "updated_at")

    def _sets(self, database: Database) -> None:
        persona, persona_set = tables.Persona, tables.PersonaSet
        mine = persona_set.tenant_id == param("tenant")
        self._due_sets = Statement(
            database,
            persona_set.select(persona_set.id)
            .where(mine & (persona_set.purge_after <= param("until")))
            .order_by(persona_set.purge_after, persona_set.id),
        )
        here = (persona.tenant_id == param("tenant")) & (persona.set_id == param("set"))
        after = here & (persona.position > param("after"))
        chunk = (persona.select(persona.position).where(after).order_by(persona.position)).limit(
            param("chunk")
        )
        rows = chunk.alias("chunk")
        self._last_of_chunk = Statement(
            database, Select((rows,), (last_position(rows.c.position),))
        )
        gone = after & (persona.position <= param("last")) & free()
        self._size_of_chunk = Statement(database, persona.select(size()).where(gone))
        self._delete_chunk = Statement(database, persona.delete().where(gone))
        self._delete_terms = terms_of_set(database)
        self._set_done = Statement(
            database,
            persona_set.delete().where(
                mine
                & (persona_set.id == param("set"))
                & persona_set.purge_after.is_null(False)
                & ~fn.EXISTS(persona.select(SQL("1")).where(here))
            ),
        )

        self._unlist_set = Statement(
            database,
            persona_set.update({persona_set.purge_after: None}).where(
                mine & (persona_set.id == param("set"))
            ),
        )

    def _rows(self, database: Database) -> None:
        persona = tables.Persona
        mine = persona.tenant_id == param("tenant")
        self._due_rows = Statement(
            database,
            persona.select(persona.id)
            .where(mine & (persona.purge_after <= param("until")))
            .order_by(persona.purge_after)
            .limit(param("chunk")),
        )
        these = mine & one_of(persona.id)
        self._size_of_rows = Statement(database, persona.select(size()).where(these & free()))
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
        with driver_errors_translated():
            for count in self._chunks(now, retention):
                removed += count
                if stopping():
                    break
        return removed

    def _chunks(self, now: int, retention: int) -> Iterator[int]:
        """Yield the rows of each transaction, between which others may write."""
        for tenant in self._tenants.all():
            if not self._is_due(tenant, now, retention):
                continue
            for (set_id,) in self._due_sets.all(tenant=tenant, until=now - retention):
                yield from self._purge_set(tenant, set_id)
            yield from self._purge_rows(tenant, now - retention)
            yield from self._drain(self._answers, tenant, now - KEEP_ANSWERS)
            # First what would go with an import by CASCADE, in one transaction however much.
            yield from self._drain(self._import_batches, tenant, now - KEEP_IMPORTS)
            yield from self._drain(self._imports, tenant, now - KEEP_IMPORTS)

    def _is_due(self, tenant: int, now: int, retention: int) -> bool:
        """Return whether a tenant has anything to remove: of most it costs this look alone."""
        times = {"until": now - retention, "answers": now - KEEP_ANSWERS}
        row = self._any_due.first(tenant=tenant, imports=now - KEEP_IMPORTS, **times)
        return row is not None and bool(row[0])

    @contextmanager
    def _writing(self, tenant: int, pace: Pace) -> Iterator[None]:
        with self._database.write(LOCK_TIMEOUT):
            self._tenants.hold(tenant)
            began = time.monotonic()
            yield
        pace.held(time.monotonic() - began)

    def _purge_set(self, tenant: int, set_id: int) -> Iterator[int]:
        after, pace = START, Pace()
        while True:
            with self._writing(tenant, pace):
                row = self._last_of_chunk.first(
                    tenant=tenant, set=set_id, after=after, chunk=pace.rows
                )
                if row is None or row[0] is None:
                    break
                last = row[0]
                chunk = {"tenant": tenant, "set": set_id, "after": after, "last": last}
                self._give_back(self._size_of_chunk, chunk)
                count = self._delete_chunk.run(**chunk)
            yield count
            pace.rest()
            after = last
        yield from self._purge_terms(tenant, set_id)
        with self._writing(tenant, pace):
            # A set that keeps rows is off the list, or every sweep would look at them.
            if not self._set_done.run(tenant=tenant, set=set_id):
                self._unlist_set.run(tenant=tenant, set=set_id)

    def _purge_terms(self, tenant: int, set_id: int) -> Iterator[int]:
        """Remove the terms of a set in chunks, which are no rows of anybody's."""
        count, wanted, pace = 0, 0, Pace()
        while count == wanted:
            wanted = pace.rows
            with self._writing(tenant, pace):
                count = self._delete_terms.run(tenant=tenant, set=set_id, chunk=wanted)
            yield 0
            pace.rest()

    def _purge_rows(self, tenant: int, until: int) -> Iterator[int]:
        due_count, wanted, pace = 0, 0, Pace()
        while due_count == wanted:
            wanted = pace.rows
            with self._writing(tenant, pace):
                due = self._due_rows.all(tenant=tenant, until=until, chunk=wanted)
                due_count = len(due)
                if not due:
                    return
                ids = id_list([row[0] for row in due])
                self._give_back(self._size_of_rows, {"tenant": tenant, "ids": ids})
                count = self._delete_rows.run(tenant=tenant, ids=ids)
                self._unlist_rows.run(tenant=tenant, ids=ids)  # those left are kept for good
            yield count
            pace.rest()

    def _give_back(self, size_of: Statement, rows: dict[str, Any]) -> None:
        """Take the bytes of rows that are removed next from what their tenant has stored."""
        row = size_of.first(**rows)
        if row is not None and row[0]:
            self._add_stored.run(tenant=rows["tenant"], size=-row[0])

    def _drain(self, statement: Statement, tenant: int, until: int) -> Iterator[int]:
        count, wanted, pace = 0, 0, Pace()
        while count == wanted:
            wanted = pace.rows
            with self._writing(tenant, pace):
                count = statement.run(tenant=tenant, until=until, chunk=wanted)
            yield count
            pace.rest()


def size() -> Any:
    """Return the expression of the bytes of all rows that are found, as usage counts them."""
    return fn.SUM(fn.LENGTH(tables.Persona.framed))


def free() -> Any:
    """Return the condition that nothing recorded needs a persona's row: it can be purged.

    That of one who was erased is kept, so that the id stays taken.
    """
    persona = tables.Persona

    def unnamed(model: Any) -> Any:
        return ~fn.EXISTS(
            model.select(SQL("1")).where(
                (model.tenant_id == param("tenant")) & (model.persona_id == persona.id)
            )
        )

    return (
        persona.erased_at.is_null()
        & unnamed(tables.Response.alias("recorded"))
        & unnamed(tables.LibraryLink.alias("linked"))
        & unnamed(tables.ReferenceAnswer.alias("referred"))
    )


def anything_due() -> Select:
    """Return the query of whether a tenant has a row on any of the lists."""

    def due(model: Any, since: str, until: str) -> Any:
        one = model.tenant_id == param("tenant")
        old = getattr(model, since) <= param(until)
        return fn.EXISTS(model.select(SQL("1")).where(one & old))

    lists = (
        due(tables.PersonaSet, "purge_after", "until"),
        due(tables.Persona, "purge_after", "until"),
        due(tables.Idempotency, "created_at", "answers"),
        due(tables.ImportSession, "updated_at", "imports"),
    )
    return Select(columns=[reduce(or_, lists)])


def expired(database: Database, model: Any, key: list[str], since: str) -> Statement:
    """Return the statement that deletes at most `chunk` rows whose time is at or before `until`."""
    columns = [getattr(model, name) for name in key]
    old = model.alias("old")
    oldest = (
        old.select(*[getattr(old, name) for name in key])
        .where((old.tenant_id == param("tenant")) & (getattr(old, since) <= param("until")))
        .order_by(getattr(old, since))
        .limit(param("chunk"))
    )
    chosen = Tuple(*columns) if len(columns) > 1 else columns[0]
    return Statement(
        database, model.delete().where((model.tenant_id == param("tenant")) & chosen.in_(oldest))
    )


def terms_of_set(database: Database) -> Statement:
    """Return the statement that deletes at most `chunk` terms of a set that nobody sees."""
    term, old = tables.PersonaTerm, tables.PersonaTerm.alias("old")
    first = (
        old.select(old.hash, old.position)
        .where((old.tenant_id == param("tenant")) & (old.set_id == param("set")))
        .limit(param("chunk"))
    )
    here = (term.tenant_id == param("tenant")) & (term.set_id == param("set"))
    return Statement(
        database, term.delete().where(here & Tuple(term.hash, term.position).in_(first))
    )


def batches_of_expired(database: Database) -> Statement:
    """Return the statement that deletes at most `chunk` batches of imports that have expired."""
    batch, session = tables.ImportBatch, tables.ImportSession
    old = batch.alias("old")
    oldest = (
        session.select(old.import_id, old.sequence)
        .join(old, on=(old.tenant_id == param("tenant")) & (old.import_id == session.id))
        .where((session.tenant_id == param("tenant")) & (session.updated_at <= param("until")))
        .order_by(session.updated_at)
        .limit(param("chunk"))
    )
    chosen = Tuple(batch.import_id, batch.sequence).in_(oldest)
    mine = batch.tenant_id == param("tenant")
    return Statement(database, batch.delete().where(mine & chosen))
