"""Who calls: what every kind of credential comes down to."""

import re
from typing import NamedTuple

LEEWAY = 30  # seconds of clock difference that are forgiven to a token
TENANT = re.compile(r"[a-z0-9-]{1,64}")
TENANT_RULE = "A tenant's name has 1 to 64 of the characters a-z, 0-9 and '-'."
MAX_SUBJECT = 255  # bytes of UTF-8
MAX_TTL = 366 * 86_400  # seconds that a token or a key may be valid
KEY_SUBJECT = "key:"  # how the subject of an API key begins, and that of no token
OWN_SUBJECTS = ("operator", "automatic-promotion")  # who the audit trail names where nobody calls


class Principal(NamedTuple):
    """One tenant's subject, and what it may do. `expires` is in seconds since 1970.

    `token_id` is the jti of a token that has one, `kid` names the key that signed it, `key_id` is
    the id of an API key: what it can be revoked by.
    """

    tenant: str
    subject: str
    scopes: frozenset[str]
    expires: float
    token_id: str = ""
    key_id: str = ""
    kid: str = ""


class TokenError(Exception):
    """A credential that is not accepted; the text says why and holds nothing of it."""


def is_name(text: str) -> bool:
    """Return whether a text can name a token or a key: it is stored, and shown in logs."""
    fits = bool(text) and text.isprintable() and len(text.encode()) <= MAX_SUBJECT
    return fits and not text.startswith(KEY_SUBJECT)


def is_subject(text: str) -> bool:
    """Return whether a text can name who has a token, whom the audit trail names so."""
    return is_name(text) and text not in OWN_SUBJECTS
