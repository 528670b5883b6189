"""What the real people that personas stand for answered."""

from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# An individual's, known by the persona it began as. `question_hash` is that of key and scale, as
# in `question`; `answer` and `retest` are numbers as a series has them, so that a group is
# measured without what stands behind them.
TABLES = """
CREATE TABLE reference_answer (
    tenant_id INTEGER NOT NULL, persona_id BLOB NOT NULL,
    question_hash BLOB NOT NULL CHECK (length(question_hash) = 32),
    answer INTEGER NOT NULL, retest INTEGER, content BLOB NOT NULL,
    PRIMARY KEY (tenant_id, question_hash, persona_id),
    FOREIGN KEY (tenant_id, persona_id) REFERENCES persona (tenant_id, id)
) STRICT;
CREATE INDEX reference_answer_persona ON reference_answer (tenant_id, persona_id, question_hash)
"""


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make the table."""
    for statement in TABLES.split(";"):
        db.execute_sql(statement)
