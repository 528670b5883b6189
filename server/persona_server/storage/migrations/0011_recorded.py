"""Responses are listed by when they were recorded, by group, and by question, each by an index."""

from collections.abc import Iterator
from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# As `position` is (occurred_at, id), `recorded` is (recorded_at, id).
COLUMN = """
ALTER TABLE response ADD COLUMN recorded BLOB NOT NULL
    DEFAULT x'000000000000000000000000000000000000000000000000' CHECK (length(recorded) = 24)
"""
# `length` bounds a page's bytes. A project's answers to a question are looked for in the question's
# index, so that of the project has no need of its key.
INDEXES = (
    "DROP INDEX response_project",
    "CREATE INDEX response_project ON response (tenant_id, project_id, position, length)",
    "CREATE INDEX response_group ON response (tenant_id, group_id, position, length)",
    "CREATE INDEX response_question ON response (tenant_id, question_key, position, length)",
    "CREATE INDEX response_recorded ON response (tenant_id, recorded, length)",
)
GUARD = (
    "CREATE TRIGGER response_update BEFORE UPDATE ON response  "
    "BEGIN SELECT RAISE(ABORT, 'response rows are kept as they are'); END"
)
CHUNK = 5000
TAIL = 24  # bytes that hold the end of a response from recorded_at on


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Add the column, fill it from the messages, and make the indexes."""
    db.execute_sql(COLUMN)
    db.execute_sql("DROP TRIGGER response_update")
    for chunk in _chunks(db):
        for row, response, tail in chunk:
            recorded = _recorded_at(tail).to_bytes(8) + response
            db.execute_sql("UPDATE response SET recorded = ? WHERE rowid = ?", (recorded, row))
    db.execute_sql(GUARD)
    for index in INDEXES:
        db.execute_sql(index)


def _chunks(db: Any) -> Iterator[list[Any]]:
    sql = "SELECT rowid, id, substr(framed, ?) FROM response WHERE rowid > ? ORDER BY rowid LIMIT ?"
    after = 0
    while chunk := db.execute_sql(sql, (-TAIL, after, CHUNK)).fetchall():
        yield chunk
        after = chunk[-1][0]


def _recorded_at(tail: bytes) -> int:
    """Return the microseconds of field 19, which only the tag of field 20 follows."""
    for length in range(2, TAIL - 4):
        start = len(tail) - 2 - length
        if tail[start - 3 : start] == b"\x9a\x01" + bytes([length]) and tail[start] == 8:
            seconds, at = _varint(tail, start + 1)
            nanos, at = _varint(tail, at + 1) if tail[at] == 16 else (0, at)
            if at == len(tail) - 2:
                return seconds * 1_000_000 + nanos // 1000
    raise ValueError("a stored response does not end with the time when it was recorded")


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Return a number of the wire, and where it ends."""
    value = shift = 0
    while raw[at] & 0x80:
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | raw[at] << shift, at + 1
