"""Behind a real PgBouncer in transaction mode, which lends few connections to many."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from persona_server import patience
from persona_server.errors import ServiceError
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.store import Store, open_store
from support.data import make_place, persona, rich_persona, uid
from support.importer import LEAN, Importer
from support.peers.pgbouncer import LENT, Pooler, running_pooler
from support.postgresql import Cluster
from support.service import Service, running_service
from support.stored import TENANT, StoredGroup, read

CALLS, CALLERS = 60, 12
FOR_AGES = "SELECT pg_sleep(600)"


@pytest.fixture(scope="module")
def pooler(cluster: Cluster) -> Iterator[Pooler]:
    with running_pooler(cluster) as running:
        yield running


@pytest.fixture
def url(cluster: Cluster) -> str:
    """Where a database with all tables is, itself."""
    return cluster.migrated()


@pytest.fixture
def pooled(pooler: Pooler, url: str) -> Iterator[Store]:
    """The same behind the pooler."""
    with closing(open_store(pooler.url(url), pooler=True)) as store:
        yield store


def test_a_service_serves_many_over_few_connections(
    pooler: Pooler, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "database_of", staticmethod(lambda _: url))
    flags = ("--pooler", "--database", pooler.url(url))
    with (
        running_service(tmp_path / "unused", *flags, *LEAN) as service,
        ThreadPoolExecutor(CALLERS) as threads,
    ):
        places = [make_place(service.connect(service.token(f"t{i}"))) for i in range(CALLERS)]

        def call(number: int) -> bool:
            place, request_id = places[number % CALLERS], uid()
            made = place.create(rich_persona(), request_id)
            listed = {one.id for one in place.walk()}
            return made.id in listed and place.create(rich_persona(), request_id) == made

        assert all(threads.map(call, range(CALLS)))
        importer = Importer(places[0], 3, 200)
        assert importer.run(places[0].caller), importer.error
        assert [place.count() for place in places] == [605] + [5] * (CALLERS - 1)
        assert sum(len(chunk.personas) for chunk in places[0].export()) == 605
        with psycopg.connect(url) as beside:
            sql = (
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            ((lent,),) = beside.execute(sql).fetchall()
        assert 0 < lent <= LENT


def test_nobody_writes_or_looks_while_a_command_is_alone(pooled: Store, url: str) -> None:
    group = StoredGroup(pooled)
    with closing(open_store(url)) as owner:
        with owner.database.alone():
            for begin in (pooled.writing(TENANT, 1.0), pooled.snapshot(TENANT)):
                with pytest.raises(ServiceError) as refused, begin:
                    raise AssertionError("beside one that is alone")
                assert refused.value.reason_name == "DATABASE_UNAVAILABLE"
        group.add(persona())
        with (
            pooled.writing(TENANT, 1.0),
            pytest.raises(DatabaseError, match="is using"),
            owner.database.alone(),
        ):
            raise AssertionError("alone beside a transaction")
    assert group.count() == 1


def test_transactions_are_told_what_they_need_to_know(pooled: Store) -> None:
    """Whichever connection they get; and none of it stays on that."""
    asked = "SELECT current_setting('plan_cache_mode'), current_setting('enable_seqscan')"
    for begin in (pooled.writing(TENANT, 1.0), pooled.snapshot(TENANT)):
        with begin:
            assert pooled.database.rows(asked, ()) == [("force_generic_plan", "off")]
        assert pooled.database.rows(asked, ()) == [("auto", "on")]
    assert pooled.database.rows("SELECT count(*) FROM pg_prepared_statements", ()) == [(0,)]


def test_a_query_that_nobody_waits_for_ends(pooled: Store) -> None:
    patience.begin(None, lambda: True)
    with pytest.raises(ServiceError) as ended, pooled.reading(TENANT):
        pooled.database.execute_sql(FOR_AGES)
    patience.end()
    assert ended.value.reason_name == "DEADLINE_EXCEEDED"
    assert read(pooled).projects.find(bytes(16)) is None


def test_what_is_not_told_of_a_pooler_is_refused(pooler: Pooler, url: str) -> None:
    for make in (True, False):
        with pytest.raises(DatabaseError, match="this is a pooler"):
            open_store(pooler.url(url), make=make)
    with closing(open_store(url)) as owner, owner.database.alone():
        pass  # nobody has left a lock behind
