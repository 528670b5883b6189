"""What is computed from responses: questions, who answered them, series, histograms and sums."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model, TextField


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
    """Every answer of one individual to one question, in the compact form of derived/series.py."""

    tenant_id = BigIntegerField()
    individual_id = BlobField()
    question_id = BigIntegerField()
    records = BlobField()
    texts = TextField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "individual_id", "question_id")


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
