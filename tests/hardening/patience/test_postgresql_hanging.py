"""R14: a PostgreSQL that hangs holds no call beyond its deadline, and leaves no write in part."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import psycopg
import pytest

from persona.v1.persona_service_pb2 import ImportPersonasRequest
from persona_server.errors import ServiceError
from persona_server.storage.engine.postgresql.database import BEGIN
from persona_server.storage.store import DatabaseError, open_store
from support.data import make_place, persona
from support.dbfile import DatabaseFile, ServedDatabase
from support.importer import LEAN, Importer
from support.machine import slowness
from support.operating.health import is_serving
from support.peers.hanging import HangingProxy, Trap, hanging
from support.postgresql import Cluster
from support.requests.deadlines import BACK_SECONDS, DEADLINE, LATE, Calls, in_time, is_change
from support.rpcs import BY_NAME, METHODS, WRITES
from support.service import PERSONA, Service, running_service
from support.waiting import LIMIT, eventually

pytestmark = pytest.mark.alone  # a quarter of a second is little beside others
TO_COMMIT = 1.0  # seconds: a deadline behind the end of all that is done before
TO_BATCH = 5.0  # and that of an import, before whose last batch another one must be committed
GRACE = 1.5  # of LEAN


class Served(NamedTuple):
    """A service, what may hang between it and its database, and that database by another way."""

    service: Service
    proxy: HangingProxy
    file: DatabaseFile
    url: str  # by which the service has its database


@contextmanager
def serving(cluster: Cluster, data: Path) -> Iterator[Served]:
    url = cluster.migrated()
    with (
        hanging(f"127.0.0.1:{cluster.port}") as proxy,
        psycopg.connect(url, autocommit=True) as beside,
        pytest.MonkeyPatch.context() as patch,
    ):
        through = url.replace(f"127.0.0.1:{cluster.port}", proxy.address)
        patch.setattr(Service, "database_of", staticmethod(lambda _: through))
        with running_service(data, *LEAN) as service:
            yield Served(service, proxy, ServedDatabase(beside), through)


@pytest.fixture(scope="module")
def served(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(cluster, tmp_path_factory.mktemp("hanging") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def calls(served: Served) -> Calls:
    return Calls(served.service, served.file)


def works(said: bytes, _begun: bytes) -> bool:
    """Whether a client prepares or executes a statement, or begins: it is connected by then."""
    return said[:1] in (b"P", b"B") or b"BEGIN" in said


def asks_who_it_is(said: bytes, _begun: bytes) -> bool:
    return b"server_version_num" in said


def commits(said: bytes, begun: bytes) -> bool:
    """Whether a client ends a transaction that may have written."""
    return b"COMMIT\0" in said and BEGIN.encode() in begun


def rolls_back(said: bytes, begun: bytes) -> bool:
    return b"ROLLBACK\0" in said and BEGIN.encode() in begun


def test_every_rpc_ends_with_its_deadline(served: Served, calls: Calls) -> None:
    """It hangs at the first statement of each. Health says so, and then all is answered again."""
    every = [calls.make(method) for method in METHODS]
    changes = [call for call in every if is_change(call.method)]
    before = [calls.counts(call) for call in changes]
    with served.proxy.trapping(Trap(works, passes=False)), ThreadPoolExecutor(1) as beside:
        health = beside.submit(eventually, lambda: not is_serving(served.service))
        assert set(calls.at_once(every)) == {in_time(call.method.name) for call in every}
        assert health.result()
    began = time.monotonic()
    for call in every:
        if not is_change(call.method):
            assert call.send().code == grpc.StatusCode.OK, call.method.name
    eventually(lambda: is_serving(served.service))
    assert time.monotonic() - began < BACK_SECONDS * slowness()
    assert [calls.counts(call) for call in changes] == before


def test_a_call_that_must_connect_ends_likewise(cluster: Cluster, calls: Calls) -> None:
    """The database's processes stand still here: none answers, and twelve connections are open."""
    writes = [calls.make(method) for method in WRITES]
    with cluster.hanging():
        assert set(calls.at_once(writes)) == {in_time(call.method.name) for call in writes}
    read = calls.make(BY_NAME["GetPersona"])
    eventually(lambda: read.send().code == grpc.StatusCode.OK, BACK_SECONDS * slowness())


class Fate(NamedTuple):
    """What becomes of a COMMIT that was not answered in time."""

    comes: bool  # to the database, at once
    lost: bool  # it, or its answer; else it comes late
    kept: bool  # what it commits


FATES = {
    "lost": Fate(comes=False, lost=True, kept=False),
    "late": Fate(comes=False, lost=False, kept=True),
    "unanswered": Fate(comes=True, lost=True, kept=True),
}


