"""Projects, their groups, and the sets of personas that groups show."""

from peewee import BigIntegerField, BlobField, CompositeKey, Model, TextField


class Project(Model):
    """A project; `deleted_at` marks it, the row stays for good. It shows `group_count` groups.

    `name_term` is the term of its name (validation/terms.py), by which it is found.
    """

    tenant_id = BigIntegerField()
    id = BlobField()
    name = TextField()
    description = TextField()
    created_at = BigIntegerField()
    updated_at = BigIntegerField()
    deleted_at = BigIntegerField(null=True)
    group_count = BigIntegerField(default=0)
    name_term = BlobField()

    class Meta:
        primary_key = CompositeKey("tenant_id", "id")


class PersonaGroup(Model):
    """A persona group, and the two sets of its personas: the visible one and the hidden one.

    `definition` is the encoded PersonaGroup without output-only fields; `version` rises with every
    change to the group or its personas; `max_framed` is the length of its longest row in bytes;
    `name_term` is as a project's.
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
    name_term = BlobField()

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
