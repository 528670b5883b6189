"""What is kept as it is: the database itself refuses to change it, whoever asks.

Rows can go only in a transaction that has named, in `erasing`, the persona that they are of (or
'', the tenant as a whole), with which it can't be committed: as on SQLite.
"""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
        MESSAGE = TG_TABLE_NAME || ' rows are kept as they are';
END $$
"""
UNLESS_ERASED = """
CREATE FUNCTION refuse_unless_erased() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    persona bytea;
    everybody bytea = '';
BEGIN
    IF TG_TABLE_NAME = 'persona' THEN
        persona := OLD.id;
        everybody := NULL;
    ELSIF TG_TABLE_NAME IN ('response', 'library_link') THEN
        persona := OLD.persona_id;
    ELSIF TG_TABLE_NAME = 'response_void' THEN
        SELECT r.persona_id INTO persona FROM response r
            WHERE r.tenant_id = OLD.tenant_id AND r.id = OLD.response_id;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM erasing e WHERE e.tenant_id = OLD.tenant_id
            AND (e.persona_id = persona OR e.persona_id = everybody)
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
            MESSAGE = TG_TABLE_NAME || ' rows are kept as they are';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
"""
APPEND_ONLY = ("audit", "response", "response_void", "simulation_void", "library_link")
# table → the columns that stay, but of a persona that is erased
IMMUTABLE = {
    "simulation": "tenant_id, id, project_id, created_at",
    "library_persona": "tenant_id, id, origin_project_id, origin_persona_id, age, gender_key, "
    "income_level_key, location_key, occupation_key, lower_bound, created_at, body",
}
PERSONA = (
    "copied_from, erased_at, tenant_id, age, position, id, gender_key, income_level_key, "
    "location_key, occupation_key, framed"
)
REFUSED, UNLESS = "EXECUTE FUNCTION refuse_change()", "EXECUTE FUNCTION refuse_unless_erased()"


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the guards of every table that has any, one statement at a time."""
    db.execute_sql(REFUSE)
    db.execute_sql(UNLESS_ERASED)
    for table in APPEND_ONLY:
        _guard(db, f"{table}_update BEFORE UPDATE ON {table} FOR EACH ROW {REFUSED}")
    for table, columns in IMMUTABLE.items():
        when = f"BEFORE UPDATE OF {columns} ON {table}"
        _guard(db, f"{table}_immutable {when} FOR EACH ROW {REFUSED}")
    when = f"BEFORE UPDATE OF {PERSONA} ON persona"
    _guard(db, f"persona_immutable {when} FOR EACH ROW {UNLESS}")
    for table in (*APPEND_ONLY, "simulation"):
        _guard(db, f"{table}_delete BEFORE DELETE ON {table} FOR EACH ROW {UNLESS}")
    for table in (*APPEND_ONLY, *IMMUTABLE, "persona"):
        _guard(db, f"{table}_truncate BEFORE TRUNCATE ON {table} {REFUSED}")


def _guard(db: Any, guard: str) -> None:
    db.execute_sql(f"CREATE TRIGGER {guard}")
