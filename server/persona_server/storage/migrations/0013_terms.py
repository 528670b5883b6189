"""Terms: an index by which personas are found where a whole value of them is known.

A term is a hash of 16 bytes of a name, an external id or an attribute. What is stored already is
read in chunks, so that it takes no more memory than one of them.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from typing import Any

DERIVES = False  # whether derived tables are to be filled afterwards

# The rows of a set are in the order of their terms, each in the order of its pages. A library
# persona is looked at in the orders of the library, so its own terms lie beside each other.
# Neither has foreign keys: ten rows are written with each persona, which has them.
TABLES = """
CREATE TABLE persona_term (
    tenant_id INTEGER NOT NULL, set_id INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 16), position BLOB NOT NULL,
    PRIMARY KEY (tenant_id, set_id, hash, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE library_term (
    tenant_id INTEGER NOT NULL, library_persona_id BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 16),
    PRIMARY KEY (tenant_id, library_persona_id, hash)
) STRICT, WITHOUT ROWID;
"""
CHUNK = 1000
LONGEST = 255  # characters of a value that is found by
NAME, ATTRIBUTES, KEY, VALUE, PROFILE = 4, 19, 1, 2, 2  # numbers of the messages' fields

SETS = "SELECT tenant_id, set_id FROM persona_group WHERE deleted_at IS NULL"
PERSONAS = (
    "SELECT position, framed FROM persona WHERE tenant_id = ? AND set_id = ? AND position > ? "
    "ORDER BY position LIMIT ?"
)
INDIVIDUALS = (
    "SELECT tenant_id, id, body FROM library_persona WHERE (tenant_id, id) > (?, ?) "
    "ORDER BY tenant_id, id LIMIT ?"
)


def up(migrator: object, db: Any) -> None:  # noqa: ARG001 (as the runner calls it)
    """Make both tables, and the terms of all that is shown."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    for tenant, set_id in db.execute_sql(SETS).fetchall():
        _fill_set(db, tenant, set_id)
    _fill_library(db)


def _fill_set(db: Any, tenant: int, set_id: int) -> None:
    after = b""
    while chunk := db.execute_sql(PERSONAS, (tenant, set_id, after, CHUNK)).fetchall():
        after = chunk[-1][0]
        terms = [
            (tenant, set_id, term, position)
            for position, framed in chunk
            for term in _terms(_content(framed))
        ]
        _insert(db, "INSERT INTO persona_term VALUES (?, ?, ?, ?)", terms)


def _fill_library(db: Any) -> None:
    after: tuple[int, bytes] = (-1, b"")
    while chunk := db.execute_sql(INDIVIDUALS, (*after, CHUNK)).fetchall():
        after = chunk[-1][:2]
        terms = [
            (tenant, library_persona, term)
            for tenant, library_persona, body in chunk
            for number, profile in _fields(body)
            if number == PROFILE
            for term in _attributes(profile)
        ]
        _insert(db, "INSERT INTO library_term VALUES (?, ?, ?)", terms)


def _insert(db: Any, statement: str, rows: list[tuple[Any, ...]]) -> None:
    db.connection().cursor().executemany(statement, sorted(rows))


def _terms(persona: bytes) -> Iterator[bytes]:
    for number, value in _fields(persona):
        if number == NAME:
            yield _hash("name", _folded(value.decode()))
    yield from _attributes(persona)


def _attributes(persona: bytes) -> Iterator[bytes]:
    for number, entry in _fields(persona):
        if number == ATTRIBUTES:
            parts = dict(_fields(entry))
            key, value = (parts.get(part, b"").decode() for part in (KEY, VALUE))
            if len(value) <= LONGEST:
                yield _hash("attribute", key, value)


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
