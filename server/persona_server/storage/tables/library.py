"""Library personas, their links, and the queue of promotions."""

from peewee import (
    BigIntegerField,
    BlobField,
    CompositeKey,
    FloatField,
    IntegerField,
    Model,
    TextField,
)


class LibraryPersona(Model):
    """A reliable individual: its encoded message without what still changes, and its search keys.

    Everything but `project_count`, `response_count` and `retired_at` is immutable.
    """

    tenant_id = BigIntegerField()
    id = BlobField()
    origin_project_id = BlobField()
    origin_persona_id = BlobField()
    age = IntegerField()
    gender_key = TextField()
    income_level_key = TextField()
    location_key = TextField()
    occupation_key = TextField()
    lower_bound = FloatField()
    created_at = BigIntegerField()
    body = BlobField()
    project_count = BigIntegerField()
    response_count = BigIntegerField()
    retired_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
        table_name = "library_persona"


class LibraryTerm(Model):
    """A value by which a library persona is found, as its hash of 16 bytes."""

    tenant_id = BigIntegerField()
    library_persona_id = BlobField()
    hash = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "library_persona_id", "hash")
        table_name = "library_term"


class LibraryLink(Model):
    """A project persona that is a library persona's individual, with the names as they were then.

    `id` grows with time, `relation` is the contract's number, `match_score` is in 0…1.
    """

    tenant_id = BigIntegerField()
    persona_id = BlobField()
    id = BigIntegerField()
    library_persona_id = BlobField()
    project_id = BlobField()
    group_id = BlobField()
    project_name = TextField()
    group_name = TextField()
    relation = IntegerField()
    match_score = FloatField(null=True)
    linked_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "persona_id")
        table_name = "library_link"


class Promotion(Model):
    """An individual, by its origin persona, that waits for automatic promotion to look at it."""

    tenant_id = BigIntegerField()
    persona_id = BlobField()
    queued_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "persona_id")
