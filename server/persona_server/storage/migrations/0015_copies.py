"""A persona names the one that it was copied from, in a column of its own that finds its copies."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

INDEX = """
CREATE INDEX persona_copies ON persona (tenant_id, copied_from) WHERE copied_from IS NOT NULL
"""


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Add the column and its index; nothing was copied before."""
    db.execute_sql("ALTER TABLE persona ADD COLUMN copied_from BLOB")
    db.execute_sql(INDEX)
