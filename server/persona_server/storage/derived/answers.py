"""In what form responses are added to what is derived, and which are answers to measures."""

from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona_server.measures.answering import asked
from persona_server.measures.answers import Question
from persona_server.storage.derived.series import Entry
from persona_server.storage.keys import split_position


class NewAnswer(NamedTuple):
    """An answer to add: whose it is, to what, where it stands, and what measures count of it.

    `order` is (recorded_at, occurred_at, id). The entry is None of a text without themes, which is
    no answer to measures.
    """

    individual: bytes
    question: Question
    order: bytes
    entry: Entry | None


def new_answer(
    response: Response, individual: bytes, simulation: bytes, position: bytes, recorded: bytes
) -> NewAnswer:
    """Return a response as it is added to what is derived.

    It is stored at `position`, (occurred_at, id), and at `recorded`, (recorded_at, id).
    """
    order = recorded[:8] + position
    found = asked(response)
    if found is None:
        return NewAnswer(individual, question_of(response), order, None)
    question, value = found
    models = (response.model, response.prompt_version)
    entry = Entry(*split_position(position), simulation, value, *models)
    return NewAnswer(individual, question, order, entry)


def question_of(response: Response) -> Question:
    """Return what a response answers: a text without themes, too, answers that of its key."""
    found = asked(response)
    return Question.themes(response.question_key) if found is None else found[0]
