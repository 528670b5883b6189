"""What a server knows of tokens that are revoked, keys that were rotated, tenants suspended."""

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from persona_server.identity import changes, retired
from persona_server.identity.credentials import Credentials
from persona_server.identity.principal import Principal, TokenError
from persona_server.identity.provider import Provider
from persona_server.identity.reading import Trust
from persona_server.identity.tokens import SECRET_NAME, LocalKey, find_local_key, local_key
from persona_server.running.callers import Callers
from persona_server.settings.loading import load
from persona_server.storage.store import Store, open_store
from persona_server.transport.auth import Authenticator
from support.operating.provider import AUDIENCE, ISSUER, SigningKey, running_provider
from support.probe import Probe
from support.stored import read
from support.waiting import LIMIT, eventually


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data")
    local_key(opened)
    opened.tenants.ensure("acme", opened.id_generator, 1)
    yield opened
    opened.close()


@pytest.fixture
def credentials(store: Store) -> Credentials:
    return Credentials(store, local_tokens=True)


def issued(store: Store, tenant: str = "acme") -> str:
    return local_key(store).issue(tenant, "me", ["all"], 3600)


def refused(credentials: Credentials, token: str) -> bool:
    try:
        credentials.verify(token)
    except TokenError:
        return True
    return False


def test_a_token_is_revoked_by_its_jti_in_its_tenant(
    store: Store, credentials: Credentials
) -> None:
    one, other, foreign = issued(store), issued(store), issued(store, "other")
    principal = credentials.verify(one)
    assert changes.revoke_token(store, "other", principal.token_id)
    credentials.refresh()
    assert not refused(credentials, one), "another tenant's jti is not this one's"
    assert changes.revoke_token(store, "acme", principal.token_id)
    assert not changes.revoke_token(store, "acme", principal.token_id)
    assert credentials.refresh()
    assert refused(credentials, one)
    assert credentials.is_out(principal)
    assert not refused(credentials, other)
    assert not refused(credentials, foreign)
    again = Credentials(store, local_tokens=True)
    assert refused(again, one), "after a restart too"


def test_what_was_revoked_is_forgotten_when_no_token_can_be_so_old(store: Store) -> None:
    with store.writing("acme", None) as repositories:
        repositories.credentials.revoke_token("old", 1, repositories.now)
    assert changes.revoke_token(store, "acme", "new")
    assert Probe(store).values("revoked_token", "jti") == ["new"]
    (until,) = Probe(store).values("revoked_token", "kept_until")
    assert until / 1e6 > time.time() + 366 * 86_400


@pytest.mark.parametrize("jti", ["", "a\nb", "x" * 256])
def test_what_is_no_jti(store: Store, jti: str) -> None:
    with pytest.raises(TokenError):
        changes.revoke_token(store, "acme", jti)


def test_a_rotated_key_verifies_for_as_long_as_is_said(
    store: Store, credentials: Credentials
) -> None:
    old = issued(store)
    until = changes.rotate(store, 5) / 1e6
    new = issued(store)
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    assert refused(credentials, new), "not read yet"
    assert credentials.refresh()
    assert not refused(credentials, new)
    assert credentials.verify(old).expires == pytest.approx(until)
    eventually(lambda: time.time() >= until)
    assert refused(credentials, old)


def test_keys_of_several_rotations(store: Store, credentials: Credentials) -> None:
    tokens = []
    for keep in (0, 3600, 7200):
        tokens.append(issued(store))
        changes.rotate(store, keep)
    tokens.append(issued(store))
    credentials.refresh()
    assert [refused(credentials, token) for token in tokens] == [True, False, False, False]
    assert len(retired.retired_keys(store)) == 2, "what is over goes with the next rotation"
    changes.rotate(store, 0)
    credentials.refresh()
    assert [refused(credentials, token) for token in tokens] == [True] * 4, "of older keys too"
    assert not refused(credentials, issued(store))


def test_who_is_in_goes_when_the_key_of_the_token_is_over(
    store: Store, credentials: Credentials
) -> None:
    principal = credentials.verify(issued(store))
    until = changes.rotate(store, 5) / 1e6
    assert credentials.refresh()
    assert not credentials.is_out(principal), "the old key is kept"
    later = credentials.verify(issued(store))
    eventually(lambda: time.time() >= until)
    assert credentials.is_out(principal)
    assert not credentials.is_out(later)
    changes.rotate(store, 0)
    assert credentials.refresh()
    assert credentials.is_out(later)
    changes.rotate(store, 0)
    assert credentials.refresh()
    assert credentials.is_out(later), "of a key that is not kept any more"


