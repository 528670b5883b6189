"""What connections to PostgreSQL keep prepared, whatever happens to transactions and tables."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from persona_server.storage.engine.postgresql.connection import MOST_PREPARED
from persona_server.storage.store import Store, Transaction, open_store
from support.data import persona
from support.postgresql import Cluster
from support.stored import StoredGroup, rolled_back

KEPT = "SELECT count(*) FROM pg_prepared_statements"


@pytest.fixture
def store(cluster: Cluster) -> Iterator[Store]:
    with closing(open_store(cluster.migrated())) as opened:
        yield opened


def kept(store: Store) -> int:
    """Return how many statements this thread's connection has prepared."""
    ((count,),) = store.database.rows(KEPT, ())
    return int(count)


def fail(group: StoredGroup) -> int:
    """Add a persona in a transaction that fails; return how many statements were prepared then."""
    prepared = []

    def work(repositories: Transaction) -> None:
        group.add_in(repositories, persona())
        prepared.append(kept(group.store))

    rolled_back(group.store, work, group.tenant)
    return prepared[0]


def test_a_transaction_that_is_taken_back_leaves_them(store: Store) -> None:
    group = StoredGroup(store)
    prepared = fail(group)
    assert prepared > 5
    assert kept(store) == prepared
    for _ in range(10):
        assert fail(group) == prepared
        group.add(persona())
    assert group.count() == 10


def test_where_tables_change_they_are_prepared_anew(store: Store) -> None:
    group = StoredGroup(store)
    with store.writing(group.tenant, None) as repositories:
        for _ in range(3):
            group.add_in(repositories, persona())
            store.database.execute_sql("ALTER TABLE persona ALTER COLUMN age SET STATISTICS 100")
    group.add(persona())
    assert group.count() == 4


def test_no_more_than_so_many_are_kept(store: Store) -> None:
    with store.snapshot("acme"):  # on one connection
        before = kept(store)
        for i in range(MOST_PREPARED + 50):
            assert store.database.rows(f"SELECT %s + {i}", (1,)) == [(1 + i,)]
        assert kept(store) - before <= MOST_PREPARED
        assert store.database.rows("SELECT %s + 0", (1,)) == [(1,)]


def test_a_statement_that_fails_says_why(store: Store) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        store.database.rows("SELECT 1 / %s", (0,))
    with pytest.raises(psycopg.errors.UndefinedTable):
        store.database.rows("SELECT 1 FROM nowhere", ())
    assert store.database.rows("SELECT 7 %% %s", (4,)) == [(3,)]
