"""The key set of an identity provider (RFC 7517): fetched within bounds, and read key by key."""

import json
import socket
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from persona_server.identity.reading import Trust, VerifyingKey

SECONDS = 5.0  # that a fetch may take
MAX_BYTES = 256 << 10
MAX_KEYS = 100
MAX_KID = 255  # characters
RSA_BITS = range(2048, 4097)
_HEADERS = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "persona-service"}


class KeySetError(Exception):
    """A key set that can't be had; the text says why."""


class _Family(NamedTuple):
    """The one algorithm of a type of keys, its names, and which keys of the type will do."""

    algorithm: str
    names: frozenset[str]
    read: Callable[[str | dict[str, Any]], Any]
    is_fit: Callable[[Any], bool]


def _fit_rsa(key: object) -> bool:
    return isinstance(key, RSAPublicKey) and key.key_size in RSA_BITS


def _fit_ec(key: object) -> bool:
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def _fit_ed(key: object) -> bool:
    return isinstance(key, Ed25519PublicKey)


_FAMILIES = {
    "RSA": _Family("RS256", frozenset({"RS256"}), RSAAlgorithm.from_jwk, _fit_rsa),
    "EC": _Family("ES256", frozenset({"ES256"}), ECAlgorithm.from_jwk, _fit_ec),
    "OKP": _Family("EdDSA", frozenset({"EdDSA", "Ed25519"}), OKPAlgorithm.from_jwk, _fit_ed),
}


def fetch(url: str) -> bytes:
    """Return what is at an address, asked without a proxy and following nothing.

    Raises KeySetError, also for what is too long or takes too long.
    """
    parts, started = urlsplit(url), time.monotonic()
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    why = ""
    try:
        raw = _asked(connection, parts._replace(scheme="", netloc="").geturl() or "/")
    except (OSError, HTTPException, ValueError) as error:
        why = str(error) or type(error).__name__
    finally:
        connection.close()
    if time.monotonic() - started >= SECONDS:  # what was cut may look whole, or like any fault
        why = f"it takes more than {SECONDS:g} s"
    if why:
        raise KeySetError(why)
    return raw


def _asked(connection: HTTPConnection, target: str) -> bytes:
    connection.connect()
    # The timeout is that of each wait for a byte: one who sends them one by one needs another end.
    end = threading.Timer(SECONDS, _cut, [connection.sock])
    end.start()
    try:
        connection.request("GET", target, headers=_HEADERS)
        response = connection.getresponse()
        if response.status != 200:
            raise KeySetError(f"it answers {response.status}")
        raw = response.read(MAX_BYTES + 1)
    finally:
        end.cancel()
    if len(raw) > MAX_BYTES:
        raise KeySetError(f"it has more than {MAX_BYTES} bytes")
    return raw


def _cut(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


def read_key_set(raw: bytes, trust: Trust, until: float) -> dict[str, VerifyingKey]:
    """Return the keys of a set that can verify tokens, by their kid; others are passed over.

    There may be none: then those before are withdrawn. Raises KeySetError for what is no set, and
    for an empty one, which is rather a fault of the provider's.
    """
    try:
        members = json.loads(raw)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeySetError("it is no key set") from None
    if not isinstance(members, list) or not 0 < len(members) <= MAX_KEYS:
        raise KeySetError(f"it is no list of 1 to {MAX_KEYS} keys")
    found: dict[str, VerifyingKey] = {}
    for member in members:
        key = _verifying(member, trust, until)
        if key is not None:
            found.setdefault(member["kid"], key)
    return found


def _verifying(member: object, trust: Trust, until: float) -> VerifyingKey | None:
    """Return a key if it is public, has a kid, and is meant for signatures of a kind we take."""
    if not isinstance(member, dict) or "d" in member:
        return None
    kid, family = member.get("kid"), _FAMILIES.get(str(member.get("kty")))
    if family is None or not (isinstance(kid, str) and 0 < len(kid) <= MAX_KID):
        return None
    named = str(member.get("alg", family.algorithm))
    meant = member.get("key_ops", ["verify"])
    if member.get("use", "sig") != "sig" or named not in family.names:
        return None
    if not (isinstance(meant, list) and "verify" in meant):
        return None
    try:
        key = family.read(member)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return VerifyingKey(key, family.algorithm, trust, until) if family.is_fit(key) else None
