"""Signing keys of the past: their public halves, which verify what they signed for a while."""

import json
from typing import Any

from cryptography.hazmat.primitives import serialization

from persona_server.identity.reading import VerifyingKey
from persona_server.identity.tokens import ALGORITHM, OWN, LocalKey
from persona_server.storage.store import Store

SECRET_NAME = "retired-signing-keys"  # noqa: S105 (its name, not the secret)


def retired_keys(store: Store) -> dict[str, VerifyingKey]:
    """Return the keys of the past by their kid, those among them that are over too."""
    return {each["kid"]: _verifying(each) for each in _kept(store)}


def retire(store: Store, key: LocalKey, until: float, now: int) -> None:
    """Keep the public half of a key until then, in seconds since 1970, and none before it longer.

    Those that are over go. `now` is in microseconds. Within a write transaction.
    """
    pem = key.public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    kept = [
        each | {"until": min(each["until"], until)}
        for each in _kept(store)
        if each["until"] > now / 1e6
    ]
    kept.append({"kid": key.kid, "public": pem.decode(), "until": until})
    store.secrets.put(SECRET_NAME, json.dumps(kept).encode(), now)


def _kept(store: Store) -> list[dict[str, Any]]:
    found = json.loads(store.secrets.find(SECRET_NAME) or b"[]")
    assert isinstance(found, list)
    return found


def _verifying(kept: dict[str, Any]) -> VerifyingKey:
    public = serialization.load_pem_public_key(kept["public"].encode())
    return VerifyingKey(public, ALGORITHM, OWN, kept["until"])