def test_a_start_does_not_wait_for_who_resolves_a_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, started = threading.Event(), threading.Event()
    resolve = socket.getaddrinfo

    def resolved(host: str, *rest: object, **more: object) -> object:
        if host == "id.example.org":
            answered.wait()
            raise OSError("no such name")
        return resolve(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    named = {"url": "https://id.example.org/keys", "issuer": ISSUER, "audience": AUDIENCE}
    settings = load({f"jwks_{name}": text for name, text in named.items()}, {})
    callers = Callers(store, settings, None)

    def start() -> None:
        callers.fetch()
        started.set()

    threading.Thread(target=start, daemon=True).start()
    try:
        assert started.wait(LIMIT)
    finally:
        answered.set()


def test_who_is_in_goes_when_a_provider_withdraws_the_key(store: Store) -> None:
    one, other = SigningKey("ES256", "one"), SigningKey("ES256", "other")
    trust = Trust(ISSUER, AUDIENCE, is_provider=True)
    with running_provider(one, other) as published:
        provider = Provider(published.url, trust, refresh=0.0, keep=60.0)
        credentials = Credentials(
            store, local_tokens=True, elsewhere=provider.find, published=provider.published
        )
        assert provider.fetch_when_due()
        withdrawn, kept = credentials.verify(one.token()), credentials.verify(other.token())
        assert not credentials.is_out(withdrawn)
        published.keys = [other.jwk()]
        assert refused(credentials, SigningKey("ES256", "new").token()), "which asks for a fetch"
        assert provider.fetch_when_due()
        assert credentials.is_out(withdrawn)
        assert not credentials.is_out(kept)
        assert not provider.fetch_when_due(), "nobody asks for what was withdrawn"
        assert published.asked == 2


def test_of_an_old_key_only_the_public_half_is_left(store: Store) -> None:
    pem = store.secrets.find(SECRET_NAME)
    assert pem is not None
    old = LocalKey(pem)
    changes.rotate(store, 3600)
    current = find_local_key(store)
    assert current is not None
    assert current.kid != old.kid
    values = b"".join(bytes(value) for value in Probe(store).values("secret", "value"))
    assert pem not in values
    assert values.count(b"PRIVATE") == 2, "begin and end of the one there is"
    (kept,) = json.loads(store.secrets.find(retired.SECRET_NAME) or b"[]")
    assert serialization.load_pem_public_key(kept["public"].encode()) == old.public


@pytest.mark.parametrize("keep", [-1, 366 * 86_400 + 1])
def test_an_old_key_is_not_kept_for_ever(store: Store, keep: int) -> None:
    before = store.secrets.find(SECRET_NAME)
    with pytest.raises(TokenError, match="--keep"):
        changes.rotate(store, keep)
    assert store.secrets.find(SECRET_NAME) == before


def test_local_tokens_off(store: Store) -> None:
    credentials = Credentials(store, local_tokens=False)
    assert refused(credentials, issued(store))
    key = changes.create_key(store, "acme", "nightly", ["all"], 60)
    credentials.refresh()
    assert not refused(credentials, key)


def test_a_suspended_tenant(store: Store, credentials: Credentials) -> None:
    principal = credentials.verify(issued(store))
    assert changes.suspend(store, "acme", suspended=True)
    assert not changes.suspend(store, "acme", suspended=True)
    assert credentials.refresh()
    assert credentials.is_suspended("acme")
    assert credentials.is_out(principal)
    assert not credentials.is_suspended("other")
    assert changes.suspend(store, "acme", suspended=False)
    credentials.refresh()
    assert not credentials.is_suspended("acme")
    assert not credentials.is_out(principal)


def test_what_is_known_stays_while_the_database_does_not_answer(
    store: Store, credentials: Credentials
) -> None:
    token, probe = issued(store), Probe(store)
    changes.revoke_token(store, "acme", credentials.verify(token).token_id)
    probe.change("ALTER TABLE secret RENAME TO elsewhere")
    assert not credentials.refresh()
    assert not refused(credentials, token)
    probe.change("ALTER TABLE elsewhere RENAME TO secret")
    assert credentials.refresh()
    assert refused(credentials, token)


def test_each_outage_is_logged(
    store: Store, credentials: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    probe = Probe(store)
    for outages in (1, 2):
        probe.change("ALTER TABLE secret RENAME TO elsewhere")
        for _ in range(2):
            assert not credentials.refresh()
        probe.change("ALTER TABLE elsewhere RENAME TO secret")
        assert not credentials.refresh(), "nothing has changed"
        assert [each.levelno for each in caplog.records] == [logging.ERROR] * outages


def test_each_change_has_its_row_in_the_audit_trail(store: Store) -> None:
    key = changes.create_key(store, "acme", "nightly", ["all"], 60)
    for _ in range(2):  # the second time nothing changes
        changes.revoke_key(store, "acme", bytes.fromhex(key.split("_")[2]))
        changes.revoke_token(store, "acme", "one")
        changes.suspend(store, "acme", suspended=True)
    changes.suspend(store, "acme", suspended=False)
    rows = read(store, "acme").audit.page(0, 100)
    assert [row.entry.method for row in rows] == [
        "CreateApiKey",
        "RevokeApiKey",
        "RevokeToken",
        "SuspendTenant",
        "ResumeTenant",
    ]
    assert {row.entry.actor for row in rows} == {"operator"}


def test_what_is_forgotten_while_a_token_is_verified_is_not_remembered() -> None:
    """A revocation that comes between must not leave its token in the cache."""
    counted = []

    def verify(token: str) -> Principal:
        counted.append(token)
        if len(counted) == 1:
            authenticator.forget()
        return Principal("acme", token, frozenset(), time.time() + 60)

    authenticator = Authenticator(verify)
    for _ in range(3):
        authenticator.principal(["Bearer one"])
    assert len(counted) == 2
    authenticator.forget()
    authenticator.principal(["Bearer one"])
    assert len(counted) == 3
