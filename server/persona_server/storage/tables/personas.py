"""Personas."""

from peewee import BigIntegerField, BlobField, CompositeKey, IntegerField, Model, TextField


class Persona(Model):
    """A persona: its encoded message, framed as element 1 of a repeated field, and its search keys.

    Everything but `set_id`, `deleted_at` and `purge_after` is immutable; the database says so too.
    One that was erased keeps its id, by which nobody else can be named, and has no content.
    """

    tenant_id = BigIntegerField()
    set_id = BigIntegerField()
    age = IntegerField()
    position = BlobField()
    id = BlobField()
    gender_key = TextField()
    income_level_key = TextField()
    location_key = TextField()
    occupation_key = TextField()
    framed = BlobField()
    deleted_at = BigIntegerField(null=True)
    purge_after = BigIntegerField(null=True)
    copied_from = BlobField(null=True)
    erased_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
