"""The tables can be put on a Citus cluster, by tenant: what it demands of them, and a real one."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from persona_server.storage import tables
from persona_server.storage.copying.tables import parents_first
from persona_server.storage.distribution import EVERYWHERE, TENANT, distribute
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.store import Store, open_store
from support.data import persona
from support.postgresql import Cluster
from support.probe import Probe
from support.stored import StoredGroup

CITUS = "PERSONA_TEST_CITUS"  # the URL of an empty database with the extension
HISTORY = "schema_migration"  # the coordinator's alone
HISTORY_KEYS = ("schema_migration_pkey", "schema_migration_name")

_UNIQUE = (
    "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, "
    "array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid "
    "AND a.attnum = ANY (i.indkey::int[])) "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid "
    "WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique"
)
_REFERENCES = (
    "SELECT f.conrelid::regclass::text, f.confrelid::regclass::text, f.confdeltype::text, "
    "array(SELECT here.attname::text || '=' || there.attname::text "
    "FROM unnest(f.conkey, f.confkey) AS pair (own, other) "
    "JOIN pg_attribute here ON here.attrelid = f.conrelid AND here.attnum = pair.own "
    "JOIN pg_attribute there ON there.attrelid = f.confrelid AND there.attnum = pair.other) "
    "FROM pg_constraint f WHERE f.contype = 'f'"
)
_EXCLUSIONS = "SELECT conname FROM pg_constraint WHERE contype = 'x'"


@pytest.fixture(scope="module")
def store(cluster: Cluster) -> Iterator[Store]:
    with closing(open_store(cluster.migrated())) as opened:
        yield opened


def distributed() -> set[str]:
    return {model._meta.table_name for model in tables.ALL} - EVERYWHERE


def test_every_table_has_the_tenant_or_is_everywhere(store: Store) -> None:
    sql = "SELECT table_name FROM information_schema.columns WHERE column_name = ?"
    assert {name for (name,) in Probe(store).ask(sql, TENANT)} == distributed()
    assert set(store.database.get_tables()) == distributed() | EVERYWHERE | {HISTORY}


def test_whatever_is_unique_is_so_within_a_tenant(store: Store) -> None:
    found = Probe(store).ask(_UNIQUE)
    assert {table for table, _, _ in found} >= distributed()
    wrong = {index for table, index, columns in found if TENANT not in columns}
    assert wrong == {"tenant_pkey", "tenant_name_key", "secret_pkey", *HISTORY_KEYS}
    assert Probe(store).ask(_EXCLUSIONS) == []


def test_rows_refer_to_their_own_tenant_alone(store: Store) -> None:
    found = Probe(store).ask(_REFERENCES)
    assert found
    for table, other, on_delete, pairs in found:
        assert table in distributed(), "what is everywhere refers to nothing"
        wanted = f"{TENANT}=id" if other == "tenant" else f"{TENANT}={TENANT}"
        assert wanted in pairs, (table, other)
        assert on_delete in ("a", "c"), "never SET NULL, which would take the tenant away"


def test_parents_come_first(store: Store) -> None:
    order = [model._meta.table_name for model in parents_first(store.database)]
    for table, other, *_ in Probe(store).ask(_REFERENCES):
        assert order.index(other) < order.index(table)


def test_where_there_are_no_nodes_nothing_is_put(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="has no Citus"):
        list(distribute(store.database))
    assert Probe(store).refuses("UPDATE audit SET method = 'x'") or not Probe(store).count("audit")
    with closing(open_store(tmp_path)) as file, pytest.raises(DatabaseError, match="is a file"):
        list(distribute(file.database))


@pytest.mark.skipif(CITUS not in os.environ, reason=f"{CITUS} names no database of a cluster")
def test_a_cluster_has_all_tables_and_serves_from_them() -> None:
    with closing(open_store(os.environ[CITUS])) as store:
        assert set(distribute(store.database)) == distributed() | EVERYWHERE
        assert list(distribute(store.database)) == []
        for tenant in ("one", "two"):
            group = StoredGroup(store, tenant)
            made = group.add(*[persona() for _ in range(20)])
            assert group.hide(made[0])
            assert group.count() == 19
            assert group.page(100).size == 19
            group.drop()
        assert store.sweeper.sweep(2**60, 60) == 40
