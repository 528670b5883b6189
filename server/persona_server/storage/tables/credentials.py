"""What tenants call with, beside tokens that are good by their signature alone."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model, TextField


class ApiKey(Model):
    """A key that a tenant calls with. `digest` is the SHA-256 of its text, kept nowhere else."""

    tenant_id = BigIntegerField()
    id = BlobField()
    name = TextField()
    scopes = TextField()
    digest = BlobField()
    created_at = BigIntegerField()
    expires_at = BigIntegerField()
    revoked_at = BigIntegerField(null=True)
    used_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
        table_name = "api_key"


class RevokedToken(Model):
    """A token that is taken no more, by its jti, until it can't be good any more anyway."""

    tenant_id = BigIntegerField()
    jti = TextField()
    revoked_at = BigIntegerField()
    kept_until = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "jti")
        table_name = "revoked_token"
