"""What is suspicious about answers that were recorded all the same."""

from collections.abc import Mapping
from typing import NamedTuple

from persona.v1.response_service_pb2 import (
    RECORD_WARNING_REASON_DUPLICATE_ANSWER,
    RecordWarning,
)
from persona_server.measures.answers import Question
from persona_server.services.framing import frame
from persona_server.storage.keys import id_text
from persona_server.storage.store import Repositories

_WARNING = b"\x12"  # field 2 of RecordResponsesResponse


class RecordedAnswer(NamedTuple):
    """A recorded response: what it answers, whose it is, and its id."""

    question: Question
    individual: bytes
    response: bytes


def repeated_answers(
    repositories: Repositories, simulation: bytes, asked: Mapping[int, RecordedAnswer]
) -> dict[int, bytes]:
    """Return which responses of a simulation are not their individual's first to the question.

    Each by its place, with the response that is.
    """
    wanted = {(one.question, one.individual) for one in asked.values()}
    first = repositories.derived.first_recorded(simulation, wanted) if wanted else {}
    return {
        place: first[one.question, one.individual]
        for place, one in asked.items()
        if first[one.question, one.individual] != one.response
    }


def framed_warnings(repeated: Mapping[int, bytes]) -> bytes:
    """Return warnings as fields of the answer, from the first response by place in the request."""
    return b"".join(
        frame(_WARNING, _warning(place, id_text(repeated[place])).SerializeToString())
        for place in sorted(repeated)
    )


def _warning(place: int, first: str) -> RecordWarning:
    return RecordWarning(
        index=place,
        reason=RECORD_WARNING_REASON_DUPLICATE_ANSWER,
        message="Its individual has answered this question in this simulation before: "
        f"response {first}.",
        earlier_response_id=first,
    )
