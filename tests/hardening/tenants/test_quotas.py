"""Quotas: refused with what is used up and when to come again, by values that tenants have."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from persona.v1 import persona_service_pb2 as pb
from persona_server.storage.erasure.people import OPERATOR
from support.answering.references import chosen, refer
from support.answers import answer, record
from support.attacks import silent
from support.data import Place, make_place, persona, uid
from support.dbfile import reading
from support.errors import Problem, problem_of, refusal_of
from support.importer import LEAN
from support.service import PERSONA, Service, naming, running_service
from support.streams import Import, begun
from support.waiting import eventually

GET = "/persona.v1.PersonaService/GetPersona"
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def tenants(data: Path, *arguments: str) -> str:
    """Run `persona tenants` on the database of a service; return what it prints."""
    command = [str(PERSONA), "tenants", *arguments, *naming(data)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of quotas of tenants' own, which a test can use up at any pace of the machine."""
    data = tmp_path_factory.mktemp("quotas") / "data"
    with running_service(data, *LEAN):
        pass
    tenants(data, "set", "own", "bytes_per_second=20000", "streams=1")
    tenants(data, "set", "full", "stored_bytes=20000")
    tenants(data, "set", "busy", "calls_per_second=5")
    with running_service(data, *LEAN) as service:
        yield service


def place_of(service: Service, tenant: str) -> Place:
    return make_place(service.connect(service.token(tenant)))


def assert_exceeded(problem: Problem, quota: str, limit: int) -> None:
    assert (problem.code, problem.reason, problem.retry) == (EXHAUSTED, "QUOTA_EXCEEDED", True)
    assert problem.metadata == {"quota": quota, "limit": str(limit)}


def crowd(call: Callable[[], object], count: int) -> list[Problem]:
    """Make a call this many times at once; return why calls were refused."""

    def one(_: int) -> Problem | None:
        try:
            call()
        except grpc.RpcError as error:
            return problem_of(error)
        return None

    with ThreadPoolExecutor(count) as pool:
        return [problem for problem in pool.map(one, range(count)) if problem]


def test_calls_a_second(small: Service) -> None:
    place, other = place_of(small, "busy"), place_of(small, "calm")
    for problem in eventually(lambda: crowd(place.count, 16)):
        assert_exceeded(problem, "calls_per_second", 5)
    assert other.count() == 0


def test_a_refusal_that_is_held_back_counts_no_more_once_it_is_over(tmp_path: Path) -> None:
    """Else a tenant that asked too often would be locked out by calls that ended long ago."""
    limits = ("--quota-calls-per-second", "5", "--quota-concurrent-calls", "150")
    with running_service(tmp_path / "data", *LEAN, *limits) as service:
        place = place_of(service, "busy")
        problems: list[Problem] = []
        while len(problems) <= 1000:  # of which an address gets 400 at once
            more = crowd(place.count, 100)
            assert more, "five calls a second are not a hundred"
            problems += more
    assert {problem.metadata["quota"] for problem in problems} == {"calls_per_second"}


def test_calls_that_are_taken_back_before_their_message_count_no_more(tmp_path: Path) -> None:
    """Of a tenant's messages five are received at once: the other calls wait in a queue."""
    with running_service(tmp_path / "data", *LEAN, "--quota-concurrent-calls", "30") as service:
        place, token = place_of(service, "busy"), service.token("busy")
        other = place_of(service, "calm")
        for _ in range(4):
            with silent.connected(service.grpc, 1) as (connection,):
                held = silent.headers_only(connection, GET, token, 20)
                for _ in range(20):  # by then the server has them
                    connection.pump()
                    other.count()
                for stream in held:
                    connection.reset(stream)
                connection.pump()
                place.count()

        def ended() -> int:
            return sum(1 for line in service.log if line.get("method") == "GetPersona")

        eventually(lambda: ended() == 80)


def test_bytes_a_second_of_its_own(small: Service) -> None:
    place, other = place_of(small, "own"), place_of(small, "calm")
    place.fill(200, digital_habits="x" * 100)
    assert_exceeded(refusal_of(place.count), "bytes_per_second", 20_000)
    other.fill(200, digital_habits="x" * 100)
    assert other.count() == 200


def again(service: Service, place: Place, tenant: str) -> Place:
    """Return a place as another service of the same data has it."""
    return Place(service.connect(service.token(tenant)), place.project, place.group)


