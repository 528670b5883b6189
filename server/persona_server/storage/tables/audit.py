"""The audit trail."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model, TextField


class Audit(Model):
    """Who changed what: one row per committed mutation, and how many personas or responses."""

    tenant_id = BigIntegerField()
    id = BigIntegerField()
    at = BigIntegerField()
    actor = TextField()
    method = TextField()
    project_id = BlobField(null=True)
    group_id = BlobField(null=True)
    persona_id = BlobField(null=True)
    persona_count = BigIntegerField(null=True)
    request_id = BlobField(null=True)
    simulation_id = BlobField(null=True)
    response_count = BigIntegerField(null=True)
    library_persona_id = BlobField(null=True)
    peer = TextField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
