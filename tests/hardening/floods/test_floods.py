"""A good client beside floods: it keeps its rate, and the server its memory (R9, R11, R24)."""

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import grpc
import pytest

from persona.v1 import persona_service_pb2 as pb
from support.attacks import floods, misfits, silent
from support.attacks.beside import (
    attackers,
    call_one_by_one,
    cpu_seconds,
    most_resident,
    pin,
    resident,
    sink,
)
from support.attacks.frames import PING, frame
from support.data import make_place, persona
from support.importer import LEAN
from support.machine import slowness
from support.service import Service, running_service

pytestmark = pytest.mark.alone  # shares of a good client are compared

GET = "/persona.v1.PersonaService/GetPersona"
SECONDS = 2.0
SHARE = 0.8  # of its rate that a good client keeps
TRIES = 3  # of which one must keep the promise: who else works on this machine is in the way too


class Good(NamedTuple):
    """A service on a core of its own, and what a good client asks it."""

    service: Service
    token: str
    body: bytes

    def call(self) -> tuple[str, str, str, bytes]:
        return self.service.grpc, GET, self.token, self.body


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Good]:
    with running_service(tmp_path_factory.mktemp("floods") / "data", *LEAN) as service:
        pin(service.process.pid)
        token = service.token("good")
        place = make_place(service.connect(token))
        request = pb.GetPersonaRequest(**place.ids, persona_id=place.create(persona()).id)
        yield Good(service, token, request.SerializeToString())


Attack = Callable[..., int]


def attacks(token: str, slow: float = 1.0) -> dict[str, tuple[Attack, tuple[Any, ...]]]:
    """Return them, of so many a second as cost a machine that is so slow what they cost others."""
    return {
        "refused": (floods.refused_calls, (GET, 5_000 / slow, SECONDS + 1)),
        "reset": (floods.rapid_reset, (GET, 5_000 / slow, SECONDS + 1)),
        "ping": (misfits.ping_flood, (5_000 / slow, SECONDS + 1)),
        "settings": (misfits.settings_flood, (5_000 / slow, SECONDS + 1)),
        "large heads": (misfits.large_heads, (GET, 500 / slow, SECONDS + 1)),
        "bombs": (misfits.bombs, (GET, token, SECONDS + 1)),
        "nonsense": (misfits.nonsense, (200 / slow, SECONDS + 1)),
        "silent sockets": (misfits.silent_sockets, (500, SECONDS)),
    }


# Each try of these comes from an address of its own.
KEPT_AWAY = ("refused", "reset", "large heads", "bombs")
ADDRESSES = (f"127.0.1.{number}" for number in itertools.count(1))


@pytest.mark.parametrize("name", attacks(""))
def test_a_good_client_keeps_its_rate(good: Good, name: str) -> None:
    attack, arguments = attacks(good.service.token("attacker"), slowness())[name]
    shares = []
    with attackers(2) as pool, sink() as nothing:
        for _ in range(TRIES):
            more = (next(ADDRESSES),) if name in KEPT_AWAY else ()
            base, seen = (
                _beside(pool, good, attack, where, (*arguments, *more))
                for where in (nothing, good.service.grpc)
            )
            assert seen.failed == 0
            # Who is shut out leaves its core to whoever else works on this machine, which the base
            # does not: so no more is expected than without any attack.
            alone = pool.submit(call_one_by_one, *good.call(), SECONDS).result() if more else base
            shares.append(seen.rate / min(base.rate, alone.rate))
            if shares[-1] >= SHARE:
                return
    raise AssertionError(f"the good client kept {shares}")


def _beside(pool: Any, good: Good, attack: Attack, where: str, arguments: tuple[Any, ...]) -> Any:
    attacking = pool.submit(attack, where, *arguments)
    time.sleep(0.3)
    calling = pool.submit(call_one_by_one, *good.call(), SECONDS)
    before = resident(good.service.process.pid)
    most = most_resident(good.service.process.pid, calling.done)
    assert most < before + (100 << 20)
    attacking.result()
    return calling.result()


def test_who_pings_often_stays_connected(good: Good) -> None:
    """Each new connection of who was sent away would cost more than many pings."""
    with silent.connected(good.service.grpc, 1) as (connection,):
        for number in range(2_000):
            connection.write(frame(PING, 0, 0, number.to_bytes(8, "big")))
        while connection.got[PING] < 2_000 and not connection.closed:
            connection.pump(0.05)
        assert not connection.closed


def test_who_sends_bombs_is_shut_out(good: Good) -> None:
    pid, source = good.service.process.pid, next(ADDRESSES)
    with attackers(1) as pool:
        pool.submit(os.getpid).result()
        before, spent = resident(pid), cpu_seconds(pid)
        bombing = pool.submit(misfits.bombs, good.service.grpc, GET, good.token, 30.0, source)
        most = most_resident(pid, bombing.done)
        assert bombing.result() > 0
    assert cpu_seconds(pid) - spent < slowness()
    assert most < before + (100 << 20)
    assert floods.connected_again(good.service.grpc, source, time.monotonic() + 0.5) is None


def test_two_thousand_calls_at_once_on_a_connection_are_answered(good: Good) -> None:
    async def calls() -> list[bytes]:
        metadata = (("authorization", f"Bearer {good.token}"),)
        async with grpc.aio.insecure_channel(good.service.grpc) as channel:
            call: Any = channel.unary_unary(GET)
            waiting = [call(good.body, metadata=metadata, timeout=60) for _ in range(2_000)]
            return list(await asyncio.gather(*waiting))

    (answer,) = set(asyncio.run(calls()))
    assert pb.GetPersonaResponse.FromString(answer).persona.id
