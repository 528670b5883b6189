"""R5: the connection cut at any byte of an exchange: the retry makes it happen exactly once."""

import random
from collections.abc import Callable, Iterator

import grpc
import pytest

from persona.v1.persona_pb2 import Persona
from support.data import Place, make_place, persona, uid
from support.dbfile import DatabaseFile
from support.importer import Importer
from support.peers.cutting import Cut, cutting
from support.service import Caller, Service

TENANT = "cut"
DIRECTIONS = pytest.mark.parametrize("direction", ["up", "down"])


class Exchange:
    """Something to do once: over a connection that is cut, and then over a whole one."""

    def __init__(self, service: Service) -> None:
        self.service, self.token = service, service.token(TENANT)
        self.whole = service.connect(self.token)
        self.place = make_place(self.whole)

    def cut(self, cut: Cut, work: Callable[[Place], object]) -> dict[str, int]:
        """Work through a proxy; return how many bytes went either way."""
        with cutting(self.service.grpc, cut) as proxy:
            caller = Caller(proxy.address, self.token)
            try:
                work(Place(caller, self.place.project, self.place.group))
            except grpc.RpcError as error:
                assert cut.after is not None
                assert error.code() == grpc.StatusCode.UNAVAILABLE  # noqa: PT017 (what a client retries)
            finally:
                caller.close()
        return proxy.passed

    def points(self, work: Callable[[Place], object], direction: str, number: int) -> list[Cut]:
        """Return cuts at `number` of the bytes of an exchange that is not cut."""
        total = self.cut(Cut(), work)[direction]
        chance = random.Random(total)
        every = range(1, total)
        some = every if number >= total else sorted(chance.sample(every, number))
        return [Cut(direction, after, reset=chance.random() < 0.5) for after in some]


@pytest.fixture(scope="module")
def exchange(own: Service) -> Iterator[Exchange]:
    made = Exchange(own)
    yield made
    made.whole.close()


@DIRECTIONS
def test_unary_call(
    exchange: Exchange, file: DatabaseFile, rounds: Callable[[int, int], int], direction: str
) -> None:
    def once(place: Place, request_id: str) -> Persona:
        return place.create(persona(digital_habits="x" * 300), request_id)

    cuts = exchange.points(lambda place: once(place, uid()), direction, rounds(40, 10_000))
    for cut in cuts:
        request_id, before = uid(), file.visible(TENANT)
        exchange.cut(cut, lambda place, same=request_id: once(place, same))  # type: ignore[misc]
        made = once(exchange.place, request_id)
        assert file.visible(TENANT) == before + 1, cut
        rows = file.audit(TENANT, request_id)
        assert [row.persona_id for row in rows] == [made.id], cut
    assert len(cuts) > 20


@DIRECTIONS
def test_import(
    exchange: Exchange, file: DatabaseFile, rounds: Callable[[int, int], int], direction: str
) -> None:
    def importer() -> Importer:
        return Importer(exchange.place, 4, 3, text=100)

    cuts = exchange.points(
        lambda place: importer().run(place.caller), direction, rounds(40, 10_000)
    )
    interrupted = 0
    for cut in cuts:
        one, before = importer(), file.visible(TENANT)
        exchange.cut(cut, lambda place, one=one: one.run(place.caller))  # type: ignore[misc]
        interrupted += one.acknowledged < one.batches
        assert one.error is None or one.error.code() == grpc.StatusCode.UNAVAILABLE
        assert file.visible(TENANT) >= before + one.acknowledged * one.size, cut
        assert one.run(exchange.whole), one.error
        assert file.visible(TENANT) == before + one.batches * one.size, cut
        rows = file.audit(TENANT, one.import_id)
        assert [row.persona_count for row in rows] == [one.size] * one.batches, cut
    assert interrupted > len(cuts) // 2
