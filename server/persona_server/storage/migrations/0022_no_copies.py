"""SQLite copies no pages before it inserts a response: no statement that does is taken back alone.

It does so for each of a statement that fires a trigger, if anything in it may abort. So nothing in
it may: the guard fails and takes nothing back, with nothing changed yet; what a response refers to
is looked for at the end of the transaction, as for `erasing`; and the lengths of its keys, which
this code makes of 8 and 16 bytes, are checked no more, since to SQLite any function may abort.
"""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# As the migrations before have left them.
CHECKS = ("length(id) = 16", "length(position) = 24", "length(recorded) = 24")
REFERENCES = ("simulation", "persona")
GUARD = (
    "CREATE TRIGGER response_replace BEFORE INSERT ON response "
    "WHEN EXISTS (SELECT 1 FROM response WHERE tenant_id = NEW.tenant_id AND id = NEW.id) "
    "BEGIN SELECT RAISE(FAIL, 'response rows are kept as they are'); END"
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Write the text of the table anew, as SQLite says to where no row changes, and the guard."""
    ((table,),) = db.execute_sql("SELECT sql FROM sqlite_schema WHERE name = 'response'").fetchall()
    for check in CHECKS:
        table = _changed(table, f" CHECK ({check})", "")
    for other in REFERENCES:
        reference = f"REFERENCES {other} (tenant_id, id)"
        table = _changed(table, reference, f"{reference} DEFERRABLE INITIALLY DEFERRED")
    ((version,),) = db.execute_sql("PRAGMA schema_version").fetchall()
    db.execute_sql("PRAGMA writable_schema = ON")
    db.execute_sql("UPDATE sqlite_schema SET sql = ? WHERE name = 'response'", (table,))
    db.execute_sql(f"PRAGMA schema_version = {version + 1}")
    db.execute_sql("PRAGMA writable_schema = RESET")
    db.execute_sql("DROP TRIGGER response_replace")
    db.execute_sql(GUARD)


def _changed(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"the table of responses has not {old.strip()}")
    return text.replace(old, new)