@pytest.mark.parametrize("name", FATES)
def test_a_write_is_whole_and_recorded_or_absent(
    served: Served, calls: Calls, rounds: Callable[[int, int], int], name: str
) -> None:
    """Each RPC has one of the fates (each of them)."""
    fate, apart = FATES[name], rounds(len(FATES), 1)
    if apart == 1:
        calls.anew()
    writes = [calls.make(method) for method in WRITES[list(FATES).index(name) % apart :: apart]]
    before = [calls.counts(call) for call in writes]
    with served.proxy.trapping(Trap(commits, passes=fate.comes), loses=fate.lost):
        ended = calls.at_once(writes, TO_COMMIT, tries=1)
        assert served.proxy.trapped >= len(writes)
    assert {one.code for one in ended} == {"UNAVAILABLE"}  # which does not say that it is absent
    assert any(one.in_time for one in ended)  # of one kind, and others use the machine
    for call, counts in zip(writes, before, strict=True):
        eventually(lambda c=call: calls.recorded(c) == int(fate.kept))  # type: ignore[misc]
        kept = calls.counts(call)
        assert (kept == counts) == (not fate.kept)
        assert call.send().code == grpc.StatusCode.OK, call.method.name
        assert calls.recorded(call) == 1
        assert not fate.kept or calls.counts(call) == kept


@pytest.mark.parametrize("name", FATES)
def test_a_batch_of_an_import_likewise(served: Served, name: str) -> None:
    fate, place = FATES[name], make_place(served.service.connect())
    importer, trapped = Importer(place, batches=2, size=5), threading.Event()

    def messages() -> Iterator[ImportPersonasRequest]:
        yield importer.begin()
        yield importer.batch(1)
        trapped.wait(TO_BATCH)
        yield importer.batch(2)

    began = time.monotonic()
    answers = place.caller.personas.ImportPersonas(messages(), timeout=TO_BATCH)
    while next(answers).committed_sequence < 1:
        pass
    with served.proxy.trapping(Trap(commits, passes=fate.comes), loses=fate.lost):
        trapped.set()
        with pytest.raises(grpc.RpcError) as late:
            next(answers)
        assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - began < TO_BATCH + LATE * slowness()
        assert served.proxy.trapped >= 1
    there = importer.size * (2 if fate.kept else 1)
    eventually(lambda: place.count() == there)
    assert importer.run(place.caller)
    assert sorted(one.full_name for one in place.walk()) == importer.names(2)


def test_a_rollback_that_is_not_answered_holds_nobody(served: Served, calls: Calls) -> None:
    calls.anew()
    only = [calls.make(method, validate_only=True) for method in WRITES[:: len(WRITES) // 3]]
    before = [calls.counts(call) for call in only]
    with served.proxy.trapping(Trap(rolls_back, passes=False)):
        ended = calls.at_once(only, TO_COMMIT, tries=1)
        assert served.proxy.trapped >= len(only)
    assert any(one.in_time for one in ended)
    assert [calls.counts(call) for call in only] == before


def test_without_a_deadline_the_service_has_its_own(served: Served) -> None:
    store = open_store(served.url, make=False)
    store.ping()
    store.database.answer_within(DEADLINE)
    with served.proxy.hanging():
        began = time.monotonic()
        with pytest.raises(ServiceError) as lost:
            store.ping()
        assert time.monotonic() - began < DEADLINE + LATE
        assert (lost.value.reason_name, lost.value.retry_after) == ("DATABASE_UNAVAILABLE", 1.0)
    store.ping()
    store.close()


def test_a_database_that_does_not_say_what_it_is(served: Served) -> None:
    with (
        served.proxy.trapping(Trap(asks_who_it_is, passes=True)),
        pytest.raises(DatabaseError, match="not answered in time"),
    ):
        open_store(served.url, make=False)


def test_a_service_stops_while_its_database_hangs(cluster: Cluster, tmp_path: Path) -> None:
    with serving(cluster, tmp_path / "data") as own:
        place = make_place(own.service.connect())
        with own.proxy.hanging(), ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(place.create, persona()) for _ in range(4)]
            eventually(lambda: not is_serving(own.service))
            began = time.monotonic()
            assert own.service.stop() == 0
            assert time.monotonic() - began - GRACE < 2.0 * slowness()  # R13
            for call in waiting:
                assert isinstance(call.exception(), grpc.RpcError)


def test_no_service_starts_while_its_database_hangs(served: Served) -> None:
    command = [str(PERSONA), "serve", "--database", served.url, *LEAN, "--listen", "127.0.0.1:0"]
    with served.proxy.hanging():
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 1
    assert "can't be used" in done.stderr
