"""Calls wait until what was answered before them is read; who never reads is made nothing more."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from persona.v1 import persona_service_pb2 as pb
from persona_server.transport.entrance.answers import EACH
from support.attacks import silent
from support.attacks.beside import cpu_seconds
from support.attacks.frames import WINDOW_UPDATE, Connection, frame, literals, message, request
from support.data import Place, make_place, uid
from support.importer import LEAN
from support.machine import slowness
from support.operating.metrics import value
from support.service import Service, running_service
from support.waiting import eventually

pytestmark = pytest.mark.early  # elsewhere a call holds a thread, and is refused

LIST = "/persona.v1.PersonaService/ListPersonas"
ROWS = 45
PAGE = ROWS * 30_000  # bytes
IN_FLIGHT = 60  # pages, several times what a connection may leave unread
FEWER, HELD = 20, 5  # pages, and more of them that are asked for when these wait already
WIDE = (1 << 30).to_bytes(4, "big")


class Reader(NamedTuple):
    """A tenant with long pages to ask for."""

    service: Service
    place: Place
    token: str
    tenant: str

    @property
    def body(self) -> bytes:
        return pb.ListPersonasRequest(**self.place.ids, page_size=ROWS).SerializeToString()

    def call(self, connection: Connection, number: int, more: bytes = b"") -> list[int]:
        """Ask for so many pages at once, with more headers; return their streams."""
        connection.write(frame(WINDOW_UPDATE, 0, 0, WIDE))
        block = request(LIST, self.token) + more
        streams = [connection.open(block) for _ in range(number)]
        for stream in streams:
            connection.data(stream, message(self.body), end=True)
        return streams

    def waiting(self) -> int:
        return int(value(self.service, "persona_answers_waiting"))

    def kept(self) -> float:
        return value(self.service, "persona_answers_bytes")

    def codes(self) -> Counter[str]:
        """Return how often calls for pages have ended with each code, but for the first one."""
        lines = [line for line in self.service.log if line.get("tenant") == self.tenant]
        return Counter([line["code"] for line in lines if line["method"] == "ListPersonas"][1:])


@pytest.fixture(scope="module")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("unread") / "data", *LEAN) as service:
        yield service


@pytest.fixture
def reader(unread: Service) -> Reader:
    tenant = uid()
    token = unread.token(tenant)
    place = make_place(unread.connect(token))
    place.fill(ROWS + 5, attributes={"a": "y" * 30_000})
    place.page(page_size=ROWS)  # by which the server learns how long they are
    return Reader(unread, place, token, tenant)


@pytest.fixture
def connection(unread: Service) -> Iterator[Connection]:
    """A connection whose client makes no room for the answers of its calls."""
    with silent.connected(unread.grpc, 1, window=0) as (opened,):
        yield opened


def waits(reader: Reader, connection: Connection, number: int) -> Callable[[], bool]:
    def seen() -> bool:
        connection.pump(0.01)
        return reader.waiting() == number

    return seen


def test_pages_wait_for_the_reader_and_short_answers_pass_them(
    reader: Reader, connection: Connection
) -> None:
    streams = reader.call(connection, IN_FLIGHT)
    eventually(waits(reader, connection, IN_FLIGHT - EACH // PAGE))
    eventually(lambda: EACH - 2 * PAGE < reader.kept() < EACH)  # when all others are made
    assert reader.place.count() == ROWS + 5
    for stream in streams:
        connection.write(frame(WINDOW_UPDATE, 0, stream, WIDE))
    silent.all_over(connection, streams)
    eventually(lambda: reader.codes() == {"OK": IN_FLIGHT})
    assert reader.waiting() == 0


def test_a_call_waits_until_its_deadline_or_until_it_is_taken_back(
    reader: Reader, connection: Connection
) -> None:
    waiting = FEWER - EACH // PAGE
    reader.call(connection, FEWER)
    held = reader.call(connection, HELD)
    eventually(waits(reader, connection, waiting + HELD))
    timed = reader.call(connection, HELD, literals([("grpc-timeout", "1S")]))
    silent.all_over(connection, timed)
    eventually(waits(reader, connection, waiting + HELD))
    for stream in held:
        connection.reset(stream)
    eventually(waits(reader, connection, waiting))
    eventually(lambda: reader.codes()["CANCELLED"] == 2 * HELD)
    connection.close()
    eventually(lambda: reader.waiting() == 0)
    eventually(lambda: sum(reader.codes().values()) == FEWER + 2 * HELD)
    assert len(reader.place.page(page_size=ROWS).personas) == ROWS


def test_who_reads_nothing_is_made_no_more_pages(reader: Reader) -> None:
    pid = reader.service.process.pid
    with silent.connected(reader.service.grpc, 5, window=0) as connections:
        spent = cpu_seconds(pid)
        silent.unread(connections, LIST, reader.token, 60, 2.0, body=reader.body)

        def all_have_come() -> bool:
            silent.pump_for(connections, 0.5)  # each look costs the server some of its CPU, too
            return reader.waiting() > 250

        eventually(all_have_come)
        assert cpu_seconds(pid) - spent < slowness()
    eventually(lambda: reader.waiting() == 0)
