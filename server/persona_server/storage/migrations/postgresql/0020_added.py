"""How many personas an import has added to its group, beside how many it has brought."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# What was there before the imports that are under way nobody knows: all of theirs count as added.
STATEMENTS = (
    "ALTER TABLE import_session ADD COLUMN added_count bigint NOT NULL DEFAULT 0",
    "UPDATE import_session SET added_count = persona_count",
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Add the column, and fill it."""
    for statement in STATEMENTS:
        db.execute_sql(statement)
