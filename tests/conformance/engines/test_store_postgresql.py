"""What PostgreSQL has and SQLite has not: several servers of one database, roles, a network."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, TypeVar

import psycopg
import pytest

from persona_server import patience
from persona_server.errors import ServiceError
from persona_server.identity import changes
from persona_server.identity.credentials import Credentials
from persona_server.identity.principal import TokenError
from persona_server.identity.tokens import local_key
from persona_server.storage import keys, tables
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.postgresql.watch import END_SECONDS, LOOK_SECONDS
from persona_server.storage.migrate import grant
from persona_server.storage.store import Store, open_store
from support.data import persona
from support.postgresql import Cluster
from support.probe import Probe
from support.stored import TENANT, StoredGroup, read
from support.waiting import LIMIT, eventually

T = TypeVar("T")
STARTERS, WRITERS, EACH = 10, 4, 25
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'"
# The connection that keeps others out of a database.
END_ALONE = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' "
    "AND mode = 'ExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def url(cluster: Cluster) -> str:
    """Where a database with all tables is."""
    return cluster.migrated()


@pytest.fixture
def two(url: str) -> Iterator[tuple[Store, Store]]:
    """One database as two servers have it."""
    stores = open_store(url), open_store(url)
    yield stores
    for store in stores:
        store.close()


def at_once(work: Callable[[int], T], count: int) -> list[T]:
    """Do work in so many threads, all at the same time; return what each has returned."""
    together = threading.Barrier(count)

    def one(number: int) -> T:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def end_others(url: str) -> None:
    """End all connections to a database."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_of_many_starters_one_makes_the_tables(cluster: Cluster) -> None:
    empty = cluster.database()

    def start(_number: int) -> bool:
        store = open_store(empty)
        try:
            return store.created
        finally:
            store.close()

    assert sorted(at_once(start, STARTERS)) == [False] * (STARTERS - 1) + [True]


def test_writers_of_several_servers_lose_nothing(two: tuple[Store, Store]) -> None:
    group = StoredGroup(two[0])

    def write(number: int) -> None:
        mine = StoredGroup.__new__(StoredGroup)
        vars(mine).update(vars(group), store=two[number % 2])
        for _ in range(EACH):
            mine.add(persona())

    at_once(write, WRITERS)
    assert group.count() == Probe(two[0]).count("persona") == WRITERS * EACH
    assert group.head().version == WRITERS * EACH


def test_the_first_writers_of_a_tenant_agree_on_it(two: tuple[Store, Store]) -> None:
    groups = at_once(lambda number: StoredGroup(two[number % 2], "new"), WRITERS)
    assert Probe(two[0]).values("tenant", "name") == ["new"]
    assert len({group.group for group in groups}) == WRITERS


def test_a_writer_waits_for_another_server_no_longer_than_it_may(
    two: tuple[Store, Store],
) -> None:
    group = StoredGroup(two[0])
    with (
        two[0].writing(TENANT, None),
        pytest.raises(ServiceError) as refused,
        two[1].writing(TENANT, 0.2),
    ):
        raise AssertionError("two at once")
    assert refused.value.reason_name == "DEADLINE_EXCEEDED"  # which is when nobody waits any more
    group.add(persona())


def test_a_transaction_is_later_than_what_it_has_waited_for(
    cluster: Cluster, two: tuple[Store, Store]
) -> None:
    """Of whichever server: ids of one millisecond could be those of the other, too."""
    StoredGroup(two[0])

    def write() -> int:
        with two[1].writing(TENANT, None) as repositories:
            return repositories.now

    with ThreadPoolExecutor(1) as threads:
        with two[0].writing(TENANT, None):
            other = threads.submit(write)
            eventually(lambda: cluster.execute(WAITING.format(name_of(two[1])))[0][0])
            end = keys.now()
        assert other.result() >= end


