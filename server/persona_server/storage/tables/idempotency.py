"""Answers kept for retries."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model, TextField


class Idempotency(Model):
    """The answer to a mutation that carried a request_id, kept for a day."""

    tenant_id = BigIntegerField()
    method = TextField()
    request_id = BlobField()
    request_hash = BlobField()
    answer = BlobField()
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "method", "request_id")
