"""Idempotency: the answers of one tenant's mutations, kept for those who ask again."""

from typing import NamedTuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param, upsert_statement
from persona_server.storage.keys import DAY

KEEP_ANSWERS = 1 * DAY  # so long an answer can be asked for again


class KeptAnswer(NamedTuple):
    """An answer kept under a request_id, and the hash of the request it answered."""

    request_hash: bytes
    answer: bytes


class IdempotencyStatements:
    """Every statement on kept answers, compiled once."""

    def __init__(self, database: Database) -> None:
        kept = tables.Idempotency
        self.find = Statement(
            database,
            kept.select(kept.request_hash, kept.answer).where(
                (kept.tenant_id == param("tenant"))
                & (kept.method == param("method"))
                & (kept.request_id == param("request_id"))
                & (kept.created_at > param("since"))
            ),
        )
        self.keep = upsert_statement(database, kept, "request_hash", "answer", "created_at")


class Idempotency:
    """The answers that one tenant's mutations may ask for again."""

    def __init__(self, statements: IdempotencyStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def find(self, method: str, request_id: bytes, since: int) -> KeptAnswer | None:
        """Return the answer kept under a request_id after `since` (microseconds), or None."""
        row = self._do.find.first(
            tenant=self._tenant, method=method, request_id=request_id, since=since
        )
        return None if row is None else KeptAnswer(*row)

    def keep(
        self, method: str, request_id: bytes, request_hash: bytes, answer: bytes, now: int
    ) -> None:
        """Keep an answer, over one that has expired but was not swept yet."""
        self._do.keep.run(
            tenant=self._tenant,
            method=method,
            request_id=request_id,
            request_hash=request_hash,
            answer=answer,
            created_at=now,
        )
