"""The queue of automatic promotion: individuals with answers that nobody has looked at yet."""

from collections.abc import Iterable
from typing import NamedTuple

from peewee import SQL

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param, upsert_statement


class Queued(NamedTuple):
    """An individual, by its origin persona, and when answers last came, in microseconds."""

    persona_id: bytes
    queued_at: int


class PromotionStatements:
    """Every statement on the queue, compiled once."""

    def __init__(self, database: Database) -> None:
        self.looked_after = False
        queue = tables.Promotion
        this = (queue.tenant_id == param("tenant")) & (queue.persona_id == param("persona"))
        self.add = upsert_statement(database, queue, "queued_at")
        self.waiting = Statement(database, queue.select(SQL("1")).where(this))
        self.next = Statement(
            database,
            queue.select(queue.persona_id, queue.queued_at)
            .where((queue.tenant_id == param("tenant")) & (queue.persona_id > param("after")))
            .order_by(queue.persona_id)
            .limit(param("limit")),
        )
        # Answers that came since it was read queue it again: then it stays.
        self.done = Statement(
            database, queue.delete().where(this & (queue.queued_at == param("queued_at")))
        )


class Promotions:
    """The queue of one tenant. Nobody waits in it where nobody looks after it."""

    def __init__(self, statements: PromotionStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def add(self, individuals: Iterable[bytes], now: int) -> None:
        """Queue individuals; those that wait already are marked as changed."""
        if self._do.looked_after:
            self._do.add.run_each([(self._tenant, individual, now) for individual in individuals])

    def waiting(self, individual: bytes) -> bool:
        """Return whether an individual waits."""
        if not self._do.looked_after:
            return False
        return self._do.waiting.first(tenant=self._tenant, persona=individual) is not None

    def next(self, after: bytes, limit: int) -> list[Queued]:
        """Return at most `limit` individuals that wait, after one, by their ids."""
        rows = self._do.next.all(tenant=self._tenant, after=after, limit=limit)
        return [Queued(*row) for row in rows]

    def done(self, queued: Queued) -> None:
        """Take an individual off the queue unless answers came since it was read."""
        self._do.done.run(
            tenant=self._tenant, persona=queued.persona_id, queued_at=queued.queued_at
        )
