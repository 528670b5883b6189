"""R12: tenants whose calls send headers alone keep others from nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from persona.v1 import persona_service_pb2 as personas_pb
from persona_server.transport.entrance.receipts import SECONDS
from support.attacks import silent
from support.attacks.frames import Connection, message, request
from support.data import Place, make_place, persona
from support.machine import slowness
from support.service import Service

pytestmark = [pytest.mark.alone, pytest.mark.early]  # it is measured how long a good call takes

GET_PROJECT = "/persona.v1.ProjectService/GetProject"
BATCH = "/persona.v1.PersonaService/BatchCreatePersonas"
HELD = 8  # calls of each, of which five fill the room that a tenant may have
GOOD = 5  # calls of the good tenant at once


class Holder:
    """A connection that keeps so many calls open, each without its message."""

    def __init__(self, service: Service, tenant: str) -> None:
        self._block = request(GET_PROJECT, service.token(tenant))
        self._connection = Connection(service.grpc)

    def pump(self) -> None:
        """Begin a call for each that has ended."""
        connection = self._connection
        while connection.opened - len(connection.over) < HELD:
            connection.open(self._block)
        connection.pump()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def holding(service: Service, tenants: int) -> Iterator[None]:
    """Let so many tenants hold what they can for a block."""
    holders = [Holder(service, f"holding-{number}") for number in range(tenants)]
    ended = threading.Event()

    def hold() -> None:
        while not ended.wait(0.005):
            for holder in holders:
                holder.pump()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for holder in holders:
            holder.close()


def longest(place: Place, seconds: float) -> float:
    """Get a persona again and again, by several at once; return how long the longest call took.

    Raises what a refused call raises.
    """
    one = place.create(persona()).id

    def repeat(_: int) -> float:
        most, until = 0.0, time.perf_counter() + seconds
        while (begun := time.perf_counter()) < until:
            place.get(one)
            most = max(most, time.perf_counter() - begun)
        return most

    with ThreadPoolExecutor(GOOD) as callers:
        return max(callers.map(repeat, range(GOOD)))


@pytest.mark.parametrize("tenants", [2, 6])
def test_a_tenant_beside_others_whose_messages_do_not_come(
    own: Service, rounds: Callable[[int, int], int], tenants: int
) -> None:
    place = make_place(own.connect(own.token("good")))
    with holding(own, tenants):
        # Longer than one message is waited for: what they hold is then what is given anew.
        assert longest(place, SECONDS + rounds(2, 20)) < slowness()


def test_who_sends_slowly_is_served_beside_them(own: Service) -> None:
    """The first of its batches keeps its place, however many find room meanwhile."""
    token = own.token("slow")
    place, good = make_place(own.connect(token)), make_place(own.connect(own.token("good")))
    people = [persona(full_name=f"Person {i}") for i in range(100)]
    batch = personas_pb.BatchCreatePersonasRequest(**place.ids, personas=people)
    raw = message(batch.SerializeToString())
    connection = Connection(own.grpc)
    with holding(own, 6), ThreadPoolExecutor(1) as beside:
        first, _ = connection.open(request(BATCH, token)), connection.open(request(BATCH, token))
        connection.pump()
        answered = beside.submit(longest, good, SECONDS / 2)
        while not answered.done():
            connection.pump(0.01)
        assert answered.result() < slowness()
        assert connection.data(first, raw, end=True) == len(raw)
        silent.all_over(connection, [first])
    connection.close()
    assert [one.full_name for one in place.walk()] == [one.full_name for one in people]
