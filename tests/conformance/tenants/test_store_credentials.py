"""API keys, revoked tokens, suspended tenants and rotated keys, as every engine keeps them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from persona_server.identity import changes
from persona_server.identity.credentials import MARK, Credentials
from persona_server.identity.principal import TokenError
from persona_server.identity.tokens import find_local_key, local_key
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.repositories.credentials import KeyRow
from persona_server.storage.repositories.references import Reference
from persona_server.storage.store import Store
from support.data import persona
from support.stored import TENANT, StoredGroup, read
from support.waiting import eventually

FAR = 4_000_000_000_000_000  # microseconds: in the year 2096


def row(number: int, **fields: object) -> KeyRow:
    made = KeyRow(bytes([number]) * 8, f"key {number}", "a b", bytes([number]) * 32, number, FAR)
    return made._replace(**fields)  # type: ignore[arg-type]


def test_keys_are_kept_as_they_are_and_revoked_once(store: Store) -> None:
    with store.writing(TENANT, None) as repositories:
        for each in (row(2), row(1), row(3, expires_at=10)):
            repositories.credentials.add_key(each)
    with store.writing(TENANT, None) as repositories:
        assert repositories.credentials.revoke_key(row(1).id, 7)
        assert not repositories.credentials.revoke_key(row(1).id, 8)
        assert not repositories.credentials.revoke_key(bytes(8), 8)
        repositories.credentials.note_use(row(2).id, 9)
        repositories.credentials.note_use(row(2).id, 8)  # by a process that tells it later
    kept = [row(1, revoked_at=7), row(2, used_at=9), row(3, expires_at=10)]
    assert read(store).credentials.all_keys() == kept
    assert read(store, "another").credentials.all_keys() == []
    mine = store.tenants.key(TENANT)
    live = [each for each in store.credentials.live_keys(11, 100) if each.tenant == mine]
    assert [(each.id, each.digest) for each in live] == [(row(2).id, row(2).digest)]


def test_revoked_tokens_are_kept_until_their_time(store: Store) -> None:
    with store.writing(TENANT, None) as repositories:
        assert repositories.credentials.revoke_token("one", 1, 10)
        assert not repositories.credentials.revoke_token("one", 2, 20)
        assert repositories.credentials.revoke_token("ünique", 2, FAR)
    mine = store.tenants.key(TENANT)
    assert {(mine, "one"), (mine, "ünique")} <= set(store.credentials.revoked_tokens(9, 100))
    assert (mine, "one") not in store.credentials.revoked_tokens(10, 100)
    with store.writing(TENANT, None) as repositories:
        assert repositories.credentials.revoke_token("one", 10, 20), "forgotten by then"


def test_changes_are_heard_of(store: Store) -> None:
    """By another process: all that is shared is the database."""
    local_key(store)
    server = Credentials(store, local_tokens=True)
    key = changes.create_key(store, TENANT, "nightly", ["all"], 60)
    assert server.refresh()
    principal = server.verify(key)
    changes.suspend(store, TENANT, suspended=True)
    assert server.refresh()
    assert server.is_suspended(TENANT)
    changes.suspend(store, TENANT, suspended=False)
    changes.revoke_key(store, TENANT, bytes.fromhex(principal.key_id))
    assert server.refresh()
    assert not server.is_suspended(TENANT)
    with pytest.raises(TokenError):
        server.verify(key)
    before = find_local_key(store)
    assert before is not None
    changes.rotate(store, 60)
    token = local_key(store).issue(TENANT, "me", ["all"], 60)
    assert server.refresh()
    assert server.verify(token).subject == server.verify(before.issue(TENANT, "me", [], 60)).subject


def a_key(store: Store, tenant: str) -> object:
    return changes.create_key(store, tenant, "nightly", ["all"], 60)


def a_revocation(store: Store, tenant: str) -> object:
    return changes.revoke_token(store, tenant, "one")


@pytest.mark.parametrize("change", [a_key, a_revocation])
def test_two_at_once_do_not_pass_the_bound(
    store: Store, monkeypatch: pytest.MonkeyPatch, change: Callable[[Store, str], object]
) -> None:
    """They begin while somebody else changes something, and are of two tenants."""
    monkeypatch.setattr(changes, "MAX_KEYS", 1)
    monkeypatch.setattr(changes, "MAX_REVOKED", 1)
    with store.changing() as now:
        store.secrets.put(MARK, b"", now)

    def tried(tenant: str) -> bool:
        try:
            return bool(change(store, tenant))
        except TokenError:
            return False

    with ThreadPoolExecutor(2) as pool:
        with store.changing():
            store.secrets.hold(MARK)
            tries = [pool.submit(tried, tenant) for tenant in ("one", "other")]
            eventually(lambda: store.database.load().busy + store.database.load().writers == 3)
        assert sorted(each.result() for each in tries) == [False, True]


def test_the_audit_trail_comes_in_pages(store: Store) -> None:
    with store.writing(TENANT, None) as repositories:
        for number in range(5):
            repositories.audit.add(AuditEntry(f"Method{number}", "me", persona_id=bytes(16)), 1)
    first = read(store).audit.page(0, 3)
    rest = read(store).audit.page(first[-1].id, 3)
    assert [each.entry.method for each in (*first, *rest)] == [f"Method{n}" for n in range(5)]
    assert {(each.at, each.entry.persona_id) for each in first} == {(1, bytes(16))}
    assert read(store).audit.page(rest[-1].id, 3) == []


def test_reference_answers_come_in_pages(store: Store) -> None:
    group = StoredGroup(store)
    people = group.add(*[persona() for _ in range(3)])
    wanted = sorted((bytes([q]) * 32, one, b"c") for q in (1, 2) for one in people)
    with store.writing(TENANT, None) as repositories:
        repositories.references.put([Reference(one, q, 1, None, c) for q, one, c in wanted])
    found, after = [], (b"", b"")
    while page := read(store).references.page(after, 4):
        found += page
        after = page[-1][:2]
    assert found == wanted
