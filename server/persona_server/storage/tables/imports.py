"""Imports under way."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model


class ImportSession(Model):
    """An import: its group and set, the stream that owns it, and how far it is on disk."""

    tenant_id = BigIntegerField()
    id = BlobField()
    group_id = BlobField()
    set_id = BigIntegerField()
    owner = BlobField()
    committed_sequence = BigIntegerField()
    persona_count = BigIntegerField()
    added_count = BigIntegerField()
    updated_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
        table_name = "import_session"


class ImportBatch(Model):
    """The hash of a committed batch, by which a repeated one is known."""

    tenant_id = BigIntegerField()
    import_id = BlobField()
    sequence = BigIntegerField()
    batch_hash = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "import_id", "sequence")
        table_name = "import_batch"
