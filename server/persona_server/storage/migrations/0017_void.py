"""Responses and whole simulations can be void: a mark beside what stays as it is."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# `mark` is the end of a response's message that readers add: when it was voided, and why. `voiding`
# is the work list: simulations with answers behind `after` that are still counted.
TABLES = """
CREATE TABLE response_void (
    tenant_id INTEGER NOT NULL, response_id BLOB NOT NULL, mark BLOB NOT NULL,
    PRIMARY KEY (tenant_id, response_id),
    FOREIGN KEY (tenant_id, response_id) REFERENCES response (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE simulation_void (
    tenant_id INTEGER NOT NULL, simulation_id BLOB NOT NULL, mark BLOB NOT NULL,
    PRIMARY KEY (tenant_id, simulation_id),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulation (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE voiding (
    tenant_id INTEGER NOT NULL, simulation_id BLOB NOT NULL, after BLOB NOT NULL,
    PRIMARY KEY (tenant_id, simulation_id),
    FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulation_void (tenant_id, simulation_id)
) STRICT, WITHOUT ROWID
"""

# Append-only, but for an erasure of whoever answered, which takes the mark before the response.
GUARDS = (
    "CREATE TRIGGER response_void_update BEFORE UPDATE ON response_void  "
    "BEGIN SELECT RAISE(ABORT, 'response_void rows are kept as they are'); END",
    "CREATE TRIGGER response_void_delete BEFORE DELETE ON response_void  "
    "WHEN NOT EXISTS (SELECT 1 FROM erasing e WHERE e.tenant_id = OLD.tenant_id AND e.persona_id "
    "IN (X'', (SELECT r.persona_id FROM response r "
    "WHERE r.tenant_id = OLD.tenant_id AND r.id = OLD.response_id))) "
    "BEGIN SELECT RAISE(ABORT, 'response_void rows are kept as they are'); END",
    "CREATE TRIGGER response_void_replace BEFORE INSERT ON response_void "
    "WHEN EXISTS (SELECT 1 FROM response_void "
    "WHERE tenant_id = NEW.tenant_id AND response_id = NEW.response_id) "
    "BEGIN SELECT RAISE(ABORT, 'response_void rows are kept as they are'); END",
    "CREATE TRIGGER simulation_void_update BEFORE UPDATE ON simulation_void  "
    "BEGIN SELECT RAISE(ABORT, 'simulation_void rows are kept as they are'); END",
    "CREATE TRIGGER simulation_void_delete BEFORE DELETE ON simulation_void  "
    "WHEN NOT EXISTS (SELECT 1 FROM erasing e "
    "WHERE e.tenant_id = OLD.tenant_id AND e.persona_id = X'') "
    "BEGIN SELECT RAISE(ABORT, 'simulation_void rows are kept as they are'); END",
    "CREATE TRIGGER simulation_void_replace BEFORE INSERT ON simulation_void "
    "WHEN EXISTS (SELECT 1 FROM simulation_void "
    "WHERE tenant_id = NEW.tenant_id AND simulation_id = NEW.simulation_id) "
    "BEGIN SELECT RAISE(ABORT, 'simulation_void rows are kept as they are'); END",
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the tables and their guards."""
    for statement in TABLES.split(";"):
        db.execute_sql(statement)
    for guard in GUARDS:
        db.execute_sql(guard)
