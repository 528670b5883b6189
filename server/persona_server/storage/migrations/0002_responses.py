"""Recorded answers: simulations and responses, both append-only, and their count in the audit."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# An index serves the pages of its list, its filter by question and, by `length`, the bound on a
# page's bytes. The one of the persona's key is also what a purge asks before it removes a persona.
TABLES = """
CREATE TABLE simulation (
    tenant_id INTEGER NOT NULL, id BLOB NOT NULL CHECK (length(id) = 16),
    project_id BLOB NOT NULL, created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id)
) STRICT;
CREATE TABLE response (
    tenant_id INTEGER NOT NULL, id BLOB NOT NULL CHECK (length(id) = 16),
    simulation_id BLOB NOT NULL, project_id BLOB NOT NULL, group_id BLOB NOT NULL,
    persona_id BLOB NOT NULL,
    position BLOB NOT NULL CHECK (length(position) = 24),
    question_key TEXT NOT NULL, length INTEGER NOT NULL,
    framed BLOB NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulation (tenant_id, id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
) STRICT;
CREATE INDEX response_simulation ON response
    (tenant_id, simulation_id, position, question_key, length);
CREATE INDEX response_project ON response (tenant_id, project_id, position, question_key, length);
CREATE INDEX response_persona ON response (tenant_id, persona_id, position, question_key, length);
ALTER TABLE audit ADD COLUMN simulation_id BLOB;
ALTER TABLE audit ADD COLUMN response_count INTEGER;
"""

# Both tables are append-only.
GUARDS = (
    "CREATE TRIGGER simulation_update BEFORE UPDATE ON simulation  "
    "BEGIN SELECT RAISE(ABORT, 'simulation rows are kept as they are'); END",
    "CREATE TRIGGER simulation_delete BEFORE DELETE ON simulation  "
    "BEGIN SELECT RAISE(ABORT, 'simulation rows are kept as they are'); END",
    "CREATE TRIGGER simulation_replace BEFORE INSERT ON simulation "
    "WHEN EXISTS (SELECT 1 FROM simulation WHERE tenant_id = NEW.tenant_id AND id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'simulation rows are kept as they are'); END",
    "CREATE TRIGGER response_update BEFORE UPDATE ON response  "
    "BEGIN SELECT RAISE(ABORT, 'response rows are kept as they are'); END",
    "CREATE TRIGGER response_delete BEFORE DELETE ON response  "
    "BEGIN SELECT RAISE(ABORT, 'response rows are kept as they are'); END",
    "CREATE TRIGGER response_replace BEFORE INSERT ON response "
    "WHEN EXISTS (SELECT 1 FROM response WHERE tenant_id = NEW.tenant_id AND id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'response rows are kept as they are'); END",
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make both tables with their indexes and guards, one statement at a time."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    for guard in GUARDS:
        db.execute_sql(guard)