def test_of_two_rotations_at_once_neither_undoes_the_other(
    cluster: Cluster, url: str, two: tuple[Store, Store]
) -> None:
    first = local_key(two[0])
    token = first.issue(TENANT, "me", ["all"], 3600)

    def waiting() -> int:
        return int(cluster.execute(WAITING.format(name_of(two[0])))[0][0])

    with ThreadPoolExecutor(2) as threads:
        with psycopg.connect(url) as holding:
            holding.execute("SELECT 1 FROM secret FOR UPDATE")
            now = threads.submit(changes.rotate, two[0], 0)
            eventually(lambda: waiting() == 1)
            later = threads.submit(changes.rotate, two[1], 3600)
            eventually(lambda: waiting() == 2)
        assert now.result() < later.result()
    known = Credentials(two[0], local_tokens=True)
    with pytest.raises(TokenError):
        known.verify(token)
    assert known.verify(local_key(two[0]).issue(TENANT, "me", ["all"], 3600)).subject == "me"


def name_of(store: Store) -> str:
    """Return the name of a store's database."""
    return str(store.place).rpartition("/")[2]


def test_tenants_are_written_side_by_side(two: tuple[Store, Store]) -> None:
    with two[0].writing("other", None):
        assert at_once(lambda number: StoredGroup(two[number], TENANT).count(), 2) == [0, 0]


def test_a_snapshot_is_of_one_moment(two: tuple[Store, Store]) -> None:
    group = StoredGroup(two[0])
    with two[0].snapshot(TENANT) as repositories:
        assert repositories.groups.head(group.project, group.group).version == 0
        at_once(lambda _: group.add(persona()), 1)
        assert repositories.groups.head(group.project, group.group).version == 0
    assert group.head().version == 1


@pytest.fixture
def served(cluster: Cluster, url: str) -> Iterator[Store]:
    """The database as a server has it whose role owns nothing."""
    role = f"app_{uuid.uuid4().hex}"
    cluster.execute(f"CREATE ROLE {role} LOGIN")
    owner = open_store(url)
    grant(owner.database, role)
    StoredGroup(owner).add(persona())
    owner.close()
    store = open_store(url.replace("persona@", f"{role}@"))
    yield store
    store.close()


def test_a_role_that_serves_can_do_all_that_a_server_does(served: Store) -> None:
    group = StoredGroup(served, "served")
    (one,) = group.add(persona())
    assert group.hide(one)
    group.drop()
    assert served.sweeper.sweep(2**60, 60) == 1
    assert served.secrets.ensure("key", lambda: b"value", 1) == b"value"


