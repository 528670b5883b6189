"""Tenants and secrets: the two tables that belong to no tenant."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import locking
from persona_server.storage.engine.statements import Statement, param, upsert_statement
from persona_server.storage.keys import IdGenerator

NO_TENANT = 0  # no row has this key, so reads of a tenant without one find nothing
MOST_KNOWN = 10_000  # whose keys are in memory, and whose readers: 2 KiB each


class TenantRow(NamedTuple):
    """A tenant, and since when it is suspended; times in microseconds since 1970."""

    key: int
    name: str
    created_at: int
    suspended_at: int | None


class Tenants:
    """Names to keys. Keys never change, so those found are remembered; a miss never is."""

    def __init__(self, database: Database) -> None:
        tenant = tables.Tenant
        self._known: dict[str, int] = {}
        self._find = Statement(
            database, tenant.select(tenant.id).where(tenant.name == param("name"))
        )
        self._all = Statement(database, tenant.select(tenant.id).order_by(tenant.id))
        self._names = Statement(database, tenant.select(tenant.name).order_by(tenant.id))
        columns = (tenant.id, tenant.name, tenant.created_at, tenant.suspended_at)
        self._rows = Statement(database, tenant.select(*columns).order_by(tenant.id))
        self._suspend = Statement(
            database,
            tenant.update({tenant.suspended_at: param("at")}).where(tenant.name == param("name")),
        )
        voiding = tables.Voiding
        self._voiding = Statement(
            database,
            voiding.select(tenant.name)
            .join(tenant, on=(tenant.id == voiding.tenant_id))
            .limit(1000),
        )
        queue = tables.Promotion
        self._next_promoting = Statement(
            database,
            queue.select(queue.tenant_id, tenant.name)
            .join(tenant, on=(tenant.id == queue.tenant_id))
            .where(queue.tenant_id > param("after"))
            .order_by(queue.tenant_id)
            .limit(1),
        )
        row = {
            tenant.id: param("id"),
            tenant.name: param("name"),
            tenant.created_at: param("now"),
        }
        self._insert = Statement(database, tenant.insert(row).on_conflict_ignore())
        self._find_held = Statement(
            database, locking(tenant.select(tenant.id).where(tenant.name == param("name")))
        )
        self._holds = database.has_many_writers
        self._hold = Statement(
            database, locking(tenant.select(tenant.id).where(tenant.id == param("id")))
        )

    def key(self, name: str) -> int:
        """Return a tenant's key; NO_TENANT if it has no row. Call it outside of transactions."""
        if key := self._known.get(name):
            return key
        row = self._find.first(name=name)
        if row is None:
            return NO_TENANT
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[name] = row[0]
        return int(row[0])

    def ensure(self, name: str, id_generator: IdGenerator, now: int) -> int:
        """Return a tenant's key in a write transaction; its first mutation makes its row.

        Nobody else writes for the tenant until the transaction ends.
        """
        known = self._known.get(name)
        if known and self.hold(known):
            return known
        # One that is known and not there was lost in a failover: all who know it know this key.
        self._insert.run(id=known or id_generator.next(now), name=name, now=now)
        row = self._find_held.first(name=name)
        assert row is not None
        if row[0] != known:  # made anew by a server that did not know it
            self._known.pop(name, None)
        return int(row[0])

    def hold(self, tenant: int) -> bool:
        """Let nobody else write for a tenant until the transaction ends: first in each.

        Where there is one writer at a time, that is so already. Returns whether there is a row.
        """
        return not self._holds or self._hold.first(id=tenant) is not None

    def all(self) -> list[int]:
        """Return every tenant's key."""
        return [row[0] for row in self._all.all()]

    def names(self) -> list[str]:
        """Return every tenant's name."""
        return [row[0] for row in self._names.all()]

    def rows(self) -> list[TenantRow]:
        """Return every tenant."""
        return [TenantRow._make(row) for row in self._rows.all()]

    def suspend(self, name: str, at: int | None) -> None:
        """Suspend a tenant, or with None let it go on."""
        self._suspend.run(name=name, at=at)

    def voiding(self) -> set[str]:
        """Return the names of those with void simulations of which answers are counted still.

        Of very many, some. It costs nothing where there are none, however many tenants there are.
        """
        return {name for (name,) in self._voiding.all()}

    def promoting(self) -> Iterator[str]:
        """Yield the names of those of whom individuals wait for automatic promotion, each once.

        It costs a statement for each of them and one more, however many tenants there are.
        """
        after = NO_TENANT
        while (row := self._next_promoting.first(after=after)) is not None:
            after, name = row
            yield name


class Secrets:
    """Keys that the database keeps, so that every replica and every restart has the same."""

    def __init__(self, database: Database) -> None:
        secret = tables.Secret
        named = secret.select(secret.value).where(secret.name == param("name"))
        self._find = Statement(database, named)
        self._hold = Statement(database, locking(named))
        row = {
            secret.name: param("name"),
            secret.value: param("value"),
            secret.created_at: param("now"),
        }
        self._insert = Statement(database, secret.insert(row).on_conflict_ignore())
        self._put = upsert_statement(database, secret, "value", "created_at")

    def put(self, name: str, value: bytes, now: int) -> None:
        """Set a secret, whatever it was before."""
        self._put.run(name=name, value=value, created_at=now)

    def find(self, name: str) -> bytes | None:
        """Return a secret, or None."""
        row = self._find.first(name=name)
        return None if row is None else bytes(row[0])

    def hold(self, name: str) -> None:
        """Let nobody else change a secret that is there until the transaction ends."""
        self._hold.first(name=name)

    def ensure(self, name: str, make: Callable[[], bytes], now: int) -> bytes:
        """Return a secret, made now if there is none. Of concurrent makers one wins."""
        if found := self.find(name):
            return found
        self._insert.run(name=name, value=make(), now=now)
        value = self.find(name)
        assert value is not None
        return value
