"""Make tokens of a service's own key, and every kind that nobody should take for one."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from persona_server.identity.scopes import SCOPES
from persona_server.identity.tokens import SECRET_NAME, thumbprint
from persona_server.storage.store import open_store
from support.service import Service

Sign = Callable[[bytes], bytes]
WITHOUT = object()  # as a header or claim: leave it out


class Forge:
    """Signs whatever it is told to, with the service's key unless told otherwise."""

    def __init__(self, service: Service, tenant: str = "local") -> None:
        store = open_store(service.place, make=False)
        try:
            pem = store.secrets.find(SECRET_NAME)
        finally:
            store.close()
        assert pem is not None
        key = serialization.load_pem_private_key(pem, password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key, self.tenant = key, tenant
        self.kid = thumbprint(key.public_key())

    def token(
        self,
        header: dict[str, Any] | None = None,
        sign: Sign | None = None,
        **claims: Any,
    ) -> str:
        """Return a good token but for the header fields and claims named."""
        head = {"alg": "ES256", "kid": self.kid, "typ": "at+jwt"} | (header or {})
        signed = f"{_part(head)}.{_part(self.claims() | claims)}"
        signature = (sign or es256(self.key))(signed.encode())
        return f"{signed}.{encoded(signature)}"

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": "persona-service",
            "aud": "persona-service",
            "sub": "forger",
            "tenant": self.tenant,
            "scope": " ".join(SCOPES),
            "iat": now,
            "exp": now + 600,
        }

    def public(self, encoding: serialization.Encoding) -> bytes:
        """Return the public key as an attacker has it."""
        point = encoding is serialization.Encoding.X962
        format_ = (
            serialization.PublicFormat.UncompressedPoint
            if point
            else serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return self.key.public_key().public_bytes(encoding, format_)


def es256(key: ec.EllipticCurvePrivateKey) -> Sign:
    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    return sign


def hs256(secret: bytes) -> Sign:
    return lambda message: hmac.digest(secret, message, hashlib.sha256)


def rs256() -> Sign:
    key = rsa.generate_private_key(65537, 2048)
    return lambda message: key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def other_key() -> Sign:
    return es256(ec.generate_private_key(ec.SECP256R1()))


def nothing(_message: bytes) -> bytes:
    return b""


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _part(values: dict[str, Any]) -> str:
    kept = {name: value for name, value in values.items() if value is not WITHOUT}
    return encoded(json.dumps(kept).encode())
