"""A persona's age is a message of its own, unset if unknown: 0 was a number like any other.

What is stored is written anew: personas, the profiles of library personas, and the answers kept for
retries that hold one of them whole. The columns stay, in which 0 is unknown. The hashes of requests
stay, since the requests are gone: a create of a persona with an age that is sent again with its
request_id, and a batch of an import that is sent again once it is committed, are refused as
different ones. Nothing is made twice, and imports go on behind what is committed.
"""

from collections.abc import Iterator
from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

CHUNK = 500  # rows in memory at a time; each is of at most 64 KiB and a half
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
AGE = 5  # the field of a persona
# Answers that hold a persona whole, as paths of fields from the answer to it.
KEPT = {
    "CreatePersona": (1,),
    "PromotePersona": (1, 2),
    "RetireLibraryPersona": (1, 2),
}
# Rows that are kept as they are, but for this once.
GUARDS = {
    "persona_immutable": (
        "CREATE TRIGGER persona_immutable BEFORE UPDATE OF "
        "tenant_id, age, position, id, gender_key, income_level_key, location_key, "
        "occupation_key, framed "
        "ON persona  "
        "BEGIN SELECT RAISE(ABORT, 'persona rows are kept as they are'); END"
    ),
    "library_persona_immutable": (
        "CREATE TRIGGER library_persona_immutable BEFORE UPDATE OF "
        "tenant_id, id, origin_project_id, origin_persona_id, age, gender_key, "
        "income_level_key, location_key, occupation_key, lower_bound, created_at, body "
        "ON library_persona  "
        "BEGIN SELECT RAISE(ABORT, 'library_persona rows are kept as they are'); END"
    ),
}


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Write every age anew, a chunk of rows at a time."""
    for name in GUARDS:
        db.execute_sql(f"DROP TRIGGER {name}")
    _personas(db)
    _library(db)
    _kept_answers(db)
    for guard in GUARDS.values():
        db.execute_sql(guard)


def _personas(db: Any) -> None:
    """Also keep true how long a group's rows may be, and how many bytes a tenant has stored."""
    for rows in _chunks(db, "persona", "set_id, framed", "age > 0"):
        longest: dict[tuple[int, int], int] = {}
        grown: dict[int, int] = {}
        for tenant, key, set_id, framed in rows:
            renewed = with_wrapped_age(framed, (1,))
            _update(db, "persona", "framed", renewed, tenant, key)
            longest[tenant, set_id] = max(longest.get((tenant, set_id), 0), len(renewed))
            grown[tenant] = grown.get(tenant, 0) + len(renewed) - len(framed)
        for (tenant, set_id), length in longest.items():
            db.execute_sql(
                "UPDATE persona_group SET max_framed = max(max_framed, ?) WHERE tenant_id = ? "
                "AND id = (SELECT group_id FROM persona_set WHERE tenant_id = ? AND id = ?)",
                (length, tenant, tenant, set_id),
            )
        for tenant, size in grown.items():
            db.execute_sql(
                "UPDATE tenant_usage SET stored_bytes = stored_bytes + ? WHERE tenant_id = ?",
                (size, tenant),
            )


def _library(db: Any) -> None:
    for rows in _chunks(db, "library_persona", "body", "age > 0"):
        for tenant, key, body in rows:
            _update(db, "library_persona", "body", with_wrapped_age(body, (2,)), tenant, key)


def _kept_answers(db: Any) -> None:
    for method, path in KEPT.items():
        for rows in _chunks(db, "idempotency", "answer", f"method = '{method}'", "request_id"):
            for tenant, key, answer in rows:
                db.execute_sql(
                    "UPDATE idempotency SET answer = ? "
                    "WHERE tenant_id = ? AND method = ? AND request_id = ?",
                    (with_wrapped_age(answer, path), tenant, method, key),
                )


def _update(db: Any, table: str, column: str, value: bytes, tenant: int, key: bytes) -> None:
    sql = f"UPDATE {table} SET {column} = ? WHERE tenant_id = ? AND id = ?"  # noqa: S608
    db.execute_sql(sql, (value, tenant, key))


def _chunks(
    db: Any, table: str, columns: str, which: str, key: str = "id"
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield (tenant, key, columns …) of the rows of a table that are meant, in order of the key."""
    after: tuple[Any, ...] = (-1, b"")
    sql = (
        f"SELECT tenant_id, {key}, {columns} FROM {table} "  # noqa: S608
        f"WHERE (tenant_id, {key}) > (?, ?) AND {which} ORDER BY tenant_id, {key} LIMIT {CHUNK}"
    )
    while rows := db.execute_sql(sql, after).fetchall():
        yield rows
        after = rows[-1][:2]


def with_wrapped_age(message: bytes, path: tuple[int, ...]) -> bytes:
    """Return a message in which the age of the persona at `path` is a message of its own."""
    parts = []
    for number, field, content in _fields(message):
        if path and number == path[0]:
            parts.append(_framed(number, with_wrapped_age(content, path[1:])))
        elif not path and number == AGE and field[0] & 7 == VARINT:
            parts.append(_framed(AGE, b"\x08" + field[1:]))
        else:
            parts.append(field)
    return b"".join(parts)


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
