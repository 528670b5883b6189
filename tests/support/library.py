"""Make individuals that answer reliably, promote and reuse them, and read what is said of them.

Their answers are worked case 2 of the measures: 16 questions rated from 1 to 5, asked in 4
simulations. The individual always says 4, five others 2, 3, 3, 4 and 5; to every second question
all of them say the opposite, so that nobody follows the form of the questions. It is perfect
agreement, of which that much data allow the lower bound BOUND. The others are new ones in each
simulation: nobody else answers twice.
"""

from collections.abc import Iterator
from typing import Any

from persona.v1 import library_service_pb2 as pb
from persona.v1 import persona_service_pb2 as personas_pb
from persona.v1.library_pb2 import LibraryPersona, LibraryPersonaProject
from persona.v1.measures_pb2 import QuestionTimeline, Reliability
from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import RatingAnswer, Response
from support.answers import answer, record
from support.data import Place, at, make_place, rich_persona, uid
from support.service import Caller

QUESTIONS, SIMULATIONS = 16, 4
OWN, PEERS = 4, (2, 3, 3, 4, 5)
BOUND = 0.810456  # also what is attainable
DAY = 86_400_000_000  # microseconds
START = 1_750_000_000_000_000  # of the first simulation, in microseconds since 1970


def ratings(persona_id: str, tag: str, value: int, day: int = 0, **fields: Any) -> list[Response]:
    """Return one persona's answers to every question of a tag on one day."""
    return [
        answer(
            persona_id,
            question_key=f"{tag}-{i:02d}",
            rating=RatingAnswer(value=6 - value if i % 2 else value, min=1, max=5),
            occurred_at=at(START + day * DAY),
            **fields,
        )
        for i in range(QUESTIONS)
    ]


def peer_answers(peers: list[str], tag: str, day: int = 0) -> list[Response]:
    """Return what the peers say to every question of a tag on one day."""
    given = zip(peers, PEERS, strict=True)
    return [one for peer, value in given for one in ratings(peer, tag, value, day)]


def answer_reliably(place: Place, persona_id: str, tag: str = "") -> str:
    """Record what makes a persona of a place eligible, and return the tag of its questions.

    The questions are its own, so that no other individual changes its figures. The peers are in a
    group of their own, in the same project.
    """
    tag = tag or uid()
    peers = make_place(place.caller, place.project)
    for day in range(SIMULATIONS):
        others = peer_answers([one.id for one in peers.fill(len(PEERS))], tag, day)
        record(place.caller, uid(), *others, *ratings(persona_id, tag, OWN, day))
    return tag


def promote(place: Place, persona_id: str, request_id: str = "") -> LibraryPersona:
    """Promote a persona of a place."""
    request = pb.PromotePersonaRequest(**place.ids, persona_id=persona_id, request_id=request_id)
    return place.caller.library.PromotePersona(request).library_persona


def individual(place: Place, **fields: Any) -> LibraryPersona:
    """Make a persona in a place, let it answer, and promote it."""
    one = place.create(rich_persona(**fields)).id
    answer_reliably(place, one)
    return promote(place, one)


def reuse(place: Place, *library_persona_ids: str, request_id: str = "") -> list[Persona]:
    """Put individuals into a place."""
    request = pb.ReuseLibraryPersonasRequest(
        **place.ids, library_persona_ids=library_persona_ids, request_id=request_id
    )
    return list(place.caller.library.ReuseLibraryPersonas(request).personas)


def retire(caller: Caller, library_persona_id: str) -> LibraryPersona:
    """End the reuse of an individual."""
    request = pb.RetireLibraryPersonaRequest(library_persona_id=library_persona_id)
    return caller.library.RetireLibraryPersona(request).library_persona


def library_persona(caller: Caller, library_persona_id: str) -> LibraryPersona:
    """Return a library persona."""
    request = pb.GetLibraryPersonaRequest(library_persona_id=library_persona_id)
    return caller.library.GetLibraryPersona(request).library_persona


def reliability(caller: Caller, **named: str) -> Reliability:
    """Return an individual's reliability, named by three ids or by its library persona."""
    if "library_persona_id" in named:
        request = pb.GetLibraryPersonaReliabilityRequest(**named)
        return caller.library.GetLibraryPersonaReliability(request).reliability
    return caller.library.GetReliability(pb.GetReliabilityRequest(**named)).reliability


def timeline(caller: Caller, library_persona_id: str, **arguments: Any) -> list[QuestionTimeline]:
    """Return all timelines of a library persona's individual."""
    request = pb.GetLibraryPersonaAttitudeTimelineRequest(
        library_persona_id=library_persona_id, **arguments
    )
    pages = _pages(caller.library.GetLibraryPersonaAttitudeTimeline, request)
    return [one for page in pages for one in page.timelines]


def persona_timeline(place: Place, persona_id: str, **arguments: Any) -> list[QuestionTimeline]:
    """Return all timelines of the individual that a persona of a place is."""
    request = pb.GetAttitudeTimelineRequest(**(place.ids | {"persona_id": persona_id}), **arguments)
    pages = _pages(place.caller.library.GetAttitudeTimeline, request)
    return [one for page in pages for one in page.timelines]


def projects_of(
    caller: Caller, library_persona_id: str, **arguments: Any
) -> list[LibraryPersonaProject]:
    """Return every use of an individual."""
    request = pb.ListLibraryPersonaProjectsRequest(
        library_persona_id=library_persona_id, **arguments
    )
    pages = _pages(caller.library.ListLibraryPersonaProjects, request)
    return [one for page in pages for one in page.projects]


def lineage(
    place: Place, persona_id: str, **arguments: Any
) -> list[personas_pb.GetPersonaLineageResponse]:
    """Return every page of a persona's lineage."""
    request = personas_pb.GetPersonaLineageRequest(**place.ids, persona_id=persona_id, **arguments)
    return list(_pages(place.caller.personas.GetPersonaLineage, request))


def _pages(call: Any, request: Any) -> Iterator[Any]:
    page, seen = call(request), {""}
    yield page
    while page.next_page_token:
        assert page.next_page_token not in seen, "a walk that stands still never ends"
        seen.add(page.next_page_token)
        request.page_token = page.next_page_token
        page = call(request)
        yield page
