"""R11: storms of calls that are taken back at once, beside a good client and on its own address."""

import contextlib
import itertools
import time
from collections.abc import Iterator

import pytest

from persona.v1 import persona_service_pb2 as pb
from persona_server.transport.entrance.connections import AWAY_SECONDS
from support.attacks import floods, silent
from support.attacks.beside import (
    NEIGHBOUR,
    Answered,
    attackers,
    call_one_by_one,
    calm,
    cpu_seconds,
    most_resident,
    pin,
    resident,
)
from support.attacks.frames import Connection, message, request
from support.data import make_place, persona
from support.importer import LEAN
from support.machine import slowness
from support.service import Service, running_service
from support.waiting import eventually

pytestmark = pytest.mark.alone  # shares of a good client are compared

GET = "/persona.v1.PersonaService/GetPersona"
IMPORT = "/persona.v1.PersonaService/ImportPersonas"
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
UNLIMITED = 1e9
# Seconds of the server's CPU that a storm at full speed costs until it is over. That of Watches
# comes by 20 connections, all of which have to be seen.
OVERCOME = {"resets": 2.0, "watches": 3.0}
LONG = 30.0  # seconds
MEMORY = 100 << 20
OTHERS = 50  # connections
MANY = 2_500  # of which those that are gone are forgotten, more than once
ADDRESSES = (f"127.0.2.{number}" for number in itertools.count(1))  # of attackers, one for each


@pytest.fixture(scope="module")
def stormed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("storms") / "data", *LEAN) as service:
        pin(service.process.pid)
        yield service


@pytest.fixture(autouse=True)
def rested(stormed: Service) -> None:
    """Let each test begin when the server has worked off the storm of the one before."""
    calm(stormed.process.pid)


@pytest.fixture(scope="module")
def token(stormed: Service) -> str:
    return stormed.token("good")


@pytest.fixture(scope="module")
def body(stormed: Service, token: str) -> bytes:
    """What a good client asks."""
    place = make_place(stormed.connect(token))
    request = pb.GetPersonaRequest(**place.ids, persona_id=place.create(persona()).id)
    return request.SerializeToString()


def storm(name: str, address: str, source: str) -> None:
    """Let a storm of a kind go on until it is over."""
    if name == "watches":
        floods.watch_storm(address, 20, LONG, source)
    else:
        assert floods.rapid_reset_until_shut_out(address, GET, UNLIMITED, LONG, source)


@pytest.mark.parametrize("name", ["resets", "watches"])
def test_a_storm_at_full_speed_is_overcome(
    stormed: Service, token: str, body: bytes, name: str
) -> None:
    pid, source = stormed.process.pid, next(ADDRESSES)
    with attackers(2) as pool:
        before, spent = resident(pid), cpu_seconds(pid)
        storming = pool.submit(storm, name, stormed.grpc, source)
        most = most_resident(pid, storming.done)
        storming.result()
        cost = cpu_seconds(pid) - spent
        # It does not get in to make a call: tried at once, since it may come back in ten seconds.
        trying = pool.submit(floods.rapid_reset, stormed.grpc, GET, UNLIMITED, 1.5, source)
        assert trying.result() == 0
        assert cost < OVERCOME[name] * slowness()
        assert most < before + MEMORY
        # What core has of the storm is worked off; calls that found no room for it have failed.
        eventually(lambda: call_one_by_one(stormed.grpc, GET, token, body, 0.2).failed == 0)
        assert call_one_by_one(stormed.grpc, GET, token, body, 1.0).failed == 0


def storms(token: str) -> dict[str, tuple[str, str | None, bytes]]:
    """Return kinds of calls: path, token, and what is sent before they are taken back."""
    empty = message(b"")
    return {
        "refused": (GET, None, b""),
        "without message": (GET, token, b""),
        "with message": (GET, token, empty),
        "imports": (IMPORT, token, empty),
        "checks": (CHECK, None, empty),
        "watches": (WATCH, None, empty),
        "unknown": ("/no.Such/Method", None, empty),
    }


@pytest.mark.parametrize("kind", storms(""))
def test_storms_of_every_kind_of_call_are_shut_out(stormed: Service, kind: str) -> None:
    path, token, body = storms(stormed.token("storming"))[kind]
    source = next(ADDRESSES)
    pid = stormed.process.pid
    before, spent = resident(pid), cpu_seconds(pid)
    with attackers(1) as pool:
        attack = (stormed.grpc, path, UNLIMITED, LONG, source, token, body)
        storm = pool.submit(floods.rapid_reset_until_shut_out, *attack)
        most = most_resident(pid, storm.done)
        assert storm.result()
    assert cpu_seconds(pid) - spent < OVERCOME["resets"] * slowness()
    assert most < before + MEMORY


