"""Simulations have names and what else is said of them; questions are counted by who answered them.

Both derived tables are filled from the responses, in this migration's transaction (migrate.py).
"""

from typing import Any

DERIVES = True  # whether derived tables are to be filled afterwards

# The scope is the id of a simulation, or of a project behind a byte of its own. Question 0 stands
# for all. `answered` is written as often as responses are, so it has no foreign keys, as `series`.
TABLES = """
ALTER TABLE simulation ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE simulation ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE simulation ADD COLUMN model TEXT NOT NULL DEFAULT '';
ALTER TABLE simulation ADD COLUMN prompt_version TEXT NOT NULL DEFAULT '';
ALTER TABLE simulation ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER simulation_update;
UPDATE simulation SET updated_at = created_at;
CREATE INDEX simulation_list ON simulation (tenant_id, project_id, created_at, id);
CREATE UNIQUE INDEX simulation_name ON simulation (tenant_id, project_id, name) WHERE name <> '';
CREATE TABLE asked (
    tenant_id INTEGER NOT NULL, scope BLOB NOT NULL CHECK (length(scope) IN (16, 17)),
    question_id INTEGER NOT NULL,
    response_count INTEGER NOT NULL, individual_count INTEGER NOT NULL,
    first BLOB NOT NULL CHECK (length(first) = 24), last BLOB NOT NULL CHECK (length(last) = 24),
    PRIMARY KEY (tenant_id, scope, question_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE answered (
    tenant_id INTEGER NOT NULL, scope BLOB NOT NULL, question_id INTEGER NOT NULL,
    individual_id BLOB NOT NULL, earliest BLOB NOT NULL CHECK (length(earliest) = 32),
    PRIMARY KEY (tenant_id, scope, question_id, individual_id)
) STRICT, WITHOUT ROWID;
"""

# A simulation stays, in its project; what is said of it may change.
GUARD = (
    "CREATE TRIGGER simulation_immutable BEFORE UPDATE OF tenant_id, id, project_id, created_at "
    "ON simulation  "
    "BEGIN SELECT RAISE(ABORT, 'simulation rows are kept as they are'); END"
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make columns, tables and indexes, one statement at a time."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    db.execute_sql(GUARD)
