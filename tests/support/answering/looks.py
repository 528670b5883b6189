"""Individuals that may be promoted in a store, and what happens while somebody looks at them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from persona.v1 import library_pb2, measures_pb2
from persona.v1 import library_service_pb2 as pb
from persona.v1.response_pb2 import Response
from persona_server.measures.individual.policy import Policy
from persona_server.services.call import Call
from persona_server.services.library.individuals import measure
from persona_server.services.library.promoting import promote_waiting
from persona_server.services.library.service import LibraryService
from persona_server.services.paging import PageTokens
from persona_server.services.responses.recording import record_responses
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.promotions import Queued
from persona_server.storage.store import Store
from support.data import persona, uid
from support.library import OWN, PEERS, SIMULATIONS, peer_answers, ratings
from support.probe import Probe
from support.stored import StoredGroup, read

DEFAULTS = Policy()
# Two simulations are too little data by default, and enough by these.
FEW = 2
LENIENT = Policy(
    min_simulations=FEW,
    min_attainable=0.3,
    min_lower_bound=0.3,
    min_noise_differences=1,
    min_noise_individuals=1,
)


def say(group: StoredGroup, *given: Response, simulation: str = "") -> None:
    """Record answers as a server does that promotes by itself."""
    group.store.promotes()
    with group.store.writing(group.tenant, None) as repositories:
        record_responses(repositories, simulation or uid(), given)


def reliable(group: StoredGroup, simulations: int = SIMULATIONS) -> tuple[bytes, str]:
    """Let a new persona answer in perfect agreement; return it and its questions' tag."""
    (one,), tag = group.add(persona()), uid()
    for day in range(simulations):
        peers = [id_text(each) for each in group.add(*[persona() for _ in PEERS])]
        say(group, *peer_answers(peers, tag, day), *ratings(id_text(one), tag, OWN, day))
    return one, tag


def run(store: Store, policy: Policy = DEFAULTS) -> int:
    return promote_waiting(store, policy, lambda: False)


def waiting(group: StoredGroup) -> list[Queued]:
    return read(group.store, group.tenant).promotions.next(b"", 1000)


def origins(store: Store) -> list[bytes]:
    return Probe(store).values("library_persona", "origin_persona_id")


def in_another_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def while_measured(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> list[None]:
    """Let something happen after each measurement; what is returned grows by one with each."""
    looks: list[None] = []

    def measured(*given: Any) -> Any:
        found = measure(*given)
        looks.append(None)
        in_another_thread(meanwhile)
        return found

    monkeypatch.setattr("persona_server.services.library.promoting.measure", measured)
    return looks


class Served:
    """The service over a store, with limits of its own."""

    def __init__(self, store: Store, group: StoredGroup, policy: Policy) -> None:
        self._group = group
        self._library = LibraryService(store, PageTokens(b"k"), policy)

    def _call(self, method: str) -> Call:
        return Call(method, self._group.tenant, "me")

    def _named(self, one: bytes) -> dict[str, Any]:
        project_id, group_id = id_text(self._group.project), id_text(self._group.group)
        return {"project_id": project_id, "group_id": group_id, "persona_id": id_text(one)}

    def reliability(self, one: bytes) -> measures_pb2.Reliability:
        request = pb.GetReliabilityRequest(**self._named(one))
        encoded = self._library.get_reliability(self._call("GetReliability"), request)
        found = pb.GetReliabilityResponse.FromString(encoded).reliability
        found.ClearField("measured_at")
        return found

    def promote(self, one: bytes) -> library_pb2.LibraryPersona:
        request = pb.PromotePersonaRequest(**self._named(one))
        encoded = self._library.promote_persona(self._call("PromotePersona"), request)
        return pb.PromotePersonaResponse.FromString(encoded).library_persona

    def promote_group(self) -> pb.PromotePersonasResponse:
        project_id, group_id = id_text(self._group.project), id_text(self._group.group)
        request = pb.PromotePersonasRequest(project_id=project_id, group_id=group_id)
        encoded = self._library.promote_personas(self._call("PromotePersonas"), request)
        return pb.PromotePersonasResponse.FromString(encoded)

    def timeline(self, library_id: str) -> pb.GetLibraryPersonaAttitudeTimelineResponse:
        request = pb.GetLibraryPersonaAttitudeTimelineRequest(library_persona_id=library_id)
        encoded = self._library.get_library_persona_attitude_timeline(
            self._call("GetLibraryPersonaAttitudeTimeline"), request
        )
        return pb.GetLibraryPersonaAttitudeTimelineResponse.FromString(encoded)