def test_a_storm_of_watches_fails_no_other_call(stormed: Service, token: str, body: bytes) -> None:
    """Watches that nobody has looked at yet wait by themselves."""
    get, watch, empty = request(GET, token), request(WATCH), message(b"")
    others = [Answered(stormed.grpc, NEIGHBOUR) for _ in range(OTHERS)]
    with silent.connected(stormed.grpc, 20, next(ADDRESSES)) as storming:
        for one in storming:  # else all of them would be closed at the first sign
            one.data(one.open(request(CHECK)), empty, end=True)
            silent.all_over(one, [1])
        until = time.monotonic() + LONG
        while not all(one.closed for one in storming) and time.monotonic() < until:
            for one in storming:
                while not one.closed and one.pending() < 65_536:
                    stream = one.open(watch)
                    one.data(stream, empty, end=True)
                    one.reset(stream)
                one.pump()
            for other in others:
                if other.opened == len(other.over):
                    other.data(other.open(get), message(body), end=True)
                other.pump()
    for other in others:
        silent.all_over(other, list(range(1, 2 * other.opened, 2)))
        assert other.answered == other.over
        other.close()


def test_connections_on_which_nothing_was_served_end_with_a_storm(stormed: Service) -> None:
    source = next(ADDRESSES)
    idle = Connection(stormed.grpc, source)

    def closed() -> bool:
        idle.pump(0.05)
        return idle.closed

    assert not closed()
    assert floods.rapid_reset_until_shut_out(stormed.grpc, GET, UNLIMITED, LONG, source)
    eventually(closed)


def test_a_watch_counts_for_more_than_other_calls(stormed: Service) -> None:
    attack = (200, LONG, next(ADDRESSES))  # so many other calls a second are let in for ever
    assert floods.rapid_reset_until_shut_out(stormed.grpc, WATCH, *attack, body=message(b""))


@pytest.mark.early
def test_watches_without_a_place_are_counted_as_refused(stormed: Service) -> None:
    """They stay open, unlike those of a storm."""
    attack = (stormed.grpc, WATCH, UNLIMITED)
    source = next(ADDRESSES)
    assert floods.refused_calls(*attack, 5.0, source)
    assert not floods.refused_calls(*attack, 0.5, source)


def test_who_was_connected_before_stays_and_the_address_may_return(
    stormed: Service, token: str, body: bytes
) -> None:
    source = next(ADDRESSES)
    storm_beside_one_who_stays(stormed, token, body, source)
    until = time.monotonic() + 2 * AWAY_SECONDS
    returned = floods.connected_again(stormed.grpc, source, until)
    assert returned is not None
    assert answered(returned, token, body)
    returned.close()


def test_who_was_served_stays_though_many_have_come_and_gone_since(
    stormed: Service, token: str, body: bytes
) -> None:
    """Of those that are gone nothing is remembered, so that it is looked who is still there."""
    storm_beside_one_who_stays(stormed, token, body, next(ADDRESSES), others=MANY)


def storm_beside_one_who_stays(
    stormed: Service, token: str, body: bytes, source: str, others: int = 0
) -> None:
    """Shut an address out by a storm; who was served there, before so many others, must stay."""
    innocent = Connection(stormed.grpc, source)
    assert answered(innocent, token, body)
    for _ in range(others):
        with contextlib.closing(Connection(stormed.grpc)) as another:
            assert answered(another, token, body)
    assert floods.rapid_reset_until_shut_out(stormed.grpc, GET, UNLIMITED, LONG, source)
    assert answered(innocent, token, body)
    innocent.close()


def test_who_takes_back_half_of_what_it_asks_is_served(
    stormed: Service, token: str, body: bytes
) -> None:
    """As a client does that asks twice and takes the first answer."""
    client = Connection(stormed.grpc, next(ADDRESSES))
    for _ in range(20):
        streams = [client.open(request(GET, token)) for _ in range(40)]
        for stream in streams:
            client.data(stream, message(body), end=True)
        for stream in streams[::2]:
            client.reset(stream)
        silent.all_over(client, streams[1::2])
    assert answered(client, token, body)
    client.close()


def answered(client: Connection, token: str, body: bytes) -> bool:
    """Make a call, and wait for its end; return whether the connection is there still."""
    stream = client.open(request(GET, token))
    client.data(stream, message(body), end=True)
    silent.all_over(client, [stream])
    return not client.closed
