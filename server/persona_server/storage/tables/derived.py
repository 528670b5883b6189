"""What is computed from responses: questions, who answered them, series, and sums over all."""

from peewee import BigIntegerField, BlobField, CompositeKey, IntegerField, Model, TextField


class Question(Model):
    """A question as measures tell it from others: its key with its scale, known by their hash.

    Ids grow with time: their order is that in which questions were first asked. `declared` has the
    options in the order of the first answer, which stands at the position `declared_at`.
    """

    tenant_id = BigIntegerField()
    id = BigIntegerField()
    key = TextField()
    kind = TextField()
    scale = TextField()
    hash = BlobField()
    declared = TextField()
    declared_at = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


class Series(Model):
    """The latest answers of one individual to one question, in the form of derived/series.py.

    `pieces` is how many full pieces stand before them, `repeats` whether any two of all its answers
    are of one simulation or of one time.
    """

    tenant_id = BigIntegerField()
    individual_id = BlobField()
    question_id = BigIntegerField()
    records = BlobField()
    pieces = IntegerField()
    repeats = IntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "individual_id", "question_id")


class Piece(Model):
    """Older answers of one individual to one question; `number` counts pieces from 1."""

    tenant_id = BigIntegerField()
    individual_id = BlobField()
    question_id = BigIntegerField()
    number = IntegerField()
    records = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "individual_id", "question_id", "number")


class AnswerSet(Model):
    """A set of options or themes that somebody answered, by the hash of its tokens.

    `items` is the set itself, `answers` how many answers name it: with the last one it goes.
    """

    tenant_id = BigIntegerField()
    id = BigIntegerField()
    tokens = TextField()
    items = TextField()
    answers = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
        table_name = "answer_set"


class AnswerModel(Model):
    """A model with the version of its prompt, by their hash; `answers` as above."""

    tenant_id = BigIntegerField()
    id = BigIntegerField()
    model = TextField()
    prompt_version = TextField()
    answers = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")
        table_name = "answer_model"


class Asked(Model):
    """How often a question was answered in a scope, by how many individuals, and when.

    The scope is a simulation or a project, see derived/participation.py; question 0 stands for all.
    `first` and `last` are positions of responses, (occurred_at, id).
    """

    tenant_id = BigIntegerField()
    scope = BlobField()
    question_id = BigIntegerField()
    response_count = BigIntegerField()
    individual_count = BigIntegerField()
    first = BlobField()
    last = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "scope", "question_id")


class Answered(Model):
    """That an individual answered a question in a scope; `earliest` is (recorded_at, position)."""

    tenant_id = BigIntegerField()
    scope = BlobField()
    question_id = BigIntegerField()
    individual_id = BlobField()
    earliest = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "scope", "question_id", "individual_id")


class Tally(Model):
    """How many individuals first gave each value in a simulation, in the form of counts.py."""

    tenant_id = BigIntegerField()
    question_id = BigIntegerField()
    simulation_id = BlobField()
    bucket = BigIntegerField()
    counts = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "question_id", "simulation_id", "bucket")


class Sums(Model):
    """Of a numeric question in a simulation: its moments, and the differences that end there.

    `moments` is JSON, [n, Σx, Σx², Σx³, Σx⁴] of the first answers, [] where they are counted by
    value. Numbers that may pass int64 stand as text.
    """

    tenant_id = BigIntegerField()
    question_id = BigIntegerField()
    simulation_id = BlobField()
    moments = TextField()
    differences = BigIntegerField()
    squares = TextField()
    inverses = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "question_id", "simulation_id")
