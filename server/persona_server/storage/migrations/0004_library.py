"""The Persona Library: library personas, their links for good, and the queue of promotions."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# `library_persona_reliability` covers the filters and what matching reads; the other two orders are
# rarer. `library_link_project` answers who is in a group, whether a project is new to an
# individual, and whom a project has used.
TABLES = """
CREATE TABLE library_persona (
    tenant_id INTEGER NOT NULL, id BLOB NOT NULL CHECK (length(id) = 16),
    origin_project_id BLOB NOT NULL, origin_persona_id BLOB NOT NULL,
    age INTEGER NOT NULL,
    gender_key TEXT NOT NULL, income_level_key TEXT NOT NULL,
    location_key TEXT NOT NULL, occupation_key TEXT NOT NULL,
    lower_bound REAL NOT NULL, created_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    project_count INTEGER NOT NULL, response_count INTEGER NOT NULL, retired_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, origin_persona_id),
    FOREIGN KEY (tenant_id, origin_project_id) REFERENCES project (tenant_id, id),
    FOREIGN KEY (tenant_id, origin_persona_id) REFERENCES persona (tenant_id, id)
) STRICT;
CREATE INDEX library_persona_reliability ON library_persona
    (tenant_id, lower_bound, id, retired_at, age, gender_key, income_level_key, location_key,
     occupation_key);
CREATE INDEX library_persona_created ON library_persona (tenant_id, created_at, id);
CREATE INDEX library_persona_projects ON library_persona (tenant_id, project_count, id);
CREATE TABLE library_link (
    tenant_id INTEGER NOT NULL, persona_id BLOB NOT NULL,
    id INTEGER NOT NULL, library_persona_id BLOB NOT NULL,
    project_id BLOB NOT NULL, group_id BLOB NOT NULL,
    project_name TEXT NOT NULL, group_name TEXT NOT NULL,
    relation INTEGER NOT NULL, match_score REAL, linked_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, persona_id),
    FOREIGN KEY (tenant_id, library_persona_id) REFERENCES library_persona (tenant_id, id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
) STRICT;
CREATE INDEX library_link_list ON library_link (tenant_id, library_persona_id, id);
CREATE INDEX library_link_project ON library_link
    (tenant_id, project_id, library_persona_id, group_id);
CREATE TABLE promotion (
    tenant_id INTEGER NOT NULL, persona_id BLOB NOT NULL, queued_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, persona_id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
) STRICT, WITHOUT ROWID;
ALTER TABLE audit ADD COLUMN library_persona_id BLOB;
"""

# Links are append-only; of a library persona all is kept but what counts uses and what ends them.
GUARDS = (
    "CREATE TRIGGER library_persona_immutable BEFORE UPDATE OF "
    "tenant_id, id, origin_project_id, origin_persona_id, age, gender_key, "
    "income_level_key, location_key, occupation_key, lower_bound, created_at, body "
    "ON library_persona  "
    "BEGIN SELECT RAISE(ABORT, 'library_persona rows are kept as they are'); END",
    "CREATE TRIGGER library_link_update BEFORE UPDATE ON library_link  "
    "BEGIN SELECT RAISE(ABORT, 'library_link rows are kept as they are'); END",
    "CREATE TRIGGER library_link_delete BEFORE DELETE ON library_link  "
    "BEGIN SELECT RAISE(ABORT, 'library_link rows are kept as they are'); END",
    "CREATE TRIGGER library_link_replace BEFORE INSERT ON library_link "
    "WHEN EXISTS (SELECT 1 FROM library_link "
    "WHERE tenant_id = NEW.tenant_id AND persona_id = NEW.persona_id) "
    "BEGIN SELECT RAISE(ABORT, 'library_link rows are kept as they are'); END",
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the tables with their indexes and guards, one statement at a time."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    for guard in GUARDS:
        db.execute_sql(guard)
