"""Which responses are answers that measures count, and in what form they are added."""

from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona_server.measures.answering import asked
from persona_server.measures.answers import Question
from persona_server.storage.derived.series import Entry
from persona_server.storage.keys import split_position


class NewAnswer(NamedTuple):
    """An answer to add: whose it is, to what, and the rest of it."""

    individual: bytes
    question: Question
    entry: Entry


def new_answer(
    response: Response, individual: bytes, simulation: bytes, position: bytes
) -> NewAnswer | None:
    """Return a response as measures count it, None if it is no answer.

    `position` is the one it is stored at: (occurred_at, id).
    """
    if (found := asked(response)) is None:
        return None
    question, value = found
    models = (response.model, response.prompt_version)
    return NewAnswer(
        individual, question, Entry(*split_position(position), simulation, value, *models)
    )
