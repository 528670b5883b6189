"""The current major version of PostgreSQL keeps what that of the machine does.

What it means to do with every statement is in tests/unit/storage/test_statements_postgresql.py.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest

from persona_server.storage import tables
from persona_server.storage.derived.comparing import differing
from persona_server.storage.store import Store, open_store
from support.answering.erasing import everywhere
from support.data import rich_persona
from support.postgresql import Cluster
from support.probe import Probe
from support.stored import StoredGroup, unframe


@pytest.fixture(scope="module")
def newest(newest_cluster: Cluster) -> Iterator[Store]:
    with closing(open_store(newest_cluster.migrated())) as store:
        everywhere(store)
        yield store


def test_it_is_a_newer_one(cluster: Cluster, newest_cluster: Cluster) -> None:
    ours, theirs = (
        int(one.execute("SHOW server_version_num")[0][0]) // 10_000
        for one in (cluster, newest_cluster)
    )
    assert theirs >= max(ours, 18)


def test_personas_come_and_go(newest: Store) -> None:
    group = StoredGroup(newest)
    given = [rich_persona(age=age) for age in range(50)]
    ids = group.add(*given)
    assert group.get(ids[7]) is not None
    assert {one.age.value for one in unframe(group.page(100).framed)} == set(range(50))
    assert group.hide(ids[0])
    assert group.count() == group.page(100).size == 49
    group.drop()
    assert newest.sweeper.sweep(2**60, 60) == 50
    assert group.page(100).size == group.count() == 0


def test_what_is_derived_is_what_would_be_made_anew(newest: Store) -> None:
    assert Probe(newest).count("series") > 0
    assert differing(newest) == []


def test_what_is_kept_is_guarded(newest: Store) -> None:
    for model in tables.APPEND_ONLY:
        table, probe = model._meta.table_name, Probe(newest)
        if probe.count(table):
            assert probe.refuses(f"UPDATE {table} SET tenant_id = 1")  # noqa: S608 (ours)
            assert probe.refuses(f"DELETE FROM {table}")  # noqa: S608 (ours)
        assert probe.refuses(f"TRUNCATE {table} CASCADE")
