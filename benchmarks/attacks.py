"""What each attack costs a good client and the service: a table, about ten seconds a row.

    PYTHONPATH=tests python benchmarks/attacks.py [words of the names of attacks]

Server and gateway run on the first core, attacker and good client on the last. The base of a rate
is the good client beside the same attacker aimed at a socket that swallows it. Those of REST that
wait for answers would press such a socket harder than they can the gateway: beside them it is the
good client alone. Each attack has a service of its own.
"""

import argparse
import http.client
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from rest import flood as rest_flood
from rest import test_gateway_floods as bodies

from persona.v1 import persona_service_pb2 as pb
from support.attacks import beside, floods, misfits, silent
from support.attacks.beside import Seen
from support.data import Place, make_place, persona
from support.service import Service, running_service

SERVICE = "/persona.v1.PersonaService/"
GET, LIST = SERVICE + "GetPersona", SERVICE + "ListPersonas"
SECONDS = 2.0  # of the good client's calls; the attack begins before and ends after
LONG = SECONDS + 1.0
SOURCE = "127.0.1.1"  # of attacks that are shut out
UNLIMITED = 1e9
MEGABYTE = 1 << 20
WAITING = ("REST: empty items", "REST: costly values")  # for answers

Attack = Callable[[str], object]  # on an address, for LONG


class Target(NamedTuple):
    """A service, what its good client asks, and the attacker's group, each with its token."""

    service: Service
    token: str
    path: str
    body: bytes
    theirs: Place
    other: str


def headers(address: str, path: str, token: str | None) -> None:
    """Begin calls without messages on four connections."""
    with silent.connected(address, 4, SOURCE) as connections:
        for connection in connections:
            silent.headers_only(connection, path, token, 90)
        silent.pump_for(connections, LONG)


def held(address: str, path: str, token: str | None) -> None:
    """Send messages but for their last byte on forty connections."""
    with silent.connected(address, 40, SOURCE) as connections:
        silent.hold_messages(connections, path, token, 5, 4 << 20, LONG)


def unread(address: str, token: str, body: bytes) -> None:
    """Ask for long answers and read none."""
    with silent.connected(address, 5, SOURCE, window=0) as connections:
        silent.unread(connections, LIST, token, 60, LONG, body=body)


def http_held(base: str, request: bytes, number: int, rest: int) -> None:
    """Send a request on so many connections, as much as the network takes of the rest."""
    gateway: Any = SimpleNamespace(base=base)
    with ExitStack() as stack:
        for connection in rest_flood.hold(stack, gateway, number, request):
            rest_flood.pour(connection, b" " * rest)
        time.sleep(LONG)


def http_sent(base: str, request: bytes, at_once: int) -> None:
    """Send whole requests, so many at once, again and again."""
    gateway: Any = SimpleNamespace(base=base)
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        rest_flood.at_once(at_once, lambda: rest_flood.call(gateway, request))


def grpc_attacks(target: Target) -> dict[str, Attack]:
    """Return the attacks on the server."""
    storm: dict[str, Any] = {"seconds": LONG, "source": SOURCE}
    pages = pb.ListPersonasRequest(**target.theirs.ids, page_size=90).SerializeToString()
    resets = partial(floods.rapid_reset, path=GET, **storm)
    return {
        "refused calls, 5,000/s": partial(floods.refused_calls, path=GET, a_second=5_000, **storm),
        "resets, 1,000/s": partial(resets, a_second=1_000),
        "resets, 5,000/s": partial(resets, a_second=5_000),
        "resets, full speed": partial(resets, a_second=UNLIMITED),
        "resets with a token": partial(resets, a_second=UNLIMITED, token=target.other),
        "watches, full speed": partial(floods.watch_storm, clients=20, **storm),
        "PING, 5,000/s": partial(misfits.ping_flood, a_second=5_000, seconds=LONG),
        "SETTINGS, 5,000/s": partial(misfits.settings_flood, a_second=5_000, seconds=LONG),
        "heads of 20 KB, 500/s": partial(misfits.large_heads, path=GET, a_second=500, **storm),
        "random frames": partial(misfits.nonsense, a_second=200, seconds=LONG),
        "500 silent sockets": partial(misfits.silent_sockets, count=500, seconds=LONG),
        "compressed bombs": partial(misfits.bombs, path=GET, token=target.other, **storm),
        "headers alone": partial(headers, path=GET, token=None),
        "headers alone, token": partial(headers, path=GET, token=target.other),
        "messages held": partial(held, path=LIST, token=None),
        "messages held, token": partial(held, path=LIST, token=target.other),
        "answers unread": partial(unread, token=target.other, body=pages),
    }


