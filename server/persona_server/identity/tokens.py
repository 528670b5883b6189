"""Access tokens: JWTs signed with the local ES256 key that the database keeps.

A verified token yields one Principal; whatever other credentials come later yield the same.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Iterable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from persona_server.identity.principal import LEEWAY, Principal, TokenError
from persona_server.identity.scopes import SCOPES
from persona_server.storage import keys
from persona_server.storage.store import Store

ISSUER = AUDIENCE = "persona-service"
SECRET_NAME = "local-signing-key"  # noqa: S105 (its name, not the secret)
TENANT = re.compile(r"[a-z0-9-]{1,64}")
TENANT_RULE = "A tenant's name has 1 to 64 of the characters a-z, 0-9 and '-'."
MAX_TOKEN = 8192  # characters
MAX_SUBJECT = 255  # bytes of UTF-8
MAX_TTL = 366 * 86_400  # seconds

_TYPES = {"jwt", "at+jwt"}
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "tenant"]


class LocalKey:
    """The key pair of this database: signs tokens and verifies them."""

    def __init__(self, pem: bytes) -> None:
        private = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError("the local signing key must be an EC key")
        self._private = private
        self._public = private.public_key()
        self.kid = thumbprint(self._public)

    def issue(self, tenant: str, subject: str, scopes: Iterable[str], ttl: int) -> str:
        """Return a token for a tenant, valid for `ttl` seconds. Raises TokenError for bad words."""
        if not TENANT.fullmatch(tenant):
            raise TokenError(TENANT_RULE)
        if not is_subject(subject):
            raise TokenError(
                f"A token speaks for somebody: name a --subject of 1 to {MAX_SUBJECT} bytes, all "
                "of it printable."
            )
        if not 0 < ttl <= MAX_TTL:
            raise TokenError("A token is valid for some time, 366 days at most: see --ttl.")
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "tenant": tenant,
            "scope": " ".join(expand_scopes(scopes)),
            "iat": now,
            "exp": now + ttl,
        }
        headers = {"kid": self.kid, "typ": "at+jwt"}
        return jwt.encode(claims, self._private, algorithm="ES256", headers=headers)

    def verify(self, token: str) -> Principal:
        """Return who a token speaks for. Raises TokenError for anything but a valid one."""
        if len(token) > MAX_TOKEN:
            raise TokenError("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            kind = str(header.get("typ", "")).lower().removeprefix("application/")
            if kind not in _TYPES:
                raise TokenError("The token is not of type JWT or at+jwt.")
            if header.get("kid") != self.kid:
                raise TokenError("The token was signed by a key that this server does not know.")
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["ES256"],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY,
                options={"require": _REQUIRED},
            )
            return _principal(claims)
        except jwt.ExpiredSignatureError:
            raise TokenError("The token has expired. Get a new one: persona token.") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            raise TokenError("The token is not valid.") from None


def local_key(store: Store) -> LocalKey:
    """Return the database's key, made at the first call."""
    return LocalKey(store.secrets.ensure(SECRET_NAME, _make_key, keys.now()))


def find_local_key(store: Store) -> LocalKey | None:
    """Return the database's key if it has one."""
    pem = store.secrets.find(SECRET_NAME)
    return None if pem is None else LocalKey(pem)


def expand_scopes(scopes: Iterable[str]) -> list[str]:
    """Return scopes sorted, with "all" expanded. Raises TokenError for one that is not known."""
    wanted = set(scopes)
    if unknown := sorted(wanted - {*SCOPES, "all"}):
        known = ", ".join(("all", *SCOPES))
        raise TokenError(f"There is no scope {', '.join(unknown)}. Known ones: {known}.")
    return sorted(SCOPES) if "all" in wanted else sorted(wanted)


def is_subject(text: str) -> bool:
    """Return whether a text can name a subject: it is stored, and shown in logs and audits."""
    return bool(text) and text.isprintable() and len(text.encode()) <= MAX_SUBJECT


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the RFC 7638 thumbprint of a P-256 key: its kid."""
    numbers = key.public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _word(numbers.x), "y": _word(numbers.y)}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(text.encode()).digest())


def _principal(claims: dict[str, Any]) -> Principal:
    tenant, subject, scope = claims["tenant"], claims["sub"], claims.get("scope", "")
    if not (isinstance(tenant, str) and TENANT.fullmatch(tenant)):
        raise TokenError("The token's tenant is not valid.")
    if not (isinstance(subject, str) and is_subject(subject) and isinstance(scope, str)):
        raise TokenError("The token's sub or scope is not valid.")
    expires = float(claims["exp"])
    if expires - float(claims["iat"]) > MAX_TTL:
        raise TokenError("The token is valid for longer than 366 days. Get a new one.")
    # Scopes of a newer server may be unknown here; they are ignored.
    return Principal(tenant, subject, frozenset(scope.split()), expires)


def _make_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _word(number: int) -> str:
    return _base64url(number.to_bytes(32))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
