"""What tenants may use of their own, and the bytes that they have stored."""

from persona_server.errors import quota_exceeded
from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.statements import Statement, param, upsert_statement

RETRY_SECONDS = 60.0  # a purge may have made room


class QuotaStatements:
    """Every statement on quotas and usage, compiled once."""

    def __init__(self, database: Database) -> None:
        quota, usage = tables.TenantQuota, tables.TenantUsage
        mine = quota.tenant_id == param("tenant")
        self.all = Statement(
            database, quota.select(quota.name, quota.value).where(mine).order_by(quota.name)
        )
        self.put = upsert_statement(database, quota, "value")
        self.drop = Statement(database, quota.delete().where(mine & (quota.name == param("name"))))
        here = usage.tenant_id == param("tenant")
        row = {usage.tenant_id: param("tenant"), usage.stored_bytes: 0}
        self.begin = Statement(database, usage.insert(row).on_conflict_ignore())
        self.add = Statement(
            database,
            usage.update({usage.stored_bytes: usage.stored_bytes + param("size")}).where(here),
        )
        self.stored = Statement(database, usage.select(usage.stored_bytes).where(here))


class Quotas:
    """One tenant's own quota values, and its usage of stored bytes."""

    def __init__(self, statements: QuotaStatements, tenant: int) -> None:
        self._do = statements
        self._tenant = tenant

    def own(self) -> dict[str, int]:
        """Return the values that the tenant has of its own, by their names."""
        return dict(self._do.all.all(tenant=self._tenant))

    def put(self, name: str, value: int | None) -> None:
        """Set a value of its own, or with None go back to the default."""
        if value is None:
            self._do.drop.run(tenant=self._tenant, name=name)
        else:
            self._do.put.run(tenant=self._tenant, name=name, value=value)

    def stored(self) -> int:
        """Return the bytes of the personas and answers that are stored, reference answers too."""
        row = self._do.stored.first(tenant=self._tenant)
        return 0 if row is None else int(row[0])

    def add_stored(self, size: int, limit: int) -> None:
        """Count bytes that this transaction stores, or less than before.

        Raises QUOTA_EXCEEDED where more are stored then, and more than `limit`.
        """
        if not size:
            return
        if not self._do.add.run(tenant=self._tenant, size=size):
            self._do.begin.run(tenant=self._tenant)
            self._do.add.run(tenant=self._tenant, size=size)
        if size > 0 and self.stored() > limit:
            raise quota_exceeded("stored_bytes", limit, RETRY_SECONDS)
