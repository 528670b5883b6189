"""What is derived from answers, for the second version of the measures.

By question and simulation, what all individuals first answered and how their numbers moved;
nothing by the number of answers of an individual. The answers of an individual are pieces of
bounded size: a row of a table WITHOUT ROWID that passes 2,030 bytes takes a page of its own. Texts
stand in tables of their own. All of it is rebuilt from the responses in this migration's
transaction (migrate.py).

Library personas that are there were promoted under the first version, and say so from now on.
"""

from typing import Any

DERIVES = True  # whether derived tables are to be filled afterwards

# As before, series have no foreign keys: they are written thousands of times a second, and each
# response that they are made of has them. The two tables of texts have a rowid, since their rows
# may be long; what measures read of them stands before the rest.
TABLES = """
DROP TABLE series;
DROP TABLE histogram;
DROP TABLE sums;
ALTER TABLE question ADD COLUMN declared TEXT NOT NULL DEFAULT '[]';
ALTER TABLE question ADD COLUMN declared_at BLOB NOT NULL DEFAULT x'';
CREATE TABLE series (
    tenant_id INTEGER NOT NULL, individual_id BLOB NOT NULL CHECK (length(individual_id) = 16),
    question_id INTEGER NOT NULL,
    records BLOB NOT NULL, pieces INTEGER NOT NULL, repeats INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, individual_id, question_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE piece (
    tenant_id INTEGER NOT NULL, individual_id BLOB NOT NULL CHECK (length(individual_id) = 16),
    question_id INTEGER NOT NULL, number INTEGER NOT NULL,
    records BLOB NOT NULL,
    PRIMARY KEY (tenant_id, individual_id, question_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE answer_set (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id), id INTEGER NOT NULL,
    tokens TEXT NOT NULL, items TEXT NOT NULL, answers INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TABLE answer_model (
    tenant_id INTEGER NOT NULL REFERENCES tenant (id), id INTEGER NOT NULL,
    model TEXT NOT NULL, prompt_version TEXT NOT NULL, answers INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE TABLE tally (
    tenant_id INTEGER NOT NULL, question_id INTEGER NOT NULL,
    simulation_id BLOB NOT NULL CHECK (length(simulation_id) = 16), bucket INTEGER NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (tenant_id, question_id, simulation_id, bucket),
    FOREIGN KEY (tenant_id, question_id) REFERENCES question (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE sums (
    tenant_id INTEGER NOT NULL, question_id INTEGER NOT NULL,
    simulation_id BLOB NOT NULL CHECK (length(simulation_id) = 16),
    moments TEXT NOT NULL, differences INTEGER NOT NULL, squares TEXT NOT NULL,
    inverses INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, question_id, simulation_id),
    FOREIGN KEY (tenant_id, question_id) REFERENCES question (tenant_id, id)
) STRICT, WITHOUT ROWID;
"""

# Rows that are kept as they are, but for this once.
GUARD = (
    "CREATE TRIGGER library_persona_immutable BEFORE UPDATE OF "
    "tenant_id, id, origin_project_id, origin_persona_id, age, gender_key, "
    "income_level_key, location_key, occupation_key, lower_bound, created_at, body "
    "ON library_persona  "
    "BEGIN SELECT RAISE(ABORT, 'library_persona rows are kept as they are'); END"
)
# A field behind others of an encoded message belongs to it too, and one within a message, to that
# in the message before: field 6 is the reliability, of which field 21 is the version.
FIRST_VERSION = bytes([6 << 3 | 2, 3, 21 << 3 & 0x7F | 0x80, 21 >> 4, 1])


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the tables in place of the old ones, and mark what was measured before."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    db.execute_sql("DROP TRIGGER library_persona_immutable")
    db.execute_sql("UPDATE library_persona SET body = CAST(body || ? AS BLOB)", (FIRST_VERSION,))
    db.execute_sql(GUARD)
