"""Several workers behind one port: the same answers from each, whichever of them ends."""

import errno
import itertools
import os
import resource
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from persona.v1.persona_pb2 import Persona
from persona.v1.response_service_pb2 import VoidResponsesRequest
from persona_server.storage.engine.folder import FILE_NAME
from support.answers import answer, record
from support.data import Place, make_place, persona, uid
from support.dbfile import reading
from support.errors import problem_of
from support.importer import LEAN
from support.operating.workers import COUNT, FLAGS, caller_of, kill, pid_of, serving
from support.service import PERSONA, Service, running_service
from support.waiting import LIMIT, eventually

WORKERS = range(COUNT)
NOT_CONNECTED = "failed to connect to all addresses"  # as gRPC says it, before anything was sent
REFUSED = {"SHUTTING_DOWN", ""}  # why calls fail at a worker that stops, or find none any more


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("crew") / "data", *FLAGS) as service:
        yield service


def places_of(service: Service, tenant: str) -> list[Place]:
    """Return one group, as each worker shows it."""
    token = service.token(tenant)
    callers = [caller_of(service, number, token) for number in WORKERS]
    made = make_place(callers[0])
    return [Place(caller, made.project, made.group) for caller in callers]


def test_what_one_worker_has_done_another_shows_at_once(crew: Service) -> None:
    first, second = places_of(crew, "same")
    made = [first.create(persona(full_name=f"Person {i}")) for i in range(3)]
    assert second.page(page_size=2).personas == made[:2]
    assert second.page(page_size=2) == first.page(page_size=2)  # kept by both from now on
    token = first.page(page_size=2).next_page_token
    assert second.page(page_size=2, page_token=token).personas == made[2:]
    first.delete(made[0].id)
    assert second.page(page_size=2) == first.page(page_size=2)
    assert second.page(page_size=2).personas == made[1:]
    assert first.delete_all() == 2
    assert second.walk() == []


def test_a_retry_at_another_worker_is_one_effect(crew: Service) -> None:
    first, second = places_of(crew, "again")
    request_id = uid()
    made = first.create(persona(), request_id)
    assert second.create(persona(), request_id) == made
    with ThreadPoolExecutor(20) as pool:
        request_id = uid()
        both = [first, second] * 10
        answers = list(pool.map(lambda place: place.create(persona(), request_id), both))
    assert answers == answers[:1] * 20
    assert second.count() == 2


def test_each_has_a_core_and_its_lines_say_which_it_is(crew: Service) -> None:
    cores = sorted(os.sched_getaffinity(0))
    for number in WORKERS:
        assert os.sched_getaffinity(pid_of(crew, number)) == {cores[number % len(cores)]}
        caller = caller_of(crew, number, token := crew.token("lines"))
        assert serving(crew, caller, token) == number


def test_rest_is_served_by_all(crew: Service) -> None:
    token = crew.token("rest")

    def workers() -> bool:
        request = urllib.request.Request(f"{crew.rest}/api/v1/projects")
        request.add_header("Authorization", f"Bearer {token}")
        urllib.request.urlopen(request).read()
        served = [line for line in crew.log if line.get("tenant") == "rest"]
        return {line["worker"] for line in served} == set(WORKERS)

    eventually(workers)


