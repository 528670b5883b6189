"""R12: whatever one tenant asks for, fifty at a time, another is answered almost as before."""

import time
from collections.abc import Callable, Iterator

import pytest
from google.protobuf.message import Message

from persona.v1 import library_service_pb2 as library_pb
from persona.v1 import persona_service_pb2 as personas_pb
from persona.v1.response_pb2 import Response
from support.answering.shelves import fill_library
from support.answers import answer, record
from support.data import make_place, persona, uid
from support.importer import LEAN, Importer
from support.machine import least
from support.peers.neighbour import noisy
from support.service import Service, running_service

pytestmark = pytest.mark.alone  # shares of a good client are compared

PERSONAS, LIBRARY = 10_000, 10_000
MARGIN = 0.020  # seconds beyond twice what it takes beside nobody


class Crowded:
    """A service with a tenant that has much, and another that has one persona."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.token = service.token("noisy")
        caller = service.connect(self.token)
        self.noisy = make_place(caller)
        assert Importer(self.noisy, PERSONAS // 1000, 1000).run(caller)
        self.one = self.noisy.create(persona()).id
        for _ in range(10):
            record(caller, uid(), *_long_answers(self.one))
        fill_library(service.data, "noisy", LIBRARY)
        self.quiet = make_place(service.connect(service.token("quiet")))
        self.quiet_one = self.quiet.create(persona()).id

    def times(self, seconds: float) -> list[float]:
        """Get the quiet tenant's persona again and again; return how long each call took, sorted.

        Raises what a refused call raises.
        """
        found, until = [], time.perf_counter() + seconds
        while time.perf_counter() < until:
            begun = time.perf_counter()
            self.quiet.get(self.quiet_one)
            found.append(time.perf_counter() - begun)
        return sorted(found)


def _long_answers(persona_id: str) -> list[Response]:
    return [
        answer(persona_id, question_key=f"q{i}", text="word " * 1000, themes=[f"t{i % 7}"])
        for i in range(40)
    ]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowded]:
    with running_service(tmp_path_factory.mktemp("crowded") / "data", *LEAN) as service:
        yield Crowded(service)


def _request(crowded: Crowded, rpc: str) -> Message:
    ids, one = crowded.noisy.ids, crowded.one
    people = [persona(full_name=f"Person {i}") for i in range(1000)]
    return {
        "LibraryService/MatchLibraryPersonas": library_pb.MatchLibraryPersonasRequest(**ids),
        "LibraryService/GetReliability": library_pb.GetReliabilityRequest(**ids, persona_id=one),
        "LibraryService/PromotePersona": library_pb.PromotePersonaRequest(**ids, persona_id=one),
        "PersonaService/ListPersonas": personas_pb.ListPersonasRequest(**ids, page_size=1000),
        "PersonaService/BatchCreatePersonas": personas_pb.BatchCreatePersonasRequest(
            **ids, personas=people
        ),
    }[rpc]


RPCS = (
    "LibraryService/MatchLibraryPersonas",
    "LibraryService/GetReliability",
    "LibraryService/PromotePersona",
    "PersonaService/ListPersonas",
    "PersonaService/BatchCreatePersonas",
)


@pytest.mark.parametrize("rpc", RPCS)
def test_a_quiet_tenant_beside_a_noisy_one(
    crowded: Crowded, rounds: Callable[[int, int], int], rpc: str
) -> None:
    held_to_the_bound(crowded, f"/persona.v1.{rpc}", _request(crowded, rpc), rounds(2, 20))


def test_a_quiet_tenant_beside_filters_without_a_match(
    crowded: Crowded, rounds: Callable[[int, int], int]
) -> None:
    request = personas_pb.ListPersonasRequest(**crowded.noisy.ids, occupation="nobody's")
    held_to_the_bound(crowded, "/persona.v1.PersonaService/ListPersonas", request, rounds(2, 20))


def held_to_the_bound(crowded: Crowded, path: str, request: Message, seconds: float) -> None:
    raw = request.SerializeToString()

    def margin() -> float:
        before = _p99(crowded.times(seconds))
        with noisy(crowded.service.grpc, crowded.token, path, raw) as codes:
            beside = _p99(crowded.times(seconds))
        assert codes.total() > 0
        return beside - 2 * before

    assert least(margin, MARGIN) <= MARGIN


def _p99(times: list[float]) -> float:
    return times[int(len(times) * 0.99)]
