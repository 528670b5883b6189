"""API keys: what they look like, what is kept of them, and which are not accepted."""

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from persona_server.identity import changes
from persona_server.identity.api_keys import digest_of, make_key
from persona_server.identity.credentials import Credentials
from persona_server.identity.principal import TokenError
from persona_server.identity.scopes import ROLES, SCOPES
from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.repositories.credentials import KeyRow
from persona_server.storage.store import Store, open_store
from support.stored import read
from support.waiting import eventually

DAY = 86_400


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def credentials(store: Store) -> Credentials:
    return Credentials(store, local_tokens=True)


def created(store: Store, tenant: str = "acme", scopes: tuple[str, ...] = ("all",)) -> str:
    return changes.create_key(store, tenant, "nightly", scopes, DAY)


def refusal(credentials: Credentials, text: str) -> str:
    with pytest.raises(TokenError) as refused:
        credentials.verify(text)
    return str(refused.value)


def test_a_key_says_whose_it_is_and_is_never_the_same() -> None:
    made = make_key("a-tenant")
    assert re.fullmatch(r"psk_a-tenant_[0-9a-f]{16}_[0-9A-Za-z]{43}", made.text)
    assert made.text.split("_")[2] == made.id.hex()
    assert len({make_key("a").text for _ in range(100)}) == 100


def test_a_key_speaks_for_its_tenant_with_its_scopes(
    store: Store, credentials: Credentials
) -> None:
    key = created(store, "acme", ("personas:read",))
    assert credentials.refresh()
    found = credentials.verify(key)
    key_id = key.split("_")[2]
    assert (found.tenant, found.key_id) == ("acme", key_id)
    assert found.subject == f"key:{key_id}:nightly"
    assert found.scopes == {"personas:read"}
    assert DAY - 60 < found.expires - time.time() <= DAY
    assert not credentials.refresh()


def test_only_a_hash_of_the_key_is_kept(store: Store, tmp_path: Path) -> None:
    key = created(store)
    (row,) = read(store, "acme").credentials.all_keys()
    assert row.digest == digest_of(key)
    store.close()
    secret = key.split("_")[3].encode()
    files = [path for path in (tmp_path / "data").iterdir() if path.is_file()]
    assert (tmp_path / "data" / FILE_NAME) in files
    assert not any(secret in path.read_bytes() for path in files)


def test_whatever_is_wrong_is_refused_in_the_same_words(
    store: Store, credentials: Credentials
) -> None:
    key, other = created(store), created(store, "other")
    expired = make_key("acme")
    with store.writing("acme", None) as repositories:
        past = repositories.now - 1
        row = KeyRow(expired.id, "old", "", digest_of(expired.text), past, past)
        repositories.credentials.add_key(row)
    revoked = created(store)
    assert changes.revoke_key(store, "acme", bytes.fromhex(revoked.split("_")[2]))
    credentials.refresh()
    head, tenant, key_id, secret = key.split("_")
    changed = ("B" if secret[0] == "A" else "A") + secret[1:]
    wrong = {
        "unknown": make_key("acme").text,
        "unknown tenant": make_key("nobody").text,
        "expired": expired.text,
        "revoked": revoked,
        "secret changed": f"{head}_{tenant}_{key_id}_{changed}",
        "secret of another": f"{head}_{tenant}_{key_id}_{other.split('_')[3]}",
        "tenant changed": f"{head}_other_{key_id}_{secret}",
        "id in capitals": f"{head}_{tenant}_{'A' * 16}_{secret}",
        "no secret": f"{head}_{tenant}_{key_id}_",
        "longer": f"{key}x",
        "newline": f"{key}\n",
        "prefix alone": "psk_",
        "huge": "psk_" + "x" * 100_000,
    }
    assert {name: refusal(credentials, text) for name, text in wrong.items()} == dict.fromkeys(
        wrong, "The API key is not valid."
    )
    assert credentials.verify(key).tenant == "acme"


def test_an_expired_key_is_refused_before_it_is_forgotten(store: Store) -> None:
    """What is in memory was read while it was good."""
    key = changes.create_key(store, "acme", "short", ["all"], 5)
    credentials = Credentials(store, local_tokens=True)
    until = credentials.verify(key).expires
    eventually(lambda: time.time() >= until)
    assert refusal(credentials, key) == "The API key is not valid."


def test_the_last_use_is_written_once_an_hour(store: Store, credentials: Credentials) -> None:
    key = created(store)
    credentials.refresh()
    credentials.note_uses()
    assert [row.used_at for row in read(store, "acme").credentials.all_keys()] == [None]
    before = time.time()
    credentials.verify(key)
    credentials.note_uses()
    (row,) = read(store, "acme").credentials.all_keys()
    assert row.used_at is not None
    assert before - 1 <= row.used_at / 1e6 <= time.time()
    credentials.verify(key)
    credentials.note_uses()
    assert read(store, "acme").credentials.all_keys() == [row]


def test_a_key_is_revoked_once(store: Store, credentials: Credentials) -> None:
    key = created(store)
    credentials.refresh()
    principal, key_id = credentials.verify(key), bytes.fromhex(key.split("_")[2])
    assert not credentials.is_out(principal)
    assert not changes.revoke_key(store, "other", key_id)
    assert changes.revoke_key(store, "acme", key_id)
    assert not changes.revoke_key(store, "acme", key_id)
    assert credentials.refresh()
    assert credentials.is_out(principal)
    assert [bool(row.revoked_at) for row in read(store, "acme").credentials.all_keys()] == [True]


@pytest.mark.parametrize("name", ["", "a\nb", "\u202e", "x" * 101, "ä" * 51, "key:x"])
def test_a_name_is_printable_and_short(store: Store, name: str) -> None:
    with pytest.raises(TokenError, match="--name"):
        changes.create_key(store, "acme", name, ["all"], DAY)


@pytest.mark.parametrize(
    ("tenant", "scope", "ttl"),
    [("Acme", "all", 60), ("acme", "personas", 60), ("acme", "all", 0), ("acme", "all", 367 * DAY)],
)
def test_what_can_not_be_a_key_is_not_made(store: Store, tenant: str, scope: str, ttl: int) -> None:
    with pytest.raises(TokenError):
        changes.create_key(store, tenant, "nightly", [scope], ttl)
    assert store.tenants.names() == []


def test_roles_grow() -> None:
    """Each can do what the one before can; the last can do everything."""
    sets = [set(scopes) for scopes in ROLES.values()]
    assert sets == sorted(sets, key=len)
    assert all(one < next_ for one, next_ in pairwise(sets))
    assert not any("write" in scope for scope in ROLES["reader"])
    assert set(ROLES["admin"]) == set(SCOPES)
