"""R12: a service that has no file descriptor left still answers those who are connected."""

import multiprocessing
import resource
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from support.attacks.silent import connected, pump_for
from support.data import make_place, persona
from support.importer import LEAN
from support.service import Service, running_service
from support.waiting import eventually

CALLERS = 40  # at once: more than any pool has threads


def test_no_descriptor_is_needed_after_the_start(own: Service) -> None:
    """Each thread of the pools has its connection to the database before it is needed."""
    place = make_place(own.connect())
    pid = own.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, hard))
    try:
        with ThreadPoolExecutor(CALLERS) as callers:
            made = list(callers.map(lambda _: place.create(persona()), range(CALLERS)))
            assert list(callers.map(place.get, [one.id for one in made])) == made
            exports = list(callers.map(lambda _: place.export(), range(8)))
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
    assert [sum(len(chunk.personas) for chunk in each) for each in exports] == [CALLERS] * 8
    assert not [line for line in own.log if line.get("level") == "error"]


def test_the_soft_limit_is_raised_at_start(data: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(soft, 512)
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    try:
        service = Service(data, *LEAN)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        assert resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
        line = next(each for each in service.log if each["message"] == "limit of open files")
        assert (line["limit"], line["before"]) == (hard, low)
    finally:
        service.stop()


FILES, ROOM = (
    400,
    200,
)  # of a service: its limit of open files, and what that leaves for connections


def test_connections_are_taken_as_far_as_there_are_files(data: Path) -> None:
    limit = (resource.RLIMIT_NOFILE, (FILES, FILES))  # of a process of its own: it can't be undone
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, resource.setrlimit, limit) as pool:
        assert pool.submit(_closed_of_too_many, data, 30).result() >= 30


def _closed_of_too_many(data: Path, more: int) -> int:
    """Return how many connections are closed of as many as there is room for and some more."""
    with running_service(data, *LEAN) as service:
        place = make_place(service.connect())
        made = place.create(persona())
        with connected(service.grpc, ROOM + more) as connections:

            def closed() -> int:
                pump_for(connections, 0.05)
                found = sum(1 for one in connections if one.closed)
                return found if found >= more else 0

            found = eventually(closed)
            assert place.get(made.id) == made
            return found
