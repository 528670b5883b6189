"""What is derived from answers: questions, series by individual, and sums over all individuals.

Also the library persona that an answerer was sourced from. The derived tables are rebuilt from the
responses that are there, in this migration's transaction (migrate.py).
"""

from typing import Any

DERIVES = True  # whether derived tables are to be filled afterwards

# A series has no foreign keys: it is written a thousand times a second, and each response that it
# is made of has them. Histogram rows are keyed by the value's hash, since a set of themes may be
# longer than an index of PostgreSQL takes. Numbers are text where they may be larger than int64.
TABLES = """
ALTER TABLE response ADD COLUMN library_persona_id BLOB;
CREATE INDEX response_library ON response
    (tenant_id, library_persona_id, position, question_key, length)
    WHERE library_persona_id IS NOT NULL;
CREATE TABLE question (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id), id INTEGER NOT NULL,
    key TEXT NOT NULL, kind TEXT NOT NULL, scale TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, hash)
) STRICT;
CREATE TABLE series (
    tenant_id INTEGER NOT NULL, individual_id BLOB NOT NULL CHECK (length(individual_id) = 16),
    question_id INTEGER NOT NULL,
    records BLOB NOT NULL, texts TEXT NOT NULL,
    PRIMARY KEY (tenant_id, individual_id, question_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE histogram (
    tenant_id INTEGER NOT NULL, question_id INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32), m INTEGER NOT NULL,
    value TEXT NOT NULL, answers INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, question_id, hash, m),
    FOREIGN KEY (tenant_id, question_id) REFERENCES question (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE sums (
    tenant_id INTEGER NOT NULL, question_id INTEGER NOT NULL,
    moments TEXT NOT NULL, squares TEXT NOT NULL,
    differences INTEGER NOT NULL, individuals INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, question_id),
    FOREIGN KEY (tenant_id, question_id) REFERENCES question (tenant_id, id)
) STRICT, WITHOUT ROWID;
"""


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the column and the tables, one statement at a time."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
