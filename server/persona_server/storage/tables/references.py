"""What the real people that personas stand for answered."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model


class ReferenceAnswer(Model):
    """What the person that an individual stands for answered to a question, once or twice.

    `persona_id` is the persona that the individual began as, `question_hash` that of key and scale.
    `answer` and `retest` are numbers as in a series; `content` is the message without a persona.
    """

    tenant_id = BigIntegerField()
    persona_id = BlobField()
    question_hash = BlobField()
    answer = BigIntegerField()
    retest = BigIntegerField(null=True)
    content = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "question_hash", "persona_id")
        table_name = "reference_answer"
