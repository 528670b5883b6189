"""Reading tokens: what a JWT must be, whoever has signed it."""

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt

from persona_server.identity.principal import (
    LEEWAY,
    MAX_TTL,
    TENANT,
    Principal,
    TokenError,
    is_name,
    is_subject,
)
from persona_server.identity.scopes import ROLES

MAX_TOKEN = 8192  # characters
ROLE_PREFIX = "role:"

_TYPES = {"jwt", "at+jwt"}
_REQUIRED = ("exp", "iat", "iss", "aud", "sub")


class Trust(NamedTuple):
    """An issuer whose tokens are taken, and the claims in which they say whose they are.

    `is_provider`: scopes may come as a list, too, and as roles with the prefix `role:`.
    """

    issuer: str
    audience: str
    tenant_claim: str = "tenant"
    scope_claim: str = "scope"
    is_provider: bool = False


class VerifyingKey(NamedTuple):
    """A public key with the one algorithm that it is used by, and whose it is.

    What it signed is taken before `until`, in seconds since 1970.
    """

    public: Any
    algorithm: str
    trust: Trust
    until: float = math.inf


def read_token(token: str, find: Callable[[str], VerifyingKey | None]) -> Principal:
    """Return who a token speaks for; `find` tells the key of a kid.

    Raises TokenError for anything but a valid one.
    """
    if len(token) > MAX_TOKEN:
        raise TokenError("The token is too long.")
    try:
        header = jwt.get_unverified_header(token)
        key = _key(header, find)
        return _principal(_claims(token, key), key)._replace(kid=_kid(header))
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise TokenError("The token is not valid.") from None


def _claims(token: str, key: VerifyingKey) -> dict[str, Any]:
    """Return what a token says that a key has signed; only its holder learns what is wrong with it.

    Raises TokenError, and jwt's errors for what the key has not signed.
    """
    trust = key.trust
    try:
        return jwt.decode(
            token,
            key.public,
            algorithms=[key.algorithm],  # the key's, whatever the token names
            issuer=trust.issuer,
            audience=trust.audience,
            leeway=LEEWAY,
            options={"require": [*_REQUIRED, trust.tenant_claim]},
        )
    except jwt.ExpiredSignatureError:
        where = "" if trust.is_provider else ": persona token"
        raise TokenError(f"The token has expired. Get a new one{where}.") from None
    except jwt.InvalidAudienceError:
        raise TokenError("The token is for another audience (aud).") from None
    except jwt.InvalidIssuerError:
        raise TokenError("The token is of another issuer (iss).") from None
    except jwt.ImmatureSignatureError:
        raise TokenError("The token is not valid yet (nbf, iat); are the clocks right?") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenError(f"The token lacks the claim {error.claim}.") from None


def _key(header: dict[str, Any], find: Callable[[str], VerifyingKey | None]) -> VerifyingKey:
    kind = str(header.get("typ", "")).lower().removeprefix("application/")
    if kind not in _TYPES:
        raise TokenError("The token is not of type JWT or at+jwt.")
    key = find(_kid(header))
    if key is None or key.until <= time.time():
        raise TokenError("The token was signed by a key that this server does not know.")
    return key


def _kid(header: dict[str, Any]) -> str:
    return str(header.get("kid", ""))


def _principal(claims: dict[str, Any], key: VerifyingKey) -> Principal:
    tenant, subject = claims[key.trust.tenant_claim], claims["sub"]
    if not (isinstance(tenant, str) and TENANT.fullmatch(tenant)):
        raise TokenError("The token's tenant is not valid.")
    if not (isinstance(subject, str) and is_subject(subject)):
        raise TokenError("The token's sub or scope is not valid.")
    token_id = claims.get("jti", "")
    if "jti" in claims and not is_name(token_id):  # it could not be revoked
        raise TokenError("The token's jti is not valid.")
    expires = float(claims["exp"])
    if expires - float(claims["iat"]) > MAX_TTL:
        raise TokenError("The token is valid for longer than 366 days. Get a new one.")
    scopes = _scopes(claims.get(key.trust.scope_claim, ""), key.trust)
    return Principal(tenant, subject, scopes, min(expires, key.until), token_id)


def _scopes(given: object, trust: Trust) -> frozenset[str]:
    """Return the scopes of a claim. Those of a newer server may be unknown here; so they stay."""
    if isinstance(given, str):
        words = given.split()
    elif trust.is_provider and isinstance(given, list):
        words = [word for word in given if isinstance(word, str)]
    else:
        raise TokenError("The token's sub or scope is not valid.")
    if not trust.is_provider:
        return frozenset(words)
    roles = (word.removeprefix(ROLE_PREFIX) for word in words if word.startswith(ROLE_PREFIX))
    return frozenset(words).union(*(ROLES.get(role, ()) for role in roles))
