"""API keys, tokens that are revoked, and tenants that are suspended."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# Of a key only the SHA-256 of its text is kept. `scopes` are separated by spaces, and times are
# microseconds. A revoked token is kept until no token can live any longer.
TABLES = """
ALTER TABLE tenant ADD COLUMN suspended_at INTEGER;
CREATE TABLE api_key (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    id BLOB NOT NULL CHECK (length(id) = 8),
    name TEXT NOT NULL, scopes TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    revoked_at INTEGER, used_at INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TABLE revoked_token (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    jti TEXT NOT NULL, revoked_at INTEGER NOT NULL, kept_until INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, jti)
) STRICT
"""


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the column and the tables, one statement at a time."""
    for statement in TABLES.split(";"):
        db.execute_sql(statement)
