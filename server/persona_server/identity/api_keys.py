"""API keys: psk_<tenant>_<id, 16 hexadecimal digits>_<secret, 43 of base62>.

The secret is random, so that one SHA-256 of the whole text is kept in its place; the tenant and the
id tell where to look.
"""

import hashlib
import hmac
import re
import secrets
import string
import time
from typing import NamedTuple

from persona_server.identity.principal import KEY_SUBJECT, Principal, TokenError
from persona_server.storage.repositories.credentials import LiveKey

PREFIX = "psk_"
MAX_NAME = 100  # bytes of UTF-8
ID_BYTES = 8
_FORM = re.compile(r"psk_([a-z0-9-]{1,64})_([0-9a-f]{16})_[0-9A-Za-z]{43}")
_LETTERS = string.digits + string.ascii_letters
_NO_DIGEST = bytes(32)


class NewKey(NamedTuple):
    """A key that was just made: its id, and the text that nobody can show again."""

    id: bytes
    text: str


def make_key(tenant: str) -> NewKey:
    """Make a key of a tenant."""
    key_id = secrets.token_bytes(ID_BYTES)
    secret = "".join(secrets.choice(_LETTERS) for _ in range(43))
    return NewKey(key_id, f"{PREFIX}{tenant}_{key_id.hex()}_{secret}")


def digest_of(text: str) -> bytes:
    """Return what is kept of a key."""
    return hashlib.sha256(text.encode(errors="replace")).digest()


def read_key(text: str, known: dict[tuple[str, str], LiveKey]) -> Principal:
    """Return who a key speaks for, of the keys known by tenant and id.

    Raises TokenError, in the same words and after the same work whatever is wrong with it.
    """
    form = _FORM.fullmatch(text)
    row = known.get((form[1], form[2])) if form else None
    is_it = hmac.compare_digest(digest_of(text), row.digest if row else _NO_DIGEST)
    if not form or row is None or not is_it or row.expires_at / 1e6 <= time.time():
        raise TokenError("The API key is not valid.")
    key_id = row.id.hex()
    subject = f"{KEY_SUBJECT}{key_id}:{row.name}"
    expires = row.expires_at / 1e6
    return Principal(form[1], subject, frozenset(row.scopes.split()), expires, key_id=key_id)
