"""PostgreSQL copies nothing before it inserts a response: there is nothing to change."""

DERIVES = False  # whether derived tables are to be filled afterwards


def up(migrator: object, db: object) -> None:
    """Change nothing."""
