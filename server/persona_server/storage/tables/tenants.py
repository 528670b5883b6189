"""Tenants and secrets: the two tables that belong to no tenant."""

from peewee import BigIntegerField, BlobField, Model, TextField


class Tenant(Model):
    """A tenant's name and the integer that stands for it everywhere else."""

    id = BigIntegerField(primary_key=True)
    name = TextField(unique=True)
    created_at = BigIntegerField()
    suspended_at = BigIntegerField(null=True)


class Secret(Model):
    """Keys that every replica and every restart must share: page tokens, the local signing key."""

    name = TextField(primary_key=True)
    value = BlobField()
    created_at = BigIntegerField()
