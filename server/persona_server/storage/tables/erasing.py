"""What a transaction may erase."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model


class Erasing(Model):
    """A persona whose rows this transaction may take, or b"": all of its tenant's.

    Empty whenever a transaction ends: `nobody` refers to what can't be there.
    """

    tenant_id = BigIntegerField()
    persona_id = BlobField()
    nobody = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "persona_id")
