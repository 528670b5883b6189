"""A few individuals of the library, used in several groups, for tests that only read them."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from persona.v1 import library_service_pb2 as pb
from persona.v1 import persona_service_pb2 as personas_pb
from persona.v1.comparison_service_pb2 import SummarizeResponsesRequest
from support.data import make_place, rich_persona
from support.library import answer_reliably, individual, reuse
from support.service import Caller

INDIVIDUALS = 3


class Shelf:
    """Individuals that were promoted in one group, `home`, and reused in another, `place`."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.home, self.place = make_place(caller), make_place(caller)
        self.library_personas = [individual(self.home) for _ in range(INDIVIDUALS)]
        self.ids = [one.id for one in self.library_personas]
        self.copies = reuse(self.place, *self.ids)

    def eligible(self) -> Any:
        """Return the request that promotes one more persona of `home`."""
        one = self.home.create(rich_persona()).id
        answer_reliably(self.home, one)
        return pb.PromotePersonaRequest(**self.home.ids, persona_id=one)


def library_requests(shelf: Shelf, group: dict[str, str]) -> dict[str, Callable[[], Message]]:
    """Return how to make a good request of every route of the library, by the route's key.

    `group` is an empty one to put individuals into.
    """
    one: dict[str, Any] = {"library_persona_id": shelf.ids[0]}
    copy: dict[str, Any] = {**shelf.place.ids, "persona_id": shelf.copies[0].id}
    named: dict[str, Any] = dict(group)
    return {
        "GetPersonaLineage": lambda: personas_pb.GetPersonaLineageRequest(**copy, page_size=1),
        "ListLibraryPersonaProjects": lambda: pb.ListLibraryPersonaProjectsRequest(
            **one, page_size=1
        ),
        "GetReliability": lambda: pb.GetReliabilityRequest(**copy),
        "GetLibraryPersonaReliability": lambda: pb.GetLibraryPersonaReliabilityRequest(**one),
        "ListReliabilities": lambda: pb.ListReliabilitiesRequest(**shelf.place.ids, page_size=1),
        "PromotePersona": shelf.eligible,
        "PromotePersonas": lambda: pb.PromotePersonasRequest(
            **shelf.home.ids, persona_ids=[shelf.eligible().persona_id]
        ),
        "ListLibraryPersonas": lambda: pb.ListLibraryPersonasRequest(
            page_size=2,
            gender="female",
            lower_bound_min=0.5,
            include_retired=True,
            order_by="created_at desc",
        ),
        "GetLibraryPersona": lambda: pb.GetLibraryPersonaRequest(**one),
        "RetireLibraryPersona": lambda: pb.RetireLibraryPersonaRequest(
            library_persona_id=individual(make_place(shelf.caller)).id
        ),
        "MatchLibraryPersonas": lambda: pb.MatchLibraryPersonasRequest(
            **named, page_size=1, exclude_used_in_project=True, min_score=0.25
        ),
        "ReuseLibraryPersonas": lambda: pb.ReuseLibraryPersonasRequest(
            **named, library_persona_ids=shelf.ids[:2]
        ),
        "GetAttitudeTimeline": lambda: pb.GetAttitudeTimelineRequest(**copy, page_size=3),
        "GetLibraryPersonaAttitudeTimeline": lambda: pb.GetLibraryPersonaAttitudeTimelineRequest(
            **one, page_size=3
        ),
        "SummarizeResponses": lambda: SummarizeResponsesRequest(page_size=3),
    }
