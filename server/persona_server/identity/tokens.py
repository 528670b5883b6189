"""Access tokens of the service's own: JWTs signed with the ES256 key that the database keeps."""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Iterable

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from persona_server.identity.principal import (
    MAX_SUBJECT,
    MAX_TTL,
    OWN_SUBJECTS,
    TENANT,
    TENANT_RULE,
    Principal,
    TokenError,
    is_subject,
)
from persona_server.identity.reading import Trust, VerifyingKey, read_token
from persona_server.identity.scopes import expand_scopes
from persona_server.storage import keys
from persona_server.storage.store import Store

ISSUER = AUDIENCE = "persona-service"
ALGORITHM = "ES256"
OWN = Trust(ISSUER, AUDIENCE)
SECRET_NAME = "local-signing-key"  # noqa: S105 (its name, not the secret)


class LocalKey:
    """The key pair of this database: signs tokens and verifies them."""

    def __init__(self, pem: bytes) -> None:
        private = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError("the local signing key must be an EC key")
        self._private = private
        self.public = private.public_key()
        self.kid = thumbprint(self.public)
        self.verifying = VerifyingKey(self.public, ALGORITHM, OWN)

    def issue(self, tenant: str, subject: str, scopes: Iterable[str], ttl: int) -> str:
        """Return a token for a tenant, valid for `ttl` seconds. Raises TokenError for bad words."""
        if not TENANT.fullmatch(tenant):
            raise TokenError(TENANT_RULE)
        if not is_subject(subject):
            raise TokenError(
                f"A token speaks for somebody: name a --subject of 1 to {MAX_SUBJECT} bytes, all "
                "of it printable, which does not begin as that of an API key does, and is not "
                f"{' or '.join(OWN_SUBJECTS)}."
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
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + ttl,
        }
        headers = {"kid": self.kid, "typ": "at+jwt"}
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers=headers)

    def verify(self, token: str) -> Principal:
        """Return who a token of this key speaks for. Raises TokenError for any other."""
        return read_token(token, {self.kid: self.verifying}.get)


def local_key(store: Store) -> LocalKey:
    """Return the database's key, made at the first call."""
    return LocalKey(store.secrets.ensure(SECRET_NAME, new_pem, keys.now()))


def find_local_key(store: Store) -> LocalKey | None:
    """Return the database's key if it has one."""
    pem = store.secrets.find(SECRET_NAME)
    return None if pem is None else LocalKey(pem)


def new_pem() -> bytes:
    """Return a new key pair, as it is kept."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """Return the RFC 7638 thumbprint of a P-256 key: its kid."""
    numbers = key.public_numbers()
    members = {"crv": "P-256", "kty": "EC", "x": _word(numbers.x), "y": _word(numbers.y)}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(text.encode()).digest())


def _word(number: int) -> str:
    return _base64url(number.to_bytes(32))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
