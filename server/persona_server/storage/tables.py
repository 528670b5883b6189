"""The tables, as Peewee models: what statements are built from.

The schema itself is made by the migrations alone; a test holds these models against it. Every id is
16 bytes, every time an int64 of microseconds since 1970, every hash 32 bytes, and each table but
`tenant`, `secret` and the migration history leads its keys with the tenant's. No model is bound to
a database: statements are compiled for one when a store opens.
"""

from peewee import (
    BigIntegerField,
    BlobField,
    CompositeKey,
    FloatField,
    IntegerField,
    Model,
    TextField,
)


class Tenant(Model):
    """A tenant's name and the integer that stands for it everywhere else."""

    id = BigIntegerField(primary_key=True)
    name = TextField(unique=True)
    created_at = BigIntegerField()


class Secret(Model):
    """Keys that every replica and every restart must share: page tokens, the local signing key."""

    name = TextField(primary_key=True)
    value = BlobField()
    created_at = BigIntegerField()


class Project(Model):
    """A project; `deleted_at` marks it, the row stays for good."""

    tenant_id = BigIntegerField()
    id = BlobField()
    name = TextField()
    description = TextField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


class PersonaGroup(Model):
    """A persona group, and the two sets of its personas: the visible one and the hidden one.

    `definition` is the encoded PersonaGroup without output-only fields; `version` rises with every
    change to the group or its personas; `max_framed` is the length of its longest row in bytes.
    """

    tenant_id = BigIntegerField()
    id = BlobField()
    project_id = BlobField()
    set_id = BigIntegerField()
    hidden_set_id = BigIntegerField()
    version = BigIntegerField(default=0)
    persona_count = BigIntegerField(default=0)
    max_framed = BigIntegerField(default=0)
    definition = BlobField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
        table_name = "persona_group"


class PersonaSet(Model):
    """A set of personas. A group shows the one it points at; `dropped_at` marks one it has left."""

    tenant_id = BigIntegerField()
    id = BigIntegerField()
    group_id = BlobField()
    dropped_at = BigIntegerField(null=True)
    purge_after = BigIntegerField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
        table_name = "persona_set"


class Persona(Model):
    """A persona: its encoded message, framed as element 1 of a repeated field, and its search keys.

    Everything but `set_id`, `deleted_at` and `purge_after` is immutable; the database says so too.
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

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


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


class ImportSession(Model):
    """An import: its group and set, the stream that owns it, and how far it is on disk."""

    tenant_id = BigIntegerField()
    id = BlobField()
    group_id = BlobField()
    set_id = BigIntegerField()
    owner = BlobField()
    committed_sequence = BigIntegerField()
    persona_count = BigIntegerField()
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


class Simulation(Model):
    """A simulation: the client's id, bound to the project of its first answers."""

    tenant_id = BigIntegerField()
    id = BlobField()
    project_id = BlobField()
    created_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


class Response(Model):
    """A recorded answer: its encoded message, framed, and the keys of the lists it stands in.

    `framed` lacks its last byte, the value of `persona_deleted`, which every read adds; `length` is
    that of the whole. `position` is (occurred_at, id).
    """

    tenant_id = BigIntegerField()
    id = BlobField()
    simulation_id = BlobField()
    project_id = BlobField()
    group_id = BlobField()
    persona_id = BlobField()
    position = BlobField()
    question_key = TextField()
    length = BigIntegerField()
    framed = BlobField()
    library_persona_id = BlobField(null=True)

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


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


class Question(Model):
    """A question as measures tell it from others: its key with its scale, known by their hash.

    Ids grow with time: their order is that in which questions were first asked.
    """

    tenant_id = BigIntegerField()
    id = BigIntegerField()
    key = TextField()
    kind = TextField()
    scale = TextField()
    hash = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


class Series(Model):
    """Every answer of one individual to one question, in the compact form of storage/series.py."""

    tenant_id = BigIntegerField()
    individual_id = BlobField()
    question_id = BigIntegerField()
    records = BlobField()
    texts = TextField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "individual_id", "question_id")


class Histogram(Model):
    """How often a value was given by the individuals that gave m answers; not for numbers."""

    tenant_id = BigIntegerField()
    question_id = BigIntegerField()
    hash = BlobField()
    m = BigIntegerField()
    value = TextField()
    answers = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "question_id", "hash", "m")


class Sums(Model):
    """Of a numeric question: moments by m as JSON, and the noise over all individuals.

    Ratings are 32 bits wide, so sums of squares pass int64: those stand as decimal text.
    """

    tenant_id = BigIntegerField()
    question_id = BigIntegerField()
    moments = TextField()
    squares = TextField()
    differences = BigIntegerField()
    individuals = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "question_id")


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

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


# The database itself refuses UPDATE, DELETE and INSERT OR REPLACE on these (guards.py).
APPEND_ONLY: tuple[type[Model], ...] = (Audit, Simulation, Response, LibraryLink)
