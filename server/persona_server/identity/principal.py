"""Who calls: what every kind of credential comes down to."""

from typing import NamedTuple

LEEWAY = 30  # seconds of clock difference that are forgiven to a token


class Principal(NamedTuple):
    """One tenant's subject, and what it may do. `expires` is in seconds since 1970."""

    tenant: str
    subject: str
    scopes: frozenset[str]
    expires: float


class TokenError(Exception):
    """A credential that is not accepted; the text says why and holds nothing of it."""
