"""Tokens of the local key: what is in them, who they speak for, and what is not accepted."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.identity.principal import OWN_SUBJECTS, Principal, TokenError
from persona_server.identity.scopes import SCOPES, expand_scopes
from persona_server.identity.tokens import (
    SECRET_NAME,
    LocalKey,
    find_local_key,
    local_key,
)
from persona_server.storage.store import Store, open_store
from persona_server.transport.auth import Authenticator, require_scopes


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(tmp_path_factory.mktemp("keys") / "data")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def key(store: Store) -> LocalKey:
    return local_key(store)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    given = {
        "iss": "persona-service",
        "aud": "persona-service",
        "sub": "me",
        "tenant": "acme",
        "scope": "personas:read",
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (given | changes).items() if value is not None}


def signed(
    store: Store, key: LocalKey, headers: dict[str, Any] | None = None, **changes: Any
) -> str:
    """Return a token of the local key with any claims and headers."""
    pem = store.secrets.find(SECRET_NAME)
    assert pem is not None
    private = serialization.load_pem_private_key(pem, password=None)
    head = {"kid": key.kid, "typ": "at+jwt"} | (headers or {})
    return jwt.encode(claims(**changes), private, algorithm="ES256", headers=head)  # type: ignore[arg-type]


def test_token_says_who_where_what_and_until_when(key: LocalKey) -> None:
    before = int(time.time())
    token = key.issue("acme", "me", ["personas:write", "personas:read"], 60)
    header = jwt.get_unverified_header(token)
    body = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert header == {"alg": "ES256", "kid": key.kid, "typ": "at+jwt"}
    assert body["exp"] - body["iat"] == 60
    assert before <= body["iat"] <= time.time()
    assert (body["iss"], body["aud"]) == ("persona-service", "persona-service")
    assert (body["sub"], body["tenant"]) == ("me", "acme")
    assert body["scope"] == "personas:read personas:write"
    found = key.verify(token)
    scopes = frozenset({"personas:read", "personas:write"})
    assert found == Principal("acme", "me", scopes, float(body["exp"]), body["jti"], kid=key.kid)
    assert key.issue("acme", "me", [], 60) != key.issue("acme", "me", [], 60)


def test_key_is_the_databases(store: Store, tmp_path: Path) -> None:
    assert local_key(store).kid == local_key(store).kid
    other = open_store(tmp_path / "other")
    assert find_local_key(other) is None
    strange = local_key(other)
    assert strange.kid != local_key(store).kid
    with pytest.raises(TokenError):
        strange.verify(local_key(store).issue("acme", "me", ["all"], 60))
    other.close()


@pytest.mark.parametrize(
    ("given", "expanded"),
    [
        (["all"], sorted(SCOPES)),
        (["all", "personas:read"], sorted(SCOPES)),
        (["personas:write", "personas:write"], ["personas:write"]),
        ([], []),
    ],
)
def test_scopes_are_expanded_when_the_token_is_made(given: list[str], expanded: list[str]) -> None:
    assert expand_scopes(given) == expanded


@pytest.mark.parametrize("scope", ["personas", "personas:delete", "ALL", "*", ""])
def test_unknown_scopes_are_refused(key: LocalKey, scope: str) -> None:
    with pytest.raises(TokenError, match="scope"):
        key.issue("acme", "me", [scope], 60)


@pytest.mark.parametrize("tenant", ["", "Acme", "a_b", "a b", "a" * 65, "a\n", "ä", "../x", "a.b"])
def test_tenant_names_are_checked_both_ways(store: Store, key: LocalKey, tenant: str) -> None:
    with pytest.raises(TokenError, match="tenant"):
        key.issue(tenant, "me", ["all"], 60)
    with pytest.raises(TokenError, match="tenant"):
        key.verify(signed(store, key, tenant=tenant))


@pytest.mark.parametrize(
    "subject", ["", "\ud800", "a\nb", "\u202e", "x" * 256, "ä" * 128, "key:mine", *OWN_SUBJECTS]
)
def test_subjects_are_printable_and_short_both_ways(
    store: Store, key: LocalKey, subject: str
) -> None:
    with pytest.raises(TokenError, match="subject"):
        key.issue("acme", subject, ["all"], 60)
    with pytest.raises(TokenError, match="sub "):
        key.verify(signed(store, key, sub=subject))


@pytest.mark.parametrize("subject", ["x" * 255, "ä" * 127, "María Ørsted 🎈", "system:batch/7"])
def test_other_subjects_are_taken_as_they_are(key: LocalKey, subject: str) -> None:
    assert key.verify(key.issue("acme", subject, ["all"], 60)).subject == subject


@pytest.mark.parametrize("token_id", ["\ud800", "a\nb", "x" * 256, "key:mine"])
def test_a_token_that_could_not_be_revoked_is_refused(
    store: Store, key: LocalKey, token_id: str
) -> None:
    with pytest.raises(TokenError, match="jti"):
        key.verify(signed(store, key, jti=token_id))


def test_a_token_may_have_no_jti(store: Store, key: LocalKey) -> None:
    assert key.verify(signed(store, key)).token_id == ""
    assert key.verify(signed(store, key, jti="x" * 255)).token_id == "x" * 255


def test_a_token_is_valid_for_366_days_at_most(store: Store, key: LocalKey) -> None:
    longest, now = 366 * 86_400, int(time.time())
    assert key.verify(key.issue("acme", "me", ["all"], longest)).subject == "me"
    with pytest.raises(TokenError, match="366 days"):
        key.verify(signed(store, key, exp=now + longest + 1))
    with pytest.raises(TokenError, match="366 days"):
        key.verify(signed(store, key, iat=0))


@pytest.mark.parametrize("ttl", [0, -1, 366 * 86_400 + 1])
def test_a_token_must_be_valid_for_some_time_and_not_for_ever(key: LocalKey, ttl: int) -> None:
    with pytest.raises(TokenError, match="--ttl"):
        key.issue("acme", "me", ["all"], ttl)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"iat": None},
        {"iss": None},
        {"aud": None},
        {"sub": None},
        {"tenant": None},
        {"iss": "other"},
        {"aud": "other"},
        {"aud": []},
        {"sub": ""},
        {"sub": 7},
        {"tenant": 7},
        {"tenant": ["acme"]},
        {"scope": ["personas:read"]},
        {"exp": int(time.time()) - 3600},
        {"exp": "soon"},
        {"iat": int(time.time()) + 30 * 86_400},
        {"nbf": int(time.time()) + 30 * 86_400},
    ],
)
def test_bad_claims_are_refused(store: Store, key: LocalKey, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        key.verify(signed(store, key, **changes))


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("at+jwt", True),
        ("AT+JWT", True),
        ("JWT", True),
        ("application/at+jwt", True),
        ("Application/JWT", True),
        ("dpop+jwt", False),
        ("", False),
    ],
)
def test_types(store: Store, key: LocalKey, kind: str, good: bool) -> None:
    token = signed(store, key, {"typ": kind})
    if good:
        assert key.verify(token).subject == "me"
    else:
        with pytest.raises(TokenError):
            key.verify(token)


def test_scopes_of_a_newer_server_do_no_harm(store: Store, key: LocalKey) -> None:
    found = key.verify(signed(store, key, scope="personas:read  future:thing "))
    assert "personas:read" in found.scopes
    assert key.verify(signed(store, key, scope=None)).scopes == frozenset()


def test_a_clock_difference_is_forgiven_up_to_a_minute(store: Store, key: LocalKey) -> None:
    now = int(time.time())
    assert key.verify(signed(store, key, exp=now - 20)).subject == "me"
    with pytest.raises(TokenError):
        key.verify(signed(store, key, exp=now - 61))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 9000, "é.é.é", "..", "\0"])
def test_what_is_no_token_is_refused_without_repeating_it(key: LocalKey, token: str) -> None:
    with pytest.raises(TokenError) as refused:
        key.verify(token)
    assert len(token) < 3 or token not in str(refused.value)


class Verifier:
    """Counts how often a token is really verified."""

    def __init__(self) -> None:
        self.count = 0
        self.expires = time.time() + 3600

    def __call__(self, token: str) -> Principal:
        self.count += 1
        return Principal("acme", token, frozenset(), self.expires)


def test_verified_tokens_are_remembered_by_their_text() -> None:
    verifier = Verifier()
    authenticator = Authenticator(verifier)
    for text in ("Bearer one", "bearer one", "Bearer two", "BEARER  one "):
        assert authenticator.principal([text]).subject in ("one", "two")
    assert verifier.count == 2


def test_an_expired_token_is_not_remembered() -> None:
    verifier = Verifier()
    verifier.expires = time.time() - 1
    authenticator = Authenticator(verifier)
    authenticator.principal(["Bearer one"])
    authenticator.principal(["Bearer one"])
    assert verifier.count == 2


@pytest.mark.parametrize(
    "values",
    [[], ["Bearer a", "Bearer a"], [""], ["Bearer"], ["Bearer "], ["Basic a"], ["token"], ["a b"]],
)
def test_authorization_values(values: list[str]) -> None:
    verifier = Verifier()
    with pytest.raises(ServiceError) as refused:
        Authenticator(verifier).principal(values)
    assert refused.value.reason == errors_pb2.ERROR_REASON_UNAUTHENTICATED
    assert verifier.count == 0


def test_all_scopes_of_an_entry_are_needed() -> None:
    principal = Principal("acme", "me", frozenset({"a"}), 0.0)
    require_scopes(principal, ())
    require_scopes(principal, ("a",))
    with pytest.raises(ServiceError) as refused:
        require_scopes(principal, ("a", "b", "c"))
    assert refused.value.reason == errors_pb2.ERROR_REASON_PERMISSION_DENIED
    assert refused.value.metadata == {"missing_scopes": "b c"}
