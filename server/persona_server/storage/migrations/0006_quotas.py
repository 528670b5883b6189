"""Quotas: the values that tenants have of their own, and the bytes that each has stored."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# No foreign key: a write adds to a tenant's bytes, and its rows have keys that say the same.
TABLES = """
CREATE TABLE tenant_quota (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id), name TEXT NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name)
) STRICT;
CREATE TABLE tenant_usage (
    tenant_id INTEGER NOT NULL, stored_bytes INTEGER NOT NULL, PRIMARY KEY (tenant_id)
) STRICT;
INSERT INTO tenant_usage (tenant_id, stored_bytes)
    SELECT tenant_id, SUM(size) FROM (
        SELECT tenant_id, SUM(LENGTH(framed)) AS size FROM persona GROUP BY tenant_id
        UNION ALL
        SELECT tenant_id, SUM(LENGTH(framed)) AS size FROM response GROUP BY tenant_id
    ) GROUP BY tenant_id;
"""


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make both tables and count what is stored, one statement at a time."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
