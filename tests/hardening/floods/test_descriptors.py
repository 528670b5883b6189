"""R12: without a file descriptor left who is connected is answered; and a crowd leaves some."""

import multiprocessing
import resource
import urllib.request
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from persona_server.transport.entrance.crowding import FULL
from support.attacks import silent
from support.attacks.frames import Connection
from support.attacks.silent import connected, pump_for
from support.data import make_place, persona
from support.importer import LEAN
from support.service import Service, running_service
from support.waiting import eventually

CALLERS = 40  # at once: more than any pool has threads
LOW, BEYOND = 512, 360  # a soft limit, and connections for which it would leave no room
FILES, ROOM = 400, 200  # of a service: its limit of open files, and what is left for connections
CROWD = "127.0.0.5"
SOON = 20.0  # seconds within which others are served again, on a slow machine
CHECK = "/grpc.health.v1.Health/Check"
T = TypeVar("T")


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
    """And connections are taken as far as the hard one has room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(soft, LOW)
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    try:
        service = Service(data, *LEAN)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        assert resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
        line = next(each for each in service.log if each["message"] == "limit of open files")
        assert (line["limit"], line["before"]) == (hard, low)
        with connected(service.grpc, BEYOND) as connections:
            assert all(silent.is_answered(one, CHECK) for one in connections)
    finally:
        service.stop()


def test_connections_are_taken_as_far_as_there_are_files(data: Path) -> None:
    assert limited(_closed_of_too_many, data, 30) >= 30


def test_a_crowd_of_one_address_leaves_places_for_others(data: Path) -> None:
    """Who is connected before, and who comes then, is served; the crowd comes again in vain."""
    limited(_serves_beside_a_crowd, data)


def limited(run: Callable[..., T], *arguments: object) -> T:
    """Run something in a process of its own with few files: the limit can't be undone."""
    limit = (resource.RLIMIT_NOFILE, (FILES, FILES))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, resource.setrlimit, limit) as pool:
        return pool.submit(run, *arguments).result()


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


def _serves_beside_a_crowd(data: Path) -> None:
    with running_service(data) as service, ExitStack() as opened:
        place = make_place(service.connect())
        made = place.create(persona())
        crowd: list[Connection] = []
        for _ in range(2):  # what was closed comes again
            crowd += silent.idle(service.grpc, ROOM + 10 - len(crowd), CROWD)
            for one in crowd:
                opened.callback(one.close)
            eventually(lambda: _is_served(service), SOON)
            pump_for(crowd, 0.1)
            for one in crowd:
                if one.closed:
                    one.close()  # this process has as few files as the service
            crowd = [one for one in crowd if not one.closed]
            assert len(crowd) <= ROOM * FULL
        assert place.get(made.id) == made
        # It has filled the room that was made, so it is kept out.
        eventually(lambda: not silent.idle(service.grpc, 1, CROWD), SOON)


def _is_served(service: Service) -> bool:
    """Return whether health and REST answer somebody who was not there before."""
    try:
        with connected(service.grpc, 1) as (one,):
            if not silent.is_answered(one, CHECK):
                return False
        with urllib.request.urlopen(f"{service.rest}/readyz", timeout=SOON) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False
