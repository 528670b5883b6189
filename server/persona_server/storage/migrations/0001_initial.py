"""The first schema: tenants, projects, groups, persona sets, personas, retries, imports, audit.

Written out in full, not made from the models: a migration is history and must not change with them.
"""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

TABLES = """
CREATE TABLE tenant (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE secret (
    name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL, created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE project (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id),
    id BLOB NOT NULL CHECK (length(id) = 16),
    name TEXT NOT NULL, description TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, deleted_at INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX project_list ON project (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE TABLE persona_group (
    tenant_id INTEGER NOT NULL, id BLOB NOT NULL CHECK (length(id) = 16),
    project_id BLOB NOT NULL,
    set_id INTEGER NOT NULL, hidden_set_id INTEGER NOT NULL,
    version INTEGER NOT NULL, persona_count INTEGER NOT NULL CHECK (persona_count >= 0),
    max_framed INTEGER NOT NULL,
    definition BLOB NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, deleted_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id)
) STRICT;
CREATE INDEX persona_group_list ON persona_group (tenant_id, project_id, created_at, id)
    WHERE deleted_at IS NULL;
CREATE TABLE persona_set (
    tenant_id INTEGER NOT NULL, id INTEGER NOT NULL, group_id BLOB NOT NULL,
    dropped_at INTEGER, purge_after INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES persona_group (tenant_id, id)
) STRICT;
CREATE INDEX persona_set_group ON persona_set (tenant_id, group_id);
CREATE INDEX persona_set_purge ON persona_set (tenant_id, purge_after)
    WHERE purge_after IS NOT NULL;
CREATE TABLE persona (
    tenant_id INTEGER NOT NULL, set_id INTEGER NOT NULL, age INTEGER NOT NULL,
    position BLOB NOT NULL CHECK (length(position) = 24),
    id BLOB NOT NULL CHECK (length(id) = 16),
    gender_key TEXT NOT NULL, income_level_key TEXT NOT NULL,
    location_key TEXT NOT NULL, occupation_key TEXT NOT NULL,
    framed BLOB NOT NULL,
    deleted_at INTEGER, purge_after INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, set_id) REFERENCES persona_set (tenant_id, id)
) STRICT;
CREATE INDEX persona_page ON persona
    (tenant_id, set_id, position, gender_key, income_level_key, age, location_key, occupation_key);
CREATE INDEX persona_purge ON persona (tenant_id, purge_after) WHERE purge_after IS NOT NULL;
CREATE TABLE idempotency (
    tenant_id INTEGER NOT NULL, method TEXT NOT NULL,
    request_id BLOB NOT NULL CHECK (length(request_id) = 16),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    answer BLOB NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, method, request_id)
) STRICT;
CREATE INDEX idempotency_expiry ON idempotency (tenant_id, created_at);
CREATE TABLE import_session (
    tenant_id INTEGER NOT NULL, id BLOB NOT NULL CHECK (length(id) = 16),
    group_id BLOB NOT NULL, set_id INTEGER NOT NULL, owner BLOB NOT NULL,
    committed_sequence INTEGER NOT NULL, persona_count INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX import_session_expiry ON import_session (tenant_id, updated_at);
CREATE TABLE import_batch (
    tenant_id INTEGER NOT NULL, import_id BLOB NOT NULL, sequence INTEGER NOT NULL,
    batch_hash BLOB NOT NULL CHECK (length(batch_hash) = 32),
    PRIMARY KEY (tenant_id, import_id, sequence),
    FOREIGN KEY (tenant_id, import_id) REFERENCES import_session (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
    tenant_id INTEGER NOT NULL, id INTEGER NOT NULL, at INTEGER NOT NULL,
    actor TEXT NOT NULL, method TEXT NOT NULL,
    project_id BLOB, group_id BLOB, persona_id BLOB, persona_count INTEGER, request_id BLOB,
    PRIMARY KEY (tenant_id, id)
) STRICT;
"""

# The audit is append-only; of a persona only its set and its end may change.
# With recursive_triggers on, INSERT OR REPLACE fires the DELETE trigger too; the check before an
# INSERT also refuses a taken key where a connection has that pragma off.
GUARDS = (
    "CREATE TRIGGER audit_update BEFORE UPDATE ON audit  "
    "BEGIN SELECT RAISE(ABORT, 'audit rows are kept as they are'); END",
    "CREATE TRIGGER audit_delete BEFORE DELETE ON audit  "
    "BEGIN SELECT RAISE(ABORT, 'audit rows are kept as they are'); END",
    "CREATE TRIGGER audit_replace BEFORE INSERT ON audit "
    "WHEN EXISTS (SELECT 1 FROM audit WHERE tenant_id = NEW.tenant_id AND id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'audit rows are kept as they are'); END",
    "CREATE TRIGGER persona_immutable BEFORE UPDATE OF "
    "tenant_id, age, position, id, gender_key, income_level_key, location_key, "
    "occupation_key, framed "
    "ON persona  "
    "BEGIN SELECT RAISE(ABORT, 'persona rows are kept as they are'); END",
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make every table, index and guard, one statement at a time."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    for guard in GUARDS:
        db.execute_sql(guard)
