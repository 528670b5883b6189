"""Simulations and the responses recorded in them, and which of these are void."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model, TextField


class Simulation(Model):
    """A simulation of one project, made by a client or its first answers, and what is said of it.

    Its id, project and time of creation are immutable.
    """

    tenant_id = BigIntegerField()
    id = BlobField()
    project_id = BlobField()
    created_at = BigIntegerField()
    name = TextField(default="")
    description = TextField(default="")
    model = TextField(default="")
    prompt_version = TextField(default="")
    updated_at = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


class Response(Model):
    """A recorded answer: its encoded message, framed, and the keys of the lists it stands in.

    `framed` lacks its last byte, the value of `persona_deleted`, which every read adds; `length` is
    that of the whole. `position` is (occurred_at, id), `recorded` is (recorded_at, id).
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
    recorded = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


class ResponseVoid(Model):
    """That a response is void: `mark` is what readers add to its message, when and why."""

    tenant_id = BigIntegerField()
    response_id = BlobField()
    mark = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "response_id")
        table_name = "response_void"


class SimulationVoid(Model):
    """That a simulation is void, with all of its responses: `mark` is that of each."""

    tenant_id = BigIntegerField()
    simulation_id = BlobField()
    mark = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "simulation_id")
        table_name = "simulation_void"


class Voiding(Model):
    """A void simulation of which answers are still counted: those at positions behind `after`."""

    tenant_id = BigIntegerField()
    simulation_id = BlobField()
    after = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "simulation_id")
