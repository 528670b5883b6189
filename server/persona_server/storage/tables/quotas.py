"""Quotas of tenants, and what they have stored."""

from peewee import BigIntegerField, CompositeKey, Model, TextField


class TenantQuota(Model):
    """A value that a tenant has of its own, in place of a default."""

    tenant_id = BigIntegerField()
    name = TextField()
    value = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "name")
        table_name = "tenant_quota"


class TenantUsage(Model):
    """The bytes of a tenant's personas, until they are purged, responses and reference answers."""

    tenant_id = BigIntegerField(primary_key=True)
    stored_bytes = BigIntegerField()

    class Meta:
        table_name = "tenant_usage"
