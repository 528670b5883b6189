"""R21: over a long mixed run memory, threads, open files and the database's log stay flat."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, count
from operator import attrgetter
from pathlib import Path
from statistics import median

import pytest
from rest.routes import ROUTES

from persona_server.storage.engine.folder import FILE_NAME
from support.attacks.beside import calm
from support.peers.soaking import Callers, Held, held
from support.processes import children
from support.rpcs import METHODS
from support.service import Service, running_service

# Seconds of the long form, between two of its looks, and of a look: by then the gateway, which does
# so each minute, has given back what is free. Nobody calls meanwhile, so nothing is on its way.
SECONDS, APART, LOOK = 7200, 300, 61
FEWEST, STEPS = 16, 50  # rounds of the short form, each with a look, and steps of each
WARM_UP = 1 / 3  # until every thread has worked, and what is kept has its place
AN_HOUR = 1 << 20  # bytes that a process may grow by in an hour of the long form
# … and in the whole short form, in which both still take what they keep for themselves.
SERVER_ROOM, GATEWAY_ROOM = 5 << 20, 8 << 20
LEAVING = 4  # threads and files that a look may find of those who have just left
LONGEST_LOG = 64 << 20


@pytest.fixture
def service(data: Path) -> Iterator[Service]:
    """A service of this test alone, with its gateway, that purges and promotes by itself."""
    flags = ("--grace", "1.5", "--retention", "60", "--promotion", "automatic")
    with running_service(data, *flags) as running:
        yield running


@pytest.mark.sqlite("its log")
def test_nothing_grows_in_a_long_run(service: Service, rounds: Callable[[int, int], int]) -> None:
    callers, seconds = Callers(service), rounds(0, SECONDS)
    server, gateway = soaked(service, callers, seconds)
    for looks, room in ((server, SERVER_ROOM), (gateway, GATEWAY_ROOM)):
        begun = int(len(looks) * WARM_UP)
        seen = "\n".join(told(looks))
        if seconds:
            assert risen_an_hour(looks[begun:]) <= AN_HOUR, seen
        else:
            assert risen(looks[begun:]) <= room, seen
        assert most_open(looks[begun:]) <= most_open(looks[:begun]) + LEAVING, seen
    assert callers.longest < LONGEST_LOG
    endings = ("", "-shm", "-wal", ".lock")
    assert {each.name for each in service.data.iterdir()} == {FILE_NAME + end for end in endings}
    called = +callers.done  # without what never went well
    assert {("grpc", method.name) for method in METHODS} <= called.keys()
    assert {("rest", route.name) for route in ROUTES} <= called.keys()


def soaked(service: Service, callers: Callers, seconds: float) -> tuple[list[Held], list[Held]]:
    """Return what the server and its gateway held at each look, for so many seconds."""
    pids, ends = (service.process.pid, gateway_of(service)), time.monotonic() + seconds
    apart, look = (APART, LOOK) if seconds else (0, 0)
    looks: list[tuple[Held, Held]] = []
    rounds = count()
    while len(looks) < FEWEST or time.monotonic() < ends:
        due = time.monotonic() + apart
        callers.round(next(rounds), STEPS)
        while time.monotonic() < due:
            callers.round(next(rounds), STEPS)
        calm(pids[0])  # those of who has left are let go a moment later
        looks.append(least_held(pids, look))
    return [one for one, _ in looks], [other for _, other in looks]


def least_held(pids: tuple[int, int], seconds: float) -> tuple[Held, Held]:
    """Look at two processes for so many seconds, and return when each held least memory."""
    ends = time.monotonic() + seconds
    one, other = map(held, pids)
    while time.monotonic() < ends:
        time.sleep(0.1)
        one, other = (
            min(least, held(pid), key=attrgetter("memory"))
            for least, pid in zip((one, other), pids, strict=True)
        )
    return one, other


def gateway_of(service: Service) -> int:
    """Return the process of a service's gateway."""
    (gateway,) = children(service.process.pid)
    return gateway


def risen_an_hour(looks: Sequence[Held]) -> float:
    """Return how many bytes of memory an hour were added, as the median of each two looks has it.

    What a few looks found by chance does not move it (Theil and Sen).
    """
    slopes = ((b.memory - a.memory) / (b.at - a.at) for a, b in combinations(looks, 2))
    return median(slopes) * 3600


def risen(looks: Sequence[Held]) -> int:
    """Return how much more memory was held in the later half than in the earlier one, at least."""
    half = len(looks) // 2
    earlier, later = (min(look.memory for look in part) for part in (looks[:half], looks[half:]))
    return later - earlier


def told(looks: Sequence[Held]) -> list[str]:
    """Return of each look when it was, how much memory was held, and how much was open."""
    return [
        f"minute {(look.at - looks[0].at) / 60:.1f}: {look.memory / (1 << 20):.1f} MiB, "
        f"{look.threads + look.files} threads and files"
        for look in looks
    ]


def most_open(looks: Sequence[Held]) -> int:
    """Return how many threads and open files there were together, at most."""
    return max(look.threads + look.files for look in looks)