def rest_attacks(target: Target) -> dict[str, Attack]:
    """Return the attacks on the gateway."""
    theirs = target.theirs
    path = f"/api/v1/projects/{theirs.project}/persona-groups/{theirs.group}/personas"
    length = 4 << 20
    head = partial(rest_flood.start, "POST", path)
    whole = partial(rest_flood.post, f"{path}:batchCreate", target.other)
    byte = head(target.other, "Transfer-Encoding: chunked") + b"1\r\n{\r\n"
    token, none = (head(one, f"Content-Length: {length}") for one in (target.other, None))
    page = rest_flood.start("GET", f"{path}?page_size=1000", target.other)
    silent_head = b"GET / HTTP/1.1\r\nX: " + b"a" * 15_000
    return {
        "REST: bodies, no token": partial(http_held, request=none, number=40, rest=length - 1),
        "REST: bodies but a byte": partial(http_held, request=token, number=40, rest=length - 1),
        "REST: 2,000 first bytes": partial(http_held, request=byte, number=2_000, rest=0),
        "REST: empty items": partial(http_sent, request=whole(bodies.EMPTY_ITEMS), at_once=12),
        "REST: costly values": partial(http_sent, request=whole(bodies.MANY_VALUES), at_once=4),
        "REST: answers unread": partial(http_held, request=page, number=64, rest=0),
        "REST: 1,500 half heads": partial(http_held, request=silent_head, number=1_500, rest=0),
    }


def get_one_by_one(base: str, path: str, token: str) -> Seen:
    """Be the good client over REST."""
    took, failed, started = [], 0, time.monotonic()
    client = http.client.HTTPConnection(
        base.removeprefix("http://"), timeout=10, source_address=(beside.NEIGHBOUR, 0)
    )
    while (begun := time.monotonic()) < started + SECONDS:
        try:
            client.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = client.getresponse()
            answer.read()
            failed += answer.status != 200
        except (OSError, http.client.HTTPException):
            failed += 1
            client.close()
        took.append(time.monotonic() - begun)
    took.sort()
    rate = (len(took) - failed) / (time.monotonic() - started)
    return Seen(rate, failed, took[int(len(took) * 0.99)])


class Watched:
    """A process, and what it takes from now on."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._memory = self._most = beside.resident(pid)
        self._spent = beside.cpu_seconds(pid)
        self._files = 0

    def look(self) -> None:
        """Take note of what the process holds now."""
        self._most = max(self._most, beside.resident(self._pid))
        self._files = max(self._files, sum(1 for _ in Path(f"/proc/{self._pid}/fd").iterdir()))

    def __str__(self) -> str:
        """Return its memory more than at first, its CPU and its descriptors."""
        spent = beside.cpu_seconds(self._pid) - self._spent
        return f"{(self._most - self._memory) / MEGABYTE:5.0f} {spent:5.1f} {self._files:5d}"


def pids_of(service: Service) -> list[int]:
    """Return the processes of a service: the server, and the gateway that it has started."""
    pid = service.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *map(int, children.split())]


def row(pool: Executor, target: Target, name: str, attack: Attack, nothing: str) -> str:
    """Return the line of the table for an attack."""
    service = target.service
    over_rest = name.startswith("REST")
    address = service.rest if over_rest else service.grpc
    good: partial[Seen] = partial(get_one_by_one, service.rest, target.path, target.token)
    if not over_rest:
        call = (service.grpc, GET, target.token, target.body, SECONDS)
        good = partial(beside.call_one_by_one, *call)
    pool.submit(good).result()  # all have begun
    scheme = "http://" if over_rest else ""
    attacked = None if name in WAITING else pool.submit(attack, scheme + nothing)
    base = pool.submit(good).result()
    if attacked:
        attacked.result()
    watched = [Watched(pid) for pid in pids_of(service)]
    attacking = pool.submit(attack, address)
    calling = pool.submit(good)
    while not calling.done():
        for one in watched:
            one.look()
        time.sleep(0.05)
    cost = "  ".join(map(str, watched))
    attacking.exception()
    seen = calling.result()
    p99s = f"{base.p99 * 1e3:7.1f} {seen.p99 * 1e3:7.1f}"
    return f"{name:24} {seen.rate / base.rate:5.2f} {seen.failed:6d} {p99s}  {cost}"


@contextmanager
def target() -> Iterator[Target]:
    """Run a service whose attacker has long pages to ask for."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder) / "data", "--local-tokens", "on") as service,
    ):
        for pid in pids_of(service):
            beside.pin(pid)
        other, token = service.token("other"), service.token("good")
        theirs, own = make_place(service.connect(other)), make_place(service.connect(token))
        for _ in range(5):
            theirs.fill(90, attributes={"a": "y" * 30_000})
        asked = pb.GetPersonaRequest(**own.ids, persona_id=own.create(persona()).id)
        path = f"/api/v1/projects/{own.project}"
        yield Target(service, token, path, asked.SerializeToString(), theirs, other)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    print(f"{'':24} share failed  p99 base beside     server: MB CPU files, and gateway")
    with target() as first:
        names = [*grpc_attacks(first), *rest_attacks(first)]
    for name in names:
        if not words or any(word in name for word in words):
            with target() as one, beside.attackers(2) as pool, beside.sink() as nothing:
                attack = (grpc_attacks(one) | rest_attacks(one))[name]
                print(row(pool, one, name, attack, nothing), flush=True)


if __name__ == "__main__":
    main()
