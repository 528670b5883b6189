"""API keys, tokens that are revoked, and tenants that are suspended."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# Of a key only the SHA-256 of its text is kept. `scopes` are separated by spaces, and times are
# microseconds. A revoked token is kept until no token can live any longer.
TABLES = """
ALTER TABLE tenant ADD COLUMN suspended_at bigint;
CREATE TABLE api_key (
    tenant_id bigint NOT NULL REFERENCES tenant (id),
    id bytea NOT NULL CHECK (length(id) = 8),
    name text NOT NULL, scopes text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    created_at bigint NOT NULL, expires_at bigint NOT NULL,
    revoked_at bigint, used_at bigint,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE revoked_token (
    tenant_id bigint NOT NULL REFERENCES tenant (id),
    jti text NOT NULL, revoked_at bigint NOT NULL, kept_until bigint NOT NULL,
    PRIMARY KEY (tenant_id, jti)
)
"""


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the column and the tables, one statement at a time."""
    for statement in TABLES.split(";"):
        db.execute_sql(statement)