def test_a_role_that_serves_changes_neither_tables_nor_what_is_kept(served: Store) -> None:
    probe = Probe(served)
    for model in tables.APPEND_ONLY:
        table = model._meta.table_name
        for change in ("DELETE FROM", "TRUNCATE", "DROP TABLE"):
            with pytest.raises(DENIED):
                probe.change(f"{change} {table}")
        with pytest.raises(DENIED):
            probe.change(f"UPDATE {table} SET tenant_id = 1")  # noqa: S608 (ours)
        with pytest.raises(DENIED):
            probe.change(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    with pytest.raises(DENIED):
        probe.change("CREATE TABLE mine (id bigint)")
    with pytest.raises(DENIED):
        probe.change("DELETE FROM schema_migration")


def test_nobody_empties_what_is_kept(url: str) -> None:
    store = open_store(url)
    kept: tuple[Any, ...] = (tables.Persona, tables.Simulation, tables.LibraryPersona)
    for model in (*tables.APPEND_ONLY, *kept):
        assert Probe(store).refuses(f"TRUNCATE {model._meta.table_name} CASCADE")
    store.close()


@pytest.mark.parametrize("named", ["", "?application_name=x"])
def test_what_needs_to_be_alone_is_refused_while_another_is_connected(url: str, named: str) -> None:
    """Whatever the other is called: here by the same host and process, or in its URL."""
    mine, other = open_store(url), open_store(url + named)
    with pytest.raises(DatabaseError, match="is using"), mine.database.alone():
        raise AssertionError("alone beside another")
    other.close()
    with mine.database.alone():
        StoredGroup(mine).add(persona())
    mine.close()


def test_nobody_comes_in_while_another_needs_to_be_alone(
    two: tuple[Store, Store], url: str
) -> None:
    two[1].close()
    with two[0].database.alone():
        with pytest.raises(DatabaseError, match="a command has it to itself"):
            open_store(url)
        with pytest.raises(ServiceError) as refused:
            read(two[1]).projects.find(b"x")
        assert refused.value.reason_name == "DATABASE_UNAVAILABLE"
    StoredGroup(two[1]).add(persona())
    with pytest.raises(DatabaseError, match="is using"), two[0].database.alone():
        raise AssertionError("alone beside another")


def test_who_is_no_longer_alone_goes_no_further(url: str) -> None:
    store = open_store(url)

    def alone() -> None:
        with store.database.alone():
            end_others(url)
            with pytest.raises(ServiceError) as refused:
                StoredGroup(store)
            assert refused.value.reason_name == "DATABASE_UNAVAILABLE"

    with pytest.raises(DatabaseError, match="was lost"):
        alone()
    StoredGroup(store).add(persona())
    store.close()


def test_who_goes_on_by_an_open_connection_learns_that_others_could_come_in(url: str) -> None:
    def alone(store: Store) -> None:
        with store.database.alone():
            StoredGroup(store)
            with psycopg.connect(url, autocommit=True) as other:
                ended = other.execute(END_ALONE).fetchall()
            assert ended == [(True,)]
            open_store(url).close()
            StoredGroup(store)

    with closing(open_store(url)) as store:
        with pytest.raises(DatabaseError, match="was lost"):
            alone(store)
        StoredGroup(store).add(persona())


def test_a_database_that_can_not_be_is_refused(cluster: Cluster) -> None:
    cluster.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(DatabaseError, match="UTF8"):
        open_store(cluster.url("latin"))
    with pytest.raises(DatabaseError, match='database "missing" does not exist'):
        open_store(cluster.url("missing"))


def test_a_newer_database_is_refused(url: str) -> None:
    store = open_store(url)
    Probe(store).change("INSERT INTO schema_migration (name, applied) VALUES ('9999_x', now())")
    store.close()
    for make in (True, False):
        with pytest.raises(DatabaseError, match="9999_x"):
            open_store(url, make=make)


def test_a_password_is_not_shown(url: str) -> None:
    store = open_store(url.replace("persona@", "persona:hidden@") + "?connect_timeout=3")
    assert store.database.place == url
    store.close()
    with pytest.raises(DatabaseError) as refused:
        open_store(url.replace("persona@", "nobody:hidden@"))
    assert "hidden" not in str(refused.value)


def test_reads_go_on_over_a_connection_that_was_lost(url: str) -> None:
    store = open_store(url)
    group = StoredGroup(store)
    assert group.count() == 0
    end_others(url)
    assert read(store).groups.find(group.group) is not None
    group.add(persona())
    store.close()


def test_who_has_left_ends_nothing_of_the_next_one(url: str) -> None:
    """The watch finds out that a caller has left only when another has the connection."""
    store, asked, told = open_store(url), threading.Event(), threading.Event()
    next_one = "SELECT pg_advisory_lock(7) AS next_one"  # which lasts until the test lets it go on
    looks = iter(range(1_000_000))
    looked = [0]

    def has_left() -> bool:
        asked.set()
        return told.wait(LIMIT)

    def stays() -> bool:
        looked.append(next(looks))
        return False

    def tell() -> None:
        sql = f"SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = '{next_one}'"  # noqa: S608 (ours)
        try:
            eventually(lambda: beside.execute(sql).fetchone())
            told.set()
            # By so many looks at the next one a watch that was wrong has ended it.
            eventually(lambda: looked[-1] * LOOK_SECONDS > 3 * END_SECONDS)
        finally:
            beside.execute("SELECT pg_advisory_unlock(7)")

    with psycopg.connect(url, autocommit=True) as beside, ThreadPoolExecutor(1) as threads:
        beside.execute("SELECT pg_advisory_lock(7)")
        patience.begin(None, has_left)
        store.database.rows("SELECT pg_sleep(2) AS first", ())
        assert asked.is_set()
        patience.begin(None, stays)
        telling = threads.submit(tell)
        store.database.rows(next_one, ())
        telling.result()
        store.database.rows("SELECT 1 AS last", ())
    patience.end()
    store.close()