def ended(data: Path, port: str, *flags: str) -> str:
    """Return why a service does not start."""
    command = [str(PERSONA), "serve", "--data", str(data), "--listen", port, *flags]
    command += ["--rest", "off", "--metrics", "off"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    return run.stderr


@pytest.mark.parametrize("flags", [(), FLAGS], ids=["alone", "workers"])
def test_a_second_service_does_not_get_the_port(
    crew: Service, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    assert os.strerror(errno.EADDRINUSE) in ended(tmp_path / "other", crew.grpc, *flags)


@pytest.mark.sqlite("its folder is one service's")
def test_a_second_service_does_not_get_the_folder(crew: Service) -> None:
    why = ended(crew.data, "127.0.0.1:0", *FLAGS)
    assert f"Another server (process {crew.process.pid})" in why


def figures(service: Service) -> dict[str, float]:
    page = urllib.request.urlopen(service.metrics).read().decode()
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def counted(service: Service) -> float:
    return figures(service).get('persona_rpc_total{code="OK",method="CreatePersona"}', 0.0)


def test_metrics_are_those_of_all_and_never_fall(crew: Service) -> None:
    before = counted(crew)
    for place, calls in zip(places_of(crew, "metrics"), (3, 4), strict=True):
        for _ in range(calls):
            place.create(persona())
    eventually(lambda: counted(crew) == before + 7)
    seconds = 'persona_rpc_seconds_bucket{le="+Inf",method="CreatePersona"}'
    assert figures(crew)[seconds] == before + 7
    kill(crew, 0)
    assert counted(crew) == before + 7
    places_of(crew, "metrics")[0].create(persona())  # by the one in its place
    eventually(lambda: counted(crew) == before + 8)


def test_one_of_them_runs_the_jobs_and_one_that_lives_when_it_is_gone(crew: Service) -> None:
    def settled() -> list[int]:
        return [line["worker"] for line in crew.log if line["message"] == "voided"]

    def void_one() -> None:
        place = make_place(crew.connect(crew.token("jobs")))
        simulation = uid()
        record(place.caller, simulation, answer(place.create(persona()).id))
        void = VoidResponsesRequest(simulation_id=simulation, reason="x")
        place.caller.responses.VoidResponses(void)
        place.caller.close()

    void_one()
    (first,) = eventually(settled)
    kill(crew, first)
    void_one()
    eventually(lambda: len(settled()) == 2)  # by the other one, or by that in its place
    assert settled()[0] == first


class Writer:
    """Creates personas at one worker, again at another connection when that breaks."""

    def __init__(self, service: Service, place: Place, number: int, token: str) -> None:
        self.done: list[Persona] = []
        self.broken = 0
        self._service, self._token = service, token
        self._place = Place(caller_of(service, number, token), place.project, place.group)

    def write(self, until: int, over: threading.Event) -> None:
        """Go on until so many are acknowledged, and what happens meanwhile is over."""
        request_id, wanted = uid(), persona(id=uid())
        while len(self.done) < until or not over.is_set():
            try:
                self.done.append(self._place.create(wanted, request_id))
                request_id, wanted = uid(), persona(id=uid())
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                self.broken += 1
                self._place.caller.close()
                caller = self._service.connect(self._token)
                self._place = Place(caller, self._place.project, self._place.group)


def test_a_worker_killed_under_writes(data: Path) -> None:
    """Nobody else's call fails, nothing that was acknowledged is lost, and nothing there twice."""
    with running_service(data, *FLAGS, *LEAN) as service:
        token = service.token()
        place = make_place(caller_of(service, 1, token))
        pid = pid_of(service, 0)
        writers = [Writer(service, place, number, token) for number in WORKERS]
        over = threading.Event()
        with ThreadPoolExecutor(COUNT) as pool:
            written = [pool.submit(writer.write, 150, over) for writer in writers]
            try:
                eventually(lambda: all(len(writer.done) > 20 for writer in writers))
                kill(service, 0)
            finally:
                over.set()
            for one in written:
                one.result()
        assert [writer.broken > 0 for writer in writers] == [True, False]
        done = {one.id for writer in writers for one in writer.done}
        assert place.count() == len(done) == sum(len(writer.done) for writer in writers)
        assert {one.id for one in place.walk()} == done
        eventually(lambda: pid_of(service, 0) != pid)  # replaced, and it serves
        caller_of(service, 0, token).close()
    with reading(data) as file:
        made = [row for row in file.audit("local") if row.method == "CreatePersona"]
        assert len(made) == len({row.request_id for row in made}) == len(done)


def test_a_worker_that_stands_still_is_replaced(data: Path) -> None:
    """It would be given calls for good, which nobody answers."""
    with running_service(data, *FLAGS, *LEAN) as service:
        pid = pid_of(service, 0)
        os.kill(pid, signal.SIGSTOP)
        eventually(lambda: pid_of(service, 0) != pid)
        assert make_place(caller_of(service, 0, service.token())).create(persona()).id
        (line,) = [line for line in service.log if "stood still" in line["message"]]
        assert (line["worker"], line["code"]) == (0, -signal.SIGKILL)


def create_until_refused(
    place: Place, busy: threading.Event, over: Callable[[], bool] = lambda: False
) -> tuple[int, str]:
    """Create personas until that is refused; return how many there are, and the reason.

    There is none where it was `over` before, nor where the worker had closed its port by the next
    call, which so did not come to anybody.
    """
    for done in itertools.count():
        if over():
            return done, ""
        try:
            place.create(persona())
        except grpc.RpcError as error:
            call: Any = error
            return done, "" if NOT_CONNECTED in call.details() else problem_of(error).reason
        busy.set()
    raise AssertionError


def test_a_stop_drains_all_of_them(data: Path) -> None:
    with running_service(data, *FLAGS, *LEAN) as service, ThreadPoolExecutor(COUNT) as pool:
        places = places_of(service, "local")
        events = [threading.Event() for _ in places]
        working = [
            pool.submit(create_until_refused, *one) for one in zip(places, events, strict=True)
        ]
        assert all(event.wait(LIMIT) for event in events)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(LIMIT) == 0
        ends = [one.result() for one in working]
    assert {reason for _, reason in ends} <= REFUSED
    with reading(data) as file:
        assert file.visible("local") == sum(done for done, _ in ends)


def test_a_worker_that_is_told_to_stop_drains_and_is_replaced(crew: Service) -> None:
    first, second = places_of(crew, "one")
    pid, event = pid_of(crew, 0), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        # Once there is another, it may be that which the connection leads to now.
        working = pool.submit(create_until_refused, first, event, lambda: pid_of(crew, 0) != pid)
        assert event.wait(LIMIT)
        os.kill(pid, signal.SIGTERM)
        while pid_of(crew, 0) == pid:
            second.create(persona())  # which fails in nothing
        assert working.result()[1] in REFUSED


def test_a_worker_that_can_not_be_replaced_now_is_replaced_later(data: Path) -> None:
    with running_service(data, *FLAGS, *LEAN) as service:
        pid, parent = pid_of(service, 0), service.process.pid
        service.printed("data")  # it has no file to open any more
        soft, hard = resource.prlimit(parent, resource.RLIMIT_NOFILE)
        resource.prlimit(parent, resource.RLIMIT_NOFILE, (3, hard))
        kill(service, 0)
        eventually(lambda: any("can't be started" in line["message"] for line in service.log))
        resource.prlimit(parent, resource.RLIMIT_NOFILE, (soft, hard))
        eventually(lambda: pid_of(service, 0) != pid)
        assert make_place(caller_of(service, 0, service.token())).create(persona()).id


def test_one_in_the_place_of_another_has_the_settings_of_the_start(data: Path) -> None:
    """Whatever stands in the file by then: that is for the next start."""
    file = data.with_name("persona.toml")
    file.write_text("")
    with running_service(data, "--config", str(file), *FLAGS, *LEAN) as service:
        pid = pid_of(service, 0)
        file.write_text("log_level = 'no such'\n")
        kill(service, 0)
        eventually(lambda: pid_of(service, 0) != pid)
        assert make_place(caller_of(service, 0, service.token())).create(persona()).id
        assert not [line for line in service.log if "could not start" in line["message"]]


@pytest.mark.sqlite("its file")
def test_none_comes_to_a_file_that_lies_in_the_place_of_its_own(data: Path) -> None:
    """What it wrote there would be lost with the log of the one that was there before."""
    with running_service(data, *FLAGS, *LEAN) as service:
        place = make_place(caller_of(service, 1, service.token()))
        other = data.with_name("other")
        with running_service(other, *LEAN):
            pass
        own = data / FILE_NAME
        own.rename(data / "own")
        (other / FILE_NAME).rename(own)
        kill(service, 0)
        (line, *_) = eventually(
            lambda: [line for line in service.log if "could not start" in line["message"]]
        )
        assert "is not the file that the service was started with" in line["reason"]
        with pytest.raises(grpc.RpcError) as refused:
            place.create(persona())
        assert problem_of(refused.value).reason == "DATABASE_UNAVAILABLE"
        (data / "own").rename(own)
        caller = caller_of(service, 0, service.token())
        assert Place(caller, place.project, place.group).create(persona()).id


def test_figures_say_that_nobody_serves(data: Path) -> None:
    with running_service(data, *FLAGS, *LEAN) as service:
        assert figures(service)["persona_serving"] == COUNT
        soft, hard = resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE)
        service.printed("data")  # it has no file to open any more
        resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (3, hard))
        for number in WORKERS:
            kill(service, number)
        resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
        found = figures(service)["persona_serving"]
        assert found < COUNT


def test_workers_end_with_their_parent(data: Path) -> None:
    with running_service(data, *FLAGS, *LEAN) as service:
        pids = [pid_of(service, number) for number in WORKERS]
        service.kill()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
    with running_service(data, *LEAN) as service:  # and hold its folder no more
        assert service.process.poll() is None
