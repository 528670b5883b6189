"""R3: PostgreSQL killed -9 under writes: nothing acknowledged is lost, nothing is made twice."""

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from persona_server.storage.store import open_store
from support.data import Place, make_place, persona
from support.errors import problem_of
from support.importer import LEAN
from support.machine import slowness
from support.postgresql import Cluster, running_cluster
from support.probe import Probe
from support.service import Service, running_service
from support.waiting import eventually

KILLS, LONG_KILLS = 3, 50
BACK_SECONDS = 5.0  # until calls are answered again, once the database is back
ACKNOWLEDGED = 10  # between two kills
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def durable() -> Iterator[Cluster]:
    """A cluster that keeps what it has acknowledged, whatever ends it."""
    with running_cluster(durable=True) as running:
        yield running


@pytest.fixture
def killed(durable: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service on a database that is killed."""
    url = durable.migrated()
    monkeypatch.setattr(Service, "database_of", staticmethod(lambda _: url))
    with running_service(tmp_path / "data", *LEAN) as service:
        yield service


class Writer(threading.Thread):
    """Adds personas one by one, each with a request_id, and again until it is told how it ended."""

    def __init__(self, place: Place) -> None:
        super().__init__(daemon=True)
        self._place = place
        self._stopping = threading.Event()
        self.acknowledged: list[str] = []
        self.refused: list[tuple[grpc.StatusCode, bool]] = []

    def run(self) -> None:
        while not self._stopping.is_set():
            request_id, given = str(uuid.uuid4()), persona()
            while not self._created(given, request_id):
                self._stopping.wait(0.01)

    def _created(self, given: Any, request_id: str) -> bool:
        try:
            self.acknowledged.append(self._place.create(given, request_id).id)
        except grpc.RpcError as error:
            problem = problem_of(error)
            self.refused.append((problem.code, problem.retry))
            return False
        return True

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)
        assert not self.is_alive()


def kills(request: pytest.FixtureRequest) -> int:
    return LONG_KILLS if request.config.getoption("--torture") else KILLS


def test_what_is_acknowledged_is_there_once(
    request: pytest.FixtureRequest, durable: Cluster, killed: Service
) -> None:
    writers = [Writer(make_place(killed.connect())) for _ in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(kills(request)):
        known = [len(writer.acknowledged) for writer in writers]
        for writer, count in zip(writers, known, strict=True):
            eventually(lambda w=writer, n=count: len(w.acknowledged) >= n + ACKNOWLEDGED)  # type: ignore[misc]
        durable.kill()
        eventually(lambda: all(writer.refused for writer in writers))
        durable.start()
        began, now = time.monotonic(), [len(writer.acknowledged) for writer in writers]
        for writer, count in zip(writers, now, strict=True):
            eventually(lambda w=writer, n=count: len(w.acknowledged) > n)  # type: ignore[misc]
        assert time.monotonic() - began < BACK_SECONDS * slowness()
    for writer in writers:
        writer.stop()
        assert set(writer.refused) == {(grpc.StatusCode.UNAVAILABLE, True)}
        assert {one.id for one in writer._place.walk()} == set(writer.acknowledged)
        assert writer._place.count() == len(writer.acknowledged)
    store = open_store(killed.place, make=False)
    made = sum(len(writer.acknowledged) for writer in writers)
    assert Probe(store).count("audit", method="CreatePersona") == made
    store.close()


def test_health_says_whether_the_database_answers(durable: Cluster, killed: Service) -> None:
    with grpc.insecure_channel(killed.grpc) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)

        def serving() -> bool:
            return bool(health.Check(health_pb2.HealthCheckRequest()).status == SERVING)

        assert serving()
        durable.kill()
        eventually(lambda: not serving())
        durable.start()
        eventually(serving)
