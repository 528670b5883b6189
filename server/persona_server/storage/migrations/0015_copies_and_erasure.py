"""Personas name the one that they were copied from; and an operator can erase, which the law asks.

What is kept as it is stays so for everybody: rows can go only in a transaction that has named, in
`erasing`, the persona that they are of (or X'', the tenant as a whole).
"""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# No transaction can be committed with a row in `erasing`: it refers to a project that can't be
# there, as ids have 16 bytes. So nobody leaves the guards open, not even by mistake. The index is
# what SQLite asks when a project is added, which could be the missing one.
TABLES = """
ALTER TABLE persona ADD COLUMN copied_from BLOB;
ALTER TABLE persona ADD COLUMN erased_at INTEGER;
CREATE INDEX persona_copies ON persona (tenant_id, copied_from) WHERE copied_from IS NOT NULL;
CREATE TABLE erasing (
    tenant_id INTEGER NOT NULL, persona_id BLOB NOT NULL,
    nobody BLOB NOT NULL CHECK (nobody = X'00'),
    PRIMARY KEY (tenant_id, persona_id),
    FOREIGN KEY (tenant_id, nobody) REFERENCES project (tenant_id, id)
        DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX erasing_nobody ON erasing (tenant_id, nobody);
"""
UNLESS = (
    "WHEN NOT EXISTS (SELECT 1 FROM erasing e "
    "WHERE e.tenant_id = OLD.tenant_id AND e.persona_id IN (PERSONAS)) "
)
# guard → which personas, named in `erasing`, open it
OPENED_BY = {
    "persona_immutable": "OLD.id",
    "response_delete": "OLD.persona_id, X''",
    "library_link_delete": "OLD.persona_id, X''",
    "simulation_delete": "X''",
    "audit_delete": "X''",
}


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Add columns, index and table, and let `erasing` open the guards that there are."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    find = "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?"
    for name, personas in OPENED_BY.items():
        for (sql,) in db.execute_sql(find, (name,)).fetchall():
            head, body = sql.split("BEGIN ", 1)
            head = head.replace(
                "UPDATE OF tenant_id", "UPDATE OF copied_from, erased_at, tenant_id"
            )
            db.execute_sql(f"DROP TRIGGER {name}")
            db.execute_sql(f"{head}{UNLESS.replace('PERSONAS', personas)}BEGIN {body}")
