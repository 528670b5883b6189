"""Tenants: kept apart, made by their first mutation, and by nothing else."""

import uuid

import pytest

from persona_server.services.paging import NEWEST
from persona_server.storage.repositories import tenants
from persona_server.storage.store import Store
from support.data import persona, uid
from support.probe import Probe
from support.stored import EMPTY, StoredGroup, read, rolled_back


def names(store: Store) -> list[str]:
    return sorted(Probe(store).values("tenant", "name"))


def everything(store: Store) -> dict[str, int]:
    """Return how many rows every table of a tenant has."""
    tables = ("project", "persona_group", "persona_set", "persona", "idempotency", "audit")
    return {t: Probe(store).count(t) for t in tables}


def test_tenant_without_a_row_reads_empty_and_writes_nothing(store: Store) -> None:
    StoredGroup(store)
    before = everything(store)
    one = uuid.uuid4().bytes
    stranger = read(store, "stranger")
    assert stranger.projects.find(one) is None
    assert stranger.projects.page(NEWEST, 10) == []
    assert stranger.groups.page(one, NEWEST, 10) == []
    assert stranger.groups.head(one, one).set_id is None
    assert stranger.personas.get(one, one, one) == (False, False, None)
    assert stranger.personas.known([one]) == {}
    assert stranger.idempotency.find("M", one, 0) is None
    assert stranger.imports.find(one) is None
    assert names(store) == ["acme"]
    assert everything(store) == before


def test_a_missing_tenant_is_not_remembered(store: Store) -> None:
    """Another process may make it between two calls."""
    one = uuid.uuid4().bytes
    assert read(store, "late").projects.find(one) is None
    Probe(store).insert("tenant", (77, "late", 1, None))
    Probe(store).insert("project", (77, one, "n", "", 1, 1, None, 0, b""))
    assert read(store, "late").projects.exists(one)


@pytest.mark.parametrize("key", [None, 77])
def test_one_that_a_failover_has_lost_is_made_anew(store: Store, key: int | None) -> None:
    """By its key, or by that under which another server has made it anew."""
    if not store.database.has_many_writers:
        pytest.skip("a file has no standby")
    for _ in range(2):
        with store.writing("lost", None):
            pass
    before = read(store, "lost").tenant
    store.database.execute_sql("DELETE FROM tenant WHERE name = 'lost'")
    if key:
        Probe(store).insert("tenant", (key, "lost", 1, None))
    group = StoredGroup(store, "lost")
    assert read(store, "lost").tenant == (key or before)
    assert read(store, "lost").projects.exists(group.project)


def test_row_is_made_by_the_first_mutation(store: Store) -> None:
    assert names(store) == []
    StoredGroup(store, "new")
    StoredGroup(store, "new")
    assert names(store) == ["new"]


def test_row_is_gone_when_the_first_mutation_is_rolled_back(store: Store) -> None:
    project = uuid.uuid4().bytes
    rolled_back(store, lambda new: new.projects.insert(project, "Name", "", 1), "new")
    assert names(store) == []
    assert not read(store, "new").projects.exists(project)
    with store.writing("new", None) as repositories:
        repositories.projects.insert(project, "Name", "", 1)
    assert names(store) == ["new"]
    assert read(store, "new").projects.exists(project)


def test_tenants_do_not_see_or_touch_each_other(store: Store) -> None:
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    (theirs,) = other.add(persona())
    mine = read(store, "one")
    assert mine.projects.find(other.project) is None
    assert mine.groups.find(other.group) is None
    assert mine.groups.head(other.project, other.group).set_id is None
    assert mine.personas.get(other.project, other.group, theirs).framed is None
    assert mine.personas.known([theirs]) == {}
    assert mine.personas.page(other.group, other.set_id, b"", 10).size == 0
    with store.writing("one", None) as repositories:
        assert repositories.groups.lock(other.project, other.group) is None
        assert not repositories.projects.mark_deleted(other.project, 1)
        assert not repositories.personas.hide(theirs, other.set_id, one.set_id, 1)
        repositories.projects.update(other.project, "stolen", "", 1)
        repositories.groups.update(other.group, b"stolen", 1, "")
        repositories.groups.changed(other.group, 5)
        repositories.groups.mark_deleted(other.group, other.set_id, 1)
        assert repositories.groups.mark_all_deleted(other.project, 1) == 0
        repositories.personas.restore(theirs, other.set_id, one.set_id)
    found = read(store, "other").projects.find(other.project)
    assert found is not None
    assert (found.name, found.deleted_at, found.group_count) == ("Project", None, 1)
    assert other.get(theirs) is not None
    assert other.count() == 1
    assert set(Probe(store).values("persona_set", "dropped_at")) == {None}


def test_every_id_is_free_in_another_tenant(store: Store) -> None:
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    with store.writing("other", None) as repositories:
        repositories.projects.insert(one.project, "Name", "", 1)
        repositories.groups.insert(one.group, one.project, EMPTY, 1)
    taken = uid()
    assert one.add(persona(id=taken)) == other.add(persona(id=taken))
    key, now = uuid.uuid4().bytes, 1
    for tenant in ("one", "other"):
        with store.writing(tenant, None) as repositories:
            repositories.idempotency.keep("M", key, bytes(32), tenant.encode(), now)
            repositories.imports.start(key, one.group, 1, bytes(16), now)
    for tenant in ("one", "other"):
        kept = read(store, tenant).idempotency.find("M", key, 0)
        assert kept is not None
        assert kept.answer == tenant.encode()


def test_secrets_are_made_once(store: Store) -> None:
    assert store.secrets.find("name") is None
    assert store.secrets.ensure("name", lambda: b"first", 1) == b"first"
    assert store.secrets.ensure("name", lambda: b"second", 2) == b"first"
    assert store.secrets.find("name") == b"first"


def test_of_many_tenants_few_are_in_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenants, "MOST_KNOWN", 3)
    groups = {f"tenant-{n}": StoredGroup(store, f"tenant-{n}") for n in range(5)}
    keys = {name: store.tenants.key(name) for name in groups}
    assert len(set(keys.values())) == 5
    assert len(store.tenants._known) <= 3
    assert {name: store.tenants.key(name) for name in groups} == keys
