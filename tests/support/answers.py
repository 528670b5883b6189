"""Make answers for tests over gRPC, record them, and read them back."""

from collections.abc import Iterator
from typing import Any

from persona.v1 import response_service_pb2 as pb
from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from support.data import at
from support.service import Caller

# One good answer of each kind.
KINDS: dict[str, Any] = {
    "choice": ChoiceAnswer(value="b", options=["a", "b"]),
    "choices": ChoicesAnswer(values=["c", "a"], options=["a", "b", "c"]),
    "rating": RatingAnswer(value=0, min=-3, max=3),
    "sentiment": -0.123456,
    "text": "Too dear.\nToo small.",
}


def answer(persona_id: str, **fields: Any) -> Response:
    """Return an answer of a persona, a rating unless the fields say otherwise."""
    given: dict[str, Any] = {"question_key": "nps", **fields}
    if not KINDS.keys() & given.keys():
        given["rating"] = RatingAnswer(value=4, min=1, max=5)
    return Response(persona_id=persona_id, **given)


def rich_answer(persona_id: str, **fields: Any) -> Response:
    """Return an answer that has every field a client can set, but for its id."""
    given: dict[str, Any] = {
        "question_text": "Would you recommend it?",
        "choice": KINDS["choice"],
        "themes": ["price", "größe"],
        "quote": "I would,\nif it were cheaper.",
        "model": "sim-1",
        "prompt_version": "v7",
        "occurred_at": at(1_700_000_000_123_456),
    }
    return answer(persona_id, **(given | fields))


def record(
    caller: Caller, simulation_id: str, *answers: Response, request_id: str = ""
) -> list[Response]:
    """Record answers and return them as recorded."""
    request = pb.RecordResponsesRequest(
        simulation_id=simulation_id, responses=answers, request_id=request_id
    )
    return list(caller.responses.RecordResponses(request).responses)


def pages(caller: Caller, **arguments: Any) -> Iterator[pb.ListResponsesResponse]:
    """Yield every page of a list."""
    seen = {""}
    page = caller.responses.ListResponses(pb.ListResponsesRequest(**arguments))
    yield page
    while page.next_page_token:
        assert page.next_page_token not in seen, "a walk that stands still never ends"
        seen.add(page.next_page_token)
        request = pb.ListResponsesRequest(**arguments, page_token=page.next_page_token)
        page = caller.responses.ListResponses(request)
        yield page


def listed(caller: Caller, **arguments: Any) -> list[Response]:
    """Return every response of a list."""
    return [one for page in pages(caller, **arguments) for one in page.responses]


def answerer(caller: Caller, response_id: str) -> Persona:
    """Return the persona that gave a response."""
    request = pb.GetResponsePersonaRequest(response_id=response_id)
    return caller.responses.GetResponsePersona(request).persona
