"""Projects and groups are found by their names: a hash of each, folded, and an index of it."""

import hashlib
import unicodedata
from collections.abc import Iterator
from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

NAME = 3  # number of the field in a group's definition
INDEXES = (
    "CREATE INDEX project_name ON project (tenant_id, name_term, created_at, id) "
    "WHERE deleted_at IS NULL",
    "CREATE INDEX persona_group_name ON persona_group "
    "(tenant_id, project_id, name_term, created_at, id) WHERE deleted_at IS NULL",
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Add and fill both columns, then make their indexes."""
    for table in ("project", "persona_group"):
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN name_term BLOB NOT NULL DEFAULT x''")
    projects = db.execute_sql("SELECT name, tenant_id, id FROM project").fetchall()
    _fill(db, "project", projects)
    groups = db.execute_sql("SELECT definition, tenant_id, id FROM persona_group").fetchall()
    _fill(db, "persona_group", [(_name(definition), *key) for definition, *key in groups])
    for statement in INDEXES:
        db.execute_sql(statement)


def _fill(db: Any, table: str, rows: list[tuple[Any, ...]]) -> None:
    update = f"UPDATE {table} SET name_term = ? WHERE tenant_id = ? AND id = ?"  # noqa: S608 (ours)
    terms = ((_term(name), *key) for name, *key in rows)
    db.connection().cursor().executemany(update, terms)


def _term(name: str) -> bytes:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return hashlib.blake2b(f"name\0{folded}".encode(), digest_size=16).digest()


def _name(definition: bytes) -> str:
    return dict(_fields(definition)).get(NAME, b"").decode()


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each field that has a length; all others are whole numbers."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 2:
            yield tag >> 3, message[at : at + value]
            at += value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
