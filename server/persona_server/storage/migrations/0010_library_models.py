"""A library persona says from which group it came, and which models its reliability came from.

Its fields have other numbers since, and a rule another name. What is stored is written anew:
library personas, and the answers kept for retries that hold one. The models of those that are there
are left out: which answers were compared is not known any more.
"""

import uuid
from collections.abc import Iterator
from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

CHUNK = 500  # rows in memory at a time; each is of at most 66 KiB
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
# The fields of a library persona, from their numbers to the new ones.
MOVED = {1: 1, 2: 2, 3: 3, 4: 5, 5: 6, 6: 8, 7: 9, 8: 10, 9: 11}
ORIGIN_PERSONA, ORIGIN_GROUP = 4, 4  # as it was, as it is
RELIABILITY, RULES, NAME = 5, 2, 1  # as it was, its rules, and their names
RENAMED = {b"bound": b"lower_bound"}
# Answers that hold a library persona in their first field.
KEPT = ("PromotePersona", "RetireLibraryPersona")
# Rows that are kept as they are, but for this once.
GUARD = (
    "CREATE TRIGGER library_persona_immutable BEFORE UPDATE OF "
    "tenant_id, id, origin_project_id, origin_persona_id, age, gender_key, "
    "income_level_key, location_key, occupation_key, lower_bound, created_at, body "
    "ON library_persona  "
    "BEGIN SELECT RAISE(ABORT, 'library_persona rows are kept as they are'); END"
)
GROUP = (
    "SELECT s.group_id FROM persona p JOIN persona_set s "
    "ON s.tenant_id = p.tenant_id AND s.id = p.set_id WHERE p.tenant_id = ? AND p.id = ?"
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Write every library persona anew, a chunk of rows at a time."""
    db.execute_sql("DROP TRIGGER library_persona_immutable")
    for rows in _chunks(db, "library_persona", "id", "body", "1"):
        for tenant, key, body in rows:
            db.execute_sql(
                "UPDATE library_persona SET body = ? WHERE tenant_id = ? AND id = ?",
                (_renewed(db, tenant, body), tenant, key),
            )
    for method in KEPT:
        for rows in _chunks(db, "idempotency", "request_id", "answer", f"method = '{method}'"):
            for tenant, key, answer in rows:
                [(_, _, held)] = _fields(answer)
                db.execute_sql(
                    "UPDATE idempotency SET answer = ? "
                    "WHERE tenant_id = ? AND method = ? AND request_id = ?",
                    (_framed(1, _renewed(db, tenant, held)), tenant, method, key),
                )
    db.execute_sql(GUARD)


def _renewed(db: Any, tenant: int, message: bytes) -> bytes:
    """Return a library persona with the group that it came from, and its fields' new numbers."""
    parts = []
    for number, field, held in _fields(message):
        if number == ORIGIN_PERSONA:
            persona = uuid.UUID(held.decode()).bytes
            [(group,)] = db.execute_sql(GROUP, (tenant, persona)).fetchall()
            parts.append(_framed(ORIGIN_GROUP, str(uuid.UUID(bytes=group)).encode()))
        if number == RELIABILITY:
            parts.append(_framed(MOVED[number], _renamed(held, (RULES, NAME))))
        else:
            parts.append(bytes([MOVED[number] << 3 | field[0] & 7]) + field[1:])
    return b"".join(parts)


def _renamed(message: bytes, path: tuple[int, ...]) -> bytes:
    """Return a message in which the texts at `path` have their new names."""
    if not path:
        return RENAMED.get(message, message)
    return b"".join(
        _framed(number, _renamed(held, path[1:])) if number == path[0] else field
        for number, field, held in _fields(message)
    )


def _chunks(
    db: Any, table: str, key: str, column: str, which: str
) -> Iterator[list[tuple[int, bytes, bytes]]]:
    """Yield (tenant, key, column) of the rows of a table that are meant, in order of the key."""
    after: tuple[int, bytes] = (-1, b"")
    sql = (
        f"SELECT tenant_id, {key}, {column} FROM {table} "  # noqa: S608
        f"WHERE (tenant_id, {key}) > (?, ?) AND {which} ORDER BY tenant_id, {key} LIMIT {CHUNK}"
    )
    while rows := db.execute_sql(sql, after).fetchall():
        yield rows
        after = rows[-1][:2]


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield each field of a message: its number, all of it, and what it holds."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        begin, at = _ends(message, tag & 7, at)
        yield tag >> 3, message[start:at], message[begin:at]


def _ends(message: bytes, wire_type: int, at: int) -> tuple[int, int]:
    """Return where the value at a place begins and ends. Raises KeyError for a group."""
    if wire_type == VARINT:
        return at, _varint(message, at)[1]
    if wire_type == BYTES:
        length, at = _varint(message, at)
        return at, at + length
    return at, at + {FIXED64: 8, FIXED32: 4}[wire_type]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place, and where it ends."""
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift, at + 1


def _framed(number: int, content: bytes) -> bytes:
    """Return a field of a low number that holds these bytes."""
    length, size = bytearray(), len(content)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes([number << 3 | BYTES]) + length + content