def test_an_export_goes_by_the_bytes_of_its_tenant(tmp_path: Path) -> None:
    """Though it is one call, and one large answer may be paid off later."""
    data, rate = tmp_path / "data", 400_000
    with running_service(data, *LEAN) as service:
        place = place_of(service, "own")
        for _ in range(4):
            place.fill(1000, digital_habits="x" * 300)
        other = place_of(service, "calm")
        other.fill(10)
    tenants(data, "set", "own", f"bytes_per_second={rate}")
    with running_service(data, *LEAN) as service:
        place, other = (again(service, *one) for one in ((place, "own"), (other, "calm")))
        began, sizes = time.monotonic(), []
        request = pb.ExportPersonasRequest(**place.ids)
        for message in place.caller.personas.ExportPersonas(request):
            sizes.append(message.ByteSize())
            assert other.count() == 10
        assert sum(sizes[:-1]) > 2 * rate
        # A second's worth is free, and so is what is over it in one message.
        assert time.monotonic() - began > (sum(sizes[:-1]) - rate) / rate


def test_an_export_that_would_wait_for_too_long_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_service(data, *LEAN) as service:
        place = place_of(service, "own")
        for _ in range(4):
            place.fill(1000, digital_habits="x" * 300)
    tenants(data, "set", "own", "bytes_per_second=1000")
    with running_service(data, *LEAN) as service:
        place = again(service, place, "own")
        assert_exceeded(refusal_of(place.export), "bytes_per_second", 1000)


def test_streams_of_its_own(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_service(data, *LEAN):
        pass
    tenants(data, "set", "own", "streams=1")
    with running_service(data, *LEAN) as service:
        place = place_of(service, "own")
        stream = begun(place)
        problem = refusal_of(lambda: begun(place))
        assert (problem.code, problem.reason) == (EXHAUSTED, "TOO_MANY_STREAMS")
        assert problem.retry
        assert problem.metadata["quota"] == "streams"
        assert problem.metadata["limit"] == "1"
        stream.end()


def test_the_command_shows_what_is_set_and_takes_it_back(small: Service) -> None:
    assert "bytes_per_second  20000\n" in tenants(small.data, "quotas", "own")
    shown = json.loads(tenants(small.data, "quotas", "own", "--json"))
    assert (shown["bytes_per_second"], shown["streams"], shown["stored_bytes"]) == (20_000, 1, None)
    tenants(small.data, "set", "shown", "streams=3")
    with reading(small.data) as file:
        sql = "SELECT method, actor FROM audit JOIN tenant ON tenant.id = tenant_id WHERE name = ?"
        assert file.rows(sql, "shown") == [("SetQuotas", OPERATOR)]
    assert "streams  3\n" in tenants(small.data, "quotas", "shown")
    tenants(small.data, "set", "shown", "streams=default")
    shown = tenants(small.data, "quotas", "shown")
    assert "streams  default (--quota-streams of the server)\n" in shown


@pytest.mark.parametrize(
    "wrong", ["calls=1", "calls_per_second", "calls_per_second=0", "calls_per_second=x"]
)
def test_what_is_no_quota_is_refused(small: Service, wrong: str) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        tenants(small.data, "set", "own", wrong)
    assert failed.value.returncode == 2
    assert "persona: " in failed.value.stderr


def test_stored_bytes(small: Service) -> None:
    """Nothing of what is beyond is there; what was refused can be had where there is room."""
    place = place_of(small, "full")
    kept = place.fill(10, digital_habits="x" * 1500)
    more = [persona(full_name=f"More {i}", digital_habits="x" * 1500) for i in range(5)]
    assert_exceeded(refusal_of(lambda: place.batch(more)), "stored_bytes", 20_000)
    assert place.count() == len(kept)
    long = answer(kept[0].id, text="y" * 9_000)
    problem = refusal_of(lambda: record(place.caller, uid(), long))
    assert_exceeded(problem, "stored_bytes", 20_000)
    options = [str(i) * 100 for i in range(100)]
    problem = refusal_of(lambda: refer(place, chosen(kept[0].id, options, options[0])))
    assert_exceeded(problem, "stored_bytes", 20_000)
    stream = Import(place)
    stream.begin()
    problem = refusal_of(lambda: stream.batch(1, more))
    assert problem.metadata == {
        "quota": "stored_bytes",
        "limit": "20000",
        "committed_sequence": "0",
        "added_count": "0",
    }
    place.batch(more[:1])
