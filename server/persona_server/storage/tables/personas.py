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


class PersonaTerm(Model):
    """A value by which a persona of a set is found: its hash of 16 bytes, and where the persona is.

    Only personas in the set that a group shows have terms.
    """

    tenant_id = BigIntegerField()
    set_id = BigIntegerField()
    hash = BlobField()
    position = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "set_id", "hash", "position")
        table_name = "persona_term"
