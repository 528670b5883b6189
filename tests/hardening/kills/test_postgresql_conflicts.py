"""What PostgreSQL takes back, a deadlock or a serialization failure, is done again, or ABORTED."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import psycopg
import pytest

from persona.v1 import persona_service_pb2 as pb
from persona_server.again import TRIES
from support.data import Place, make_place, persona, uid
from support.errors import refused
from support.importer import LEAN, Importer
from support.postgresql import Cluster
from support.service import Service, running_service
from support.waiting import eventually

# Takes back the first so many transactions that come as far as their audit row.
DISTURB = """
CREATE SEQUENCE IF NOT EXISTS tries;
SELECT setval('tries', 1, false);
CREATE OR REPLACE FUNCTION disturb() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    try bigint = nextval('tries');
BEGIN
    IF try <= {times} THEN
        PERFORM pg_sleep({seconds} * (try - 1));
        RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'disturbed';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER disturb BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION disturb()
"""
WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


class Disturbed:
    """A group of a service on PostgreSQL, and its database beside it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.place = make_place(service.connect())
        self._beside = psycopg.connect(str(service.place), autocommit=True)

    def disturb(self, times: int, seconds: float = 0.0) -> None:
        """Let the next so many transactions be taken back, those after the first after a time."""
        self._beside.execute(DISTURB.format(times=times, seconds=seconds).encode())

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._beside.execute(sql.encode(), values).fetchall()

    def tries(self) -> int:
        """Return how many transactions have come as far since."""
        ((last,),) = self.ask("SELECT last_value FROM tries")
        return int(last)

    def audited(self, request_id: str) -> int:
        sql = "SELECT count(*) FROM audit WHERE encode(request_id, 'hex') = %s"
        ((count,),) = self.ask(sql, request_id.replace("-", ""))
        return int(count)


@pytest.fixture(scope="module")
def disturbed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disturbed]:
    url = cluster.migrated()
    # It looks for a deadlock once, so long after a wait began: by then the test must have made one.
    # More than ten seconds would be more than the service waits for a lock.
    cluster.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET deadlock_timeout = '5s'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "database_of", staticmethod(lambda _: url))
        with running_service(tmp_path_factory.mktemp("disturbed") / "data", *LEAN) as service:
            yield Disturbed(service)


@pytest.fixture
def place(disturbed: Disturbed) -> Place:
    """An empty group, of which nothing is taken back yet."""
    disturbed.disturb(0)
    return make_place(disturbed.place.caller)


def test_a_deadlock_is_done_again(disturbed: Disturbed, place: Place) -> None:
    """The other one has the group and wants the tenant, the service has these the other way."""
    given, request_id = persona(), uid()
    with (
        psycopg.connect(str(disturbed.service.place)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("SET deadlock_timeout = '1h'")  # so it is not the one that is ended
        other.execute("SELECT 1 FROM persona_group FOR UPDATE")
        called = pool.submit(place.create, given, request_id)
        eventually(lambda: disturbed.ask(WAITING))
        other.execute("SELECT 1 FROM tenant FOR UPDATE")
        assert not called.done()
        other.rollback()
        made = called.result()
    assert place.walk() == [made]
    assert disturbed.audited(request_id) == 1
    eventually(lambda: tracebacks(disturbed.service, "DeadlockDetected"))


def tracebacks(service: Service, error: str) -> list[dict[str, Any]]:
    """Return the lines of the log that say that a transaction is tried again, for an error."""
    lines = [line for line in list(service.log) if "is tried again" in line["message"]]
    return [line for line in lines if error in line["traceback"]]


def test_a_call_is_done_again_as_it_came(disturbed: Disturbed, place: Place) -> None:
    """Nothing is left of the tries that were taken back, such as an id or a time."""
    disturbed.disturb(TRIES - 1)
    request_id = uid()
    made = place.create(persona(), request_id)
    assert disturbed.tries() == TRIES
    assert place.walk() == [made] == [place.create(persona(), request_id)]
    disturbed.disturb(1)
    request = pb.CreatePersonaRequest(**place.ids, persona=persona(), validate_only=True)
    tried = place.caller.personas.CreatePersona(request).persona
    assert disturbed.tries() == 2
    assert tried.full_name == persona().full_name
    assert not tried.id


def test_a_batch_of_an_import_is_done_again(disturbed: Disturbed, place: Place) -> None:
    importer = Importer(place, 2, 20)
    disturbed.disturb(TRIES - 1)
    assert importer.run(place.caller), importer.error
    assert disturbed.tries() == TRIES + 1
    assert [one.full_name for one in place.walk()] == importer.names(2)
    assert place.count() == 40


def test_what_is_taken_back_at_every_try_is_aborted(disturbed: Disturbed, place: Place) -> None:
    disturbed.disturb(1000)
    request_id = uid()
    with refused("CONCURRENT_CHANGE", grpc.StatusCode.ABORTED) as refusal:
        place.create(persona(), request_id)
    assert refusal.problem.retry
    assert disturbed.tries() == TRIES
    importer = Importer(place, 1, 20)
    assert not importer.run(place.caller)
    assert importer.error is not None
    assert importer.error.code() is grpc.StatusCode.ABORTED
    disturbed.disturb(0)
    assert (place.count(), place.walk(), disturbed.audited(request_id)) == (0, [], 0)
    assert place.create(persona(), request_id) == place.walk()[0]


def test_a_deadline_ends_the_tries(disturbed: Disturbed, place: Place) -> None:
    disturbed.disturb(1000, seconds=600)
    request = pb.CreatePersonaRequest(**place.ids, persona=persona())
    known = len(created(disturbed.service))
    with pytest.raises(grpc.RpcError) as ended:  # when the first try is over, also beside others
        place.caller.personas.CreatePersona(request, timeout=8.0)
    error: Any = ended.value
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    late = "DEADLINE_EXCEEDED"  # after the lines of calls before, which may be on their way
    eventually(lambda: late in [line["code"] for line in created(disturbed.service)[known:]])
    assert disturbed.tries() == 2
    assert place.walk() == []


def created(service: Service) -> list[dict[str, Any]]:
    return [line for line in list(service.log) if line.get("method") == "CreatePersona"]
