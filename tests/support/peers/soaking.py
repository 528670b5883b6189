"""What callers do to a service that lives long, round after round, and what it holds meanwhile.

A round is part of a random walk, of which most calls miss, good calls of some RPCs, by gRPC and by
REST, a crowd that reads at once, and callers who leave in the middle. All of them have connections
of their own, and are gone when it is over. In sixteen rounds each RPC is called well by both.
"""

import contextlib
import random
import socket
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rest.routes import ROUTES, Route
from rest.wire import Rest

from persona.v1 import project_service_pb2 as projects_pb
from persona_server.storage.engine.folder import FILE_NAME
from persona_server.transport.methods import Method
from support.data import Place, make_place, uid
from support.requests.walk import Walk
from support.requests.world import World
from support.rpcs import BY_NAME, METHODS, Answer, bearer, exchange, send
from support.service import OPTIONS, Caller, Service
from support.streams import begun

ACTORS = ("alice", "bob")
TENANTS = 8  # in turn, so that what is kept of each has its place early
ROUNDS = 10  # of one walk: then there is something that its calls meet
BY_REST = 0.25  # the share of its calls
PARTS = 8  # of all RPCs, one in each round
CROWD, EACH = 40, 4  # callers at once, more than any pool has threads, and the reads of each
STREAMS = 8  # at once, as many as a tenant may have
OWN = (*OPTIONS, ("grpc.use_local_subchannel_pool", 1))  # else callers would share a connection
FAULTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS)


class Held(NamedTuple):
    """What a process holds at a time, in seconds: bytes of memory, threads, open files."""

    at: float
    memory: int
    threads: int
    files: int


def held(pid: int) -> Held:
    """Look at a process. Its memory is its own: without the pages of files that it has mapped."""
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    memory, threads = (int(status[name].split()[0]) for name in ("RssAnon", "Threads"))
    return Held(time.monotonic(), memory << 10, threads, len(list((process / "fd").iterdir())))


class Visit:
    """The callers of one tenant in one round: by gRPC without a token or with it, and by REST."""

    def __init__(self, service: Service, token: str) -> None:
        self.token = token
        self.metadata = bearer(token)
        self.bare, self.caller, self.other = (
            Caller(service.grpc, given, OWN) for given in ("", token, token)
        )
        self.rest = Rest(service.rest, token)

    def close(self) -> None:
        """Let all of them go."""
        for one in (self.bare, self.caller, self.other):
            one.close()


class Callers:
    """All who call a service. `done` counts the calls that went well, by form and RPC.

    `longest` is the length in bytes that the log of the database had.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._log = service.data / f"{FILE_NAME}-wal"
        self._walk = Walk(0, ACTORS)
        self.done: Counter[tuple[str, str]] = Counter()
        self.longest = 0

    def round(self, number: int, steps: int) -> None:
        """Make a round, of so many steps of the walk; by its number it is another than the last."""
        turn, old = divmod(number, ROUNDS)
        if not old:
            self._walk = Walk(turn, ACTORS)
        token = self._service.token(f"tenant-{turn % TENANTS}")  # anew: it lives for an hour
        with contextlib.closing(Visit(self._service, token)) as visit:
            self._go(visit, random.Random(number), steps)
            self._call_well(visit, *divmod(number, PARTS))
            place = make_place(visit.caller)
            place.fill(20)
            crowd(visit, place)
            leave(visit, place)
            leave_rest(visit)
        urllib.request.urlopen(self._service.metrics, timeout=20).read()
        self._read_log()

    def _go(self, visit: Visit, chance: random.Random, steps: int) -> None:
        """Go on with the walk, which learns from promotions by gRPC."""
        for _ in range(steps):
            _, method, messages = step = self._walk.step()
            by_rest = chance.random() < BY_REST and not method.name.startswith("Promote")
            answer = self._call(visit, method, messages, by_rest=by_rest)
            if answer is not None:
                self._walk.learn(step, answer)

    def _call_well(self, visit: Visit, turn: int, part: int) -> None:
        """Call a part of all RPCs, each about a project of its own; every other turn by REST."""
        for method in METHODS[part::PARTS]:
            request_id = uid() if method.has_request_id else ""
            messages = World(visit.caller).messages(method, request_id)
            self._call(visit, method, messages, by_rest=turn % 2 == 1)

    def _call(
        self, visit: Visit, method: Method, messages: list[Any], *, by_rest: bool
    ) -> Answer | None:
        """Call by REST, if it has the call, or by gRPC: then the answer is returned."""
        self.longest = max(self.longest, self._log.stat().st_size)
        route = route_of(method, messages[0]) if by_rest else None
        if route is not None:
            found = visit.rest.call(*route.filled(messages[0]))
            assert found.status < 500, (route, messages, found)
            self.done["rest", method.name] += found.status < 300
            return None
        answer = send(visit.bare.channel, method, messages, visit.metadata)
        assert answer.code not in FAULTS, (method, messages, answer.text)
        self.done["grpc", method.name] += answer.error is None
        return answer

    def _read_log(self) -> None:
        """Fail if the service has logged an error; forget what else it has logged."""
        log = self._service.log
        assert not [line for line in log if line.get("level") == "error"]
        log.clear()


def route_of(method: Method, request: Any) -> Route | None:
    """Return how REST makes a call; None if it does not."""
    named = [route for route in ROUTES if route.name == method.name]
    return next((r for r in named if all(getattr(request, name) for name in r.params)), None)


def crowd(visit: Visit, place: Place) -> None:
    """Let many read at once, on two connections."""

    def read(there: Place) -> None:
        for _ in range(EACH):
            assert len(there.page().personas) == 20

    both = [Place(caller, place.project, place.group) for caller in (visit.caller, visit.other)]
    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(read, both * (CROWD // 2)))
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(Place.export, both * (STREAMS // 2)))


def leave(visit: Visit, place: Place) -> None:
    """Be refused and be late, and leave calls and streams in the middle."""
    request = projects_pb.ListProjectsRequest()
    for path in (BY_NAME["ListProjects"].path, "/persona.v1.None/Nothing"):
        for token in ("not a token", visit.token[:-4]):
            refused = exchange(visit.bare.channel, path, [b""], bearer(token))
            assert refused.code is not grpc.StatusCode.OK
            assert refused.code not in FAULTS, refused.text
    with contextlib.suppress(grpc.RpcError):
        visit.caller.projects.ListProjects(request, timeout=0.0005)
    for _ in range(5):
        visit.caller.projects.ListProjects.future(request).cancel()
    begun(place).drop()
    health: Any = health_pb2_grpc.HealthStub(visit.bare.channel)
    next(health.Watch(health_pb2.HealthCheckRequest()))


def leave_rest(visit: Visit) -> None:
    """Leave requests of which only a part has come."""
    host, port = visit.rest.host.split(":")
    for length in (0, 1000):
        head = f"POST /api/v1/projects HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n"
        with socket.create_connection((host, int(port)), 20) as left:
            left.sendall(f"{head}Authorization: Bearer {visit.token}\r\n\r\n{{".encode())
