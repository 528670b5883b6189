"""Names and external ids have terms that stand by their numbers, on few pages of a large index.

What is stored already is read in chunks, as when terms were made.
"""

import hashlib
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

CHUNK = 1000
NAME, EXTERNAL_ID = 4, 20  # numbers of a persona's fields
# The first bytes of a term are of its text without the last characters.
PLACE_BYTES, PLACES, LAST = 2, 0xFFFF, 3

SETS = "SELECT tenant_id, set_id FROM persona_group WHERE deleted_at IS NULL"
PERSONAS = (
    "SELECT position, framed FROM persona WHERE tenant_id = ? AND set_id = ? AND position > ? "
    "ORDER BY position LIMIT ?"
)
RENEW = (
    "UPDATE persona_term SET hash = ? "
    "WHERE tenant_id = ? AND set_id = ? AND hash = ? AND position = ?"
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Change the terms of all that is shown."""
    for tenant, set_id in db.execute_sql(SETS).fetchall():
        _renew(db, tenant, set_id)


def _renew(db: Any, tenant: int, set_id: int) -> None:
    after = b""
    while chunk := db.execute_sql(PERSONAS, (tenant, set_id, after, CHUNK)).fetchall():
        after = chunk[-1][0]
        renewed = [
            (new, tenant, set_id, old, position)
            for position, framed in chunk
            for old, new in _terms(_content(framed))
        ]
        db.connection().cursor().executemany(RENEW, renewed)


def _terms(persona: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the terms that change, as they were and as they are to be."""
    for number, value in _fields(persona):
        if number == NAME:
            yield _term("name", _folded(value.decode()))
        elif number == EXTERNAL_ID:
            yield _term("external_id", value.decode())


def _term(kind: str, text: str) -> tuple[bytes, bytes]:
    old, place = _hash(kind, text), zlib.crc32(text[:-LAST].encode()) & PLACES
    return old, place.to_bytes(PLACE_BYTES) + old[PLACE_BYTES:]


def _hash(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def _folded(value: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())


def _content(framed: bytes) -> bytes:
    """Return the message of a framed element."""
    ((_, content),) = _fields(framed)
    return content


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each field that has a length, of a well-formed message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            _, at = _varint(message, at)
        elif kind == 1:
            at += 8
        elif kind == 5:
            at += 4
        else:
            length, at = _varint(message, at)
            yield tag >> 3, message[at : at + length]
            at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
