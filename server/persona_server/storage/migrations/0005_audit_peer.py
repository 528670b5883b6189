"""The audit trail says from which address a change came."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Add the column; of what was done before, nobody knows it."""
    db.execute_sql("ALTER TABLE audit ADD COLUMN peer TEXT")
