"""The bytes that a tenant has stored: counted with its rows, given back by a purge alone."""

from typing import Any

import pytest

from persona_server.errors import ServiceError
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store, open_store
from support.answering.recorded import DAY, one_each, record
from support.answers import answer
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import StoredGroup, read, rolled_back


def said(group: StoredGroup) -> int:
    return read(group.store, group.tenant).quotas.stored()


def held(store: Store) -> int:
    """Return the bytes of what is stored, of all tenants: a test has one."""
    probe = Probe(store)
    return sum(
        len(framed) for table in ("persona", "response") for framed in probe.values(table, "framed")
    )


def test_every_change_is_counted(store: Store, group: StoredGroup) -> None:
    assert said(group) == 0
    ids = group.add(*[persona(full_name="x" * n) for n in range(1, 40)])
    assert said(group) == held(store) > 0
    one_each(group, ids[:10])
    assert said(group) == held(store)
    before = said(group)
    rolled_back(store, lambda repositories: group.add_in(repositories, persona()))
    assert group.hide(ids[0])
    assert group.hide(ids[20])
    assert said(group) == held(store) == before  # a delete only hides


def test_answers_sent_again_are_not_counted_again(group: StoredGroup) -> None:
    (one,), simulation = group.add(persona()), uid()
    given: dict[str, Any] = {"persona_id": id_text(one), "id": uid(), "occurred_at": at(DAY)}
    record(group, simulation, answer(**given))
    before = said(group)
    record(group, simulation, answer(**given))
    assert said(group) == before


def test_a_purge_gives_back_what_it_removes(store: Store, group: StoredGroup) -> None:
    """Rows that answers need stay, and stay counted."""
    ids = group.add(*[persona(full_name="x" * n) for n in range(1, 40)])
    one_each(group, ids[:3])
    for one in ids[:10]:
        assert group.hide(one)
    before = said(group)
    assert store.sweeper.sweep(2**62, 60) == 7
    assert said(group) == held(store) < before
    with store.writing(group.tenant, None) as repositories:
        locked = group.locked(repositories)
        repositories.groups.swap_set(group.group, locked.set_id, repositories.now)
    assert store.sweeper.sweep(2**62, 60) > 0
    assert said(group) == held(store) > 0  # three with answers


def test_nothing_is_stored_beyond_the_quota(store: Store, group: StoredGroup) -> None:
    group.add(persona())
    limit = said(group)
    store.most_stored = lambda _: limit
    with pytest.raises(ServiceError) as refused:
        group.add(persona())
    assert refused.value.reason_name == "QUOTA_EXCEEDED"
    assert refused.value.metadata == {"quota": "stored_bytes", "limit": str(limit)}
    assert (said(group), group.count()) == (limit, 1)


def test_a_migration_counts_what_is_there(store: Store, group: StoredGroup) -> None:
    if store.database.engine != "sqlite":
        pytest.skip("what other engines have had from the beginning, no migration counts")
    one_each(group, group.add(persona(), persona()))
    wanted, probe = said(group), Probe(store)
    for table in ("tenant_quota", "tenant_usage"):
        probe.change(f"DROP TABLE {table}")
    probe.change("DELETE FROM schema_migration WHERE name LIKE '0006%'")
    opened = open_store(store.place)
    try:
        assert read(opened, group.tenant).quotas.stored() == wanted > 0
    finally:
        opened.close()
