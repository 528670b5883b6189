"""What the planner takes the tables for until there is enough in them to be analysed.

Of tables without statistics it knows nothing, and every index serves a tenant's rows as well as any
other: it took one by the tenant alone, looked at all of its rows, and prepared statements kept that
plan until the first ANALYZE, while an import ran. So each table is analysed once with rows as they
will be: of one tenant, ten to a parent. A table that is then truncated keeps these statistics.
"""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

ROWS, PARENTS = 1000, 10
# Columns that differ in every row, beside the ids of rows; others are those of a parent.
OWN = {
    "tenant": "name",
    "secret": "name",
    "simulation": "name",
    "idempotency": "request_id",
    "import_batch": "sequence",
    "library_persona": "origin_persona_id",
    "library_link": "persona_id",
    "promotion": "persona_id",
    "tenant_quota": "name",
    "tenant_usage": "tenant_id",
    "asked": "question_id",
    "answered": "individual_id",
    "persona_term": "hash",
    "library_term": "hash",
    "series": "individual_id",
    "piece": "individual_id",
    "question": "hash",
    "tally": "bucket",
    "sums": "simulation_id",
    "response_void": "response_id",
    "simulation_void": "simulation_id",
    "voiding": "simulation_id",
    "reference_answer": "persona_id",
}
ALWAYS_OWN = {
    "id", "position", "recorded", "at", "created_at", "updated_at", "queued_at", "linked_at"
}  # fmt: skip
# Bytes of columns that are no ids: of one kind everywhere, or of one table.
LENGTHS = {
    "position": 24, "recorded": 24, "first": 24, "last": 24, "earliest": 32, "request_hash": 32,
    "batch_hash": 32, "question_hash": 32, "question.hash": 32, "framed": 400, "definition": 200,
    "body": 400, "records": 200, "counts": 100, "content": 100, "answer": 200,
}  # fmt: skip
# What 0016 makes, but for `erasing`, of which no row can be committed. Nothing else that stands in
# the schema is ours: tables of other programs, or views of extensions.
TABLES = {
    "tenant", "secret", "project", "persona_group", "persona_set", "persona", "idempotency",
    "import_session", "import_batch", "audit", "simulation", "response", "question",
    "library_persona", "library_link", "promotion", "tenant_quota", "tenant_usage", "asked",
    "answered", "persona_term", "library_term", "series", "piece", "answer_set", "answer_model",
    "tally", "sums", "response_void", "simulation_void", "voiding", "reference_answer",
}  # fmt: skip
COLUMNS = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = current_schema() ORDER BY ordinal_position"
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Fill the tables, analyse them, and empty them."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in db.execute_sql(COLUMNS).fetchall():
        if table in TABLES:
            tables.setdefault(table, []).append((column, kind))
    for table in _parents_first(db, list(tables)):
        values = ", ".join(_value(table, *column) for column in tables[table])
        db.execute_sql(
            f"INSERT INTO {table} SELECT {values} FROM generate_series(1, {ROWS}) i"  # noqa: S608
        )
        db.execute_sql(f"ANALYZE {table}")
    db.execute_sql(f"TRUNCATE {', '.join([*tables, 'erasing'])}")


def _value(table: str, column: str, kind: str) -> str:
    """Return the expression of a column's value in row i."""
    own = column in ALWAYS_OWN or column == OWN.get(table)
    number = "i" if own else f"(i % {PARENTS} + 1)"
    if kind == "bytea":
        length = LENGTHS.get(f"{table}.{column}", LENGTHS.get(column, 16))
        key = f"decode(md5({number}::text), 'hex')"
        whole = " || ".join([key] * -(-length // 16))
        return f"substr({whole}, 1, {length})"
    if column == "tenant_id" and not own:
        return "1"
    return f"({number})::{kind}"


def _parents_first(db: Any, tables: list[str]) -> list[str]:
    """Return tables in an order in which none comes before one that it refers to."""
    sql = "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint "
    found = db.execute_sql(f"{sql}WHERE contype = 'f'").fetchall()
    ordered: list[str] = []
    while len(ordered) < len(tables):
        waiting = {child for child, parent in found if parent not in ordered}
        ordered += [one for one in tables if one not in waiting and one not in ordered]
    return ordered
