"""Purging: what was hidden long enough ago is removed for good, in small transactions.

The work list is in the data (`purge_after` on sets and rows), so that no failed chunk, late commit
or stepped clock makes it forget anything.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from peewee import SQL, Case, Field, Select, Tuple, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import LOCK_TIMEOUT, Database
from persona_server.storage.engine.dialect import id_list, last_position, one_of
from persona_server.storage.engine.errors import driver_errors_translated, faults_kept_apart
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.pace import SWEEPERS_REST, Pace
from persona_server.storage.repositories.idempotency import KEEP_ANSWERS
from persona_server.storage.repositories.imports import KEEP_IMPORTS
from persona_server.storage.repositories.pages import START
from persona_server.storage.repositories.quotas import QuotaStatements
from persona_server.storage.repositories.tenants import Tenants


@dataclass(frozen=True)
class Purge:
    """Statements on the same rows: one reads them all, with their keys, and one deletes them.

    What is on the disk is read before the turn to write: meanwhile others have it.
    """

    look: Statement
    delete: Statement


class Sweeper:
    """Removes what has expired, tenant by tenant."""

    def __init__(self, database: Database, tenants: Tenants) -> None:
        self._database = database
        self._tenants = tenants
        self._sets(database)
        self._rows(database)
        self._add_stored = QuotaStatements(database).add
        answer, session = tables.Idempotency, tables.ImportSession
        self._any_due = Statement(database, anything_due())
        kept: list[Field] = [answer.method, answer.request_id]
        self._answers = expired(database, answer.created_at, kept, answer.answer)
        self._import_batches = batches_of_expired(database)
        self._imports = expired(database, session.updated_at, [session.id], session.owner)

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
        # By their ids, so that it reads that index too.
        ids = persona.id.in_(persona.select(persona.id).where(gone))
        self._chunk = Purge(
            Statement(
                database,
                persona.select(size()).where((persona.tenant_id == param("tenant")) & ids),
            ),
            Statement(database, persona.delete().where(gone)),
        )
        self._terms = terms_of_set(database)
        self._set_done = Statement(
            database,
            persona_set.delete().where(
                mine
                & (persona_set.id == param("set"))
                & persona_set.purge_after.is_null(False)
                & ~fn.EXISTS(persona.select(SQL("1")).where(here))
            ),
        )

        copies = persona.select(SQL("1")).where(here & persona.copied_from.is_null(False))
        self._unlist_set = Statement(
            database,
            persona_set.update({persona_set.purge_after: again(fn.EXISTS(copies))}).where(
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
        # One may be brought back after it was found, and before the turn to write.
        these = mine & one_of(persona.id) & (persona.purge_after <= param("until"))
        self._size_of_rows = Statement(database, persona.select(size()).where(these & free()))
        self._delete_rows = Statement(database, persona.delete().where(these & free()))
        self._unlist_rows = Statement(
            database,
            persona.update({persona.purge_after: again(persona.copied_from.is_null(False))}).where(
                these
            ),
        )

    def sweep(self, now: int, retention: int, stopping: Callable[[], bool] = lambda: False) -> int:
        """Remove everything hidden before `now - retention` (microseconds); return the rows.

        `stopping` is asked after every chunk. Raises ServiceError if the database is not available,
        and any fault of one tenant when all others are swept. What is left stays on the list.
        """
        removed = 0
        with driver_errors_translated(), faults_kept_apart() as apart:
            for tenant in self._tenants.all():
                with apart():
                    for count in self._chunks(tenant, now, retention):
                        removed += count
                        if stopping():
                            return removed
        return removed

    def _chunks(self, tenant: int, now: int, retention: int) -> Iterator[int]:
        """Yield the rows of each transaction, between which others may write."""
        if not self._is_due(tenant, now, retention):
            return
        for (set_id,) in self._due_sets.all(tenant=tenant, until=now - retention):
            yield from self._purge_set(tenant, set_id, now)
        yield from self._purge_rows(tenant, now - retention, now)
        yield from self._drain(self._answers, tenant, until=now - KEEP_ANSWERS)
        # First what would go with an import by CASCADE, in one transaction however much.
        yield from self._drain(self._import_batches, tenant, until=now - KEEP_IMPORTS)
        yield from self._drain(self._imports, tenant, until=now - KEEP_IMPORTS)

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

    def _purge_set(self, tenant: int, set_id: int, now: int) -> Iterator[int]:
        after, pace = START, Pace(SWEEPERS_REST)
        while True:
            row = self._last_of_chunk.first(tenant=tenant, set=set_id, after=after, chunk=pace.rows)
            if row is None or row[0] is None:
                break
            last = row[0]
            chunk = {"tenant": tenant, "set": set_id, "after": after, "last": last}
            self._chunk.look.first(**chunk)
            with self._writing(tenant, pace):
                self._give_back(self._size_of_chunk, chunk)
                count = self._chunk.delete.run(**chunk)
            yield count
            pace.rest()
            after = last
        for _ in self._drain(self._terms, tenant, set=set_id):
            yield 0  # they are no rows of anybody's
        with self._writing(tenant, pace):
            # A set that keeps rows is off the list, or every sweep would look at them.
            if not self._set_done.run(tenant=tenant, set=set_id):
                self._unlist_set.run(tenant=tenant, set=set_id, now=now)

    def _purge_rows(self, tenant: int, until: int, now: int) -> Iterator[int]:
        due_count, wanted, pace = 0, 0, Pace(SWEEPERS_REST)
        while due_count == wanted:
            wanted = pace.rows
            due = self._due_rows.all(tenant=tenant, until=until, chunk=wanted)
            due_count = len(due)
            if not due:
                return
            ids = id_list([row[0] for row in due])
            rows = {"tenant": tenant, "ids": ids, "until": until}
            self._size_of_rows.first(**rows)  # from the disk, before the turn
            with self._writing(tenant, pace):
                self._give_back(self._size_of_rows, rows)
                count = self._delete_rows.run(**rows)
                self._unlist_rows.run(now=now, **rows)  # those left are kept
            yield count
            pace.rest()

    def _give_back(self, size_of: Statement, rows: dict[str, Any]) -> None:
        """Take the bytes of rows that are removed next from what their tenant has stored."""
        row = size_of.first(**rows)
        if row is not None and row[0]:
            self._add_stored.run(tenant=rows["tenant"], size=-row[0])

    def _drain(self, purge: Purge, tenant: int, **which: int) -> Iterator[int]:
        count, wanted, pace = 0, 0, Pace(SWEEPERS_REST)
        while count == wanted:
            wanted = pace.rows
            found = purge.look.first(tenant=tenant, chunk=wanted, **which)
            if found is None or found[0] is None:
                return  # most tenants have nothing on most lists
            with self._writing(tenant, pace):
                count = purge.delete.run(tenant=tenant, chunk=wanted, **which)
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
        & ~ties_copies()
        & unnamed(tables.Response.alias("recorded"))
        & unnamed(tables.LibraryLink.alias("linked"))
        & unnamed(tables.ReferenceAnswer.alias("referred"))
    )


def ties_copies() -> Any:
    """Return the condition that a persona is a copy of which there is a copy.

    Only by it would who erases the person find both.
    """
    persona, copy = tables.Persona, tables.Persona.alias("copy")
    its_copy = (copy.tenant_id == param("tenant")) & (copy.copied_from == persona.id)
    return persona.copied_from.is_null(False) & fn.EXISTS(copy.select(SQL("1")).where(its_copy))


def again(copies: Any) -> Any:
    """Return when what was kept is looked at again: after another retention if `copies`.

    They may have been kept for their own copies alone; anything else is kept for good.
    """
    return Case(None, [(copies, param("now").cast("BIGINT"))], None)


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


def expired(database: Database, since: Field, key: list[Field], content: Field) -> Purge:
    """Return how at most `chunk` rows are purged whose time is at or before `until`.

    `key` has what is unique in a tenant, `content` what is long.
    """
    old = since.model.alias("old")
    oldest = (
        old.select(*[getattr(old, one.name) for one in key])
        .where((old.tenant_id == param("tenant")) & (getattr(old, since.name) <= param("until")))
        .order_by(getattr(old, since.name))
        .limit(param("chunk"))
    )
    return _purge(database, key, oldest, content)


def terms_of_set(database: Database) -> Purge:
    """Return how at most `chunk` terms are purged of a set that nobody sees."""
    term, old = tables.PersonaTerm, tables.PersonaTerm.alias("old")
    here = (old.tenant_id == param("tenant")) & (old.set_id == param("set"))
    first = old.select(old.set_id, old.hash, old.position).where(here).limit(param("chunk"))
    return _purge(database, [term.set_id, term.hash, term.position], first, term.hash)


def batches_of_expired(database: Database) -> Purge:
    """Return how at most `chunk` batches are purged of imports that have expired."""
    batch, session = tables.ImportBatch, tables.ImportSession
    old = batch.alias("old")
    oldest = (
        session.select(old.import_id, old.sequence)
        .join(old, on=(old.tenant_id == param("tenant")) & (old.import_id == session.id))
        .where((session.tenant_id == param("tenant")) & (session.updated_at <= param("until")))
        .order_by(session.updated_at)
        .limit(param("chunk"))
    )
    return _purge(database, [batch.import_id, batch.sequence], oldest, batch.batch_hash)


def _purge(database: Database, key: list[Field], chosen: Select, content: Field) -> Purge:
    model = content.model
    these = (Tuple(*key) if len(key) > 1 else key[0]).in_(chosen)
    where = (model.tenant_id == param("tenant")) & these
    return Purge(
        Statement(database, model.select(fn.SUM(fn.LENGTH(content))).where(where)),
        Statement(database, model.delete().where(where)),
    )
