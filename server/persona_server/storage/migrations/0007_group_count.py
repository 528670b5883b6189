"""A project keeps how many groups it shows: counted at every read, many of them take long."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

COUNT = """
UPDATE project SET group_count = (
    SELECT count(*) FROM persona_group g
    WHERE g.tenant_id = project.tenant_id AND g.project_id = project.id AND g.deleted_at IS NULL
)
"""


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Add the column and count once."""
    db.execute_sql("ALTER TABLE project ADD COLUMN group_count INTEGER NOT NULL DEFAULT 0")
    db.execute_sql(COUNT)
