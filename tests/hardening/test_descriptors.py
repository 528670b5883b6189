"""R12: a service that has no file descriptor left still answers those who are connected."""

import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.data import make_place, persona
from support.importer import LEAN
from support.service import Service

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
