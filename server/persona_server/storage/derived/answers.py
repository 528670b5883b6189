"""Which responses are answers that measures count, and in what form they are added."""

from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona_server.measures.answering import asked
from persona_server.measures.answers import Kind, Question
from persona_server.storage.derived.series import Entry
from persona_server.storage.derived.texts import ModelText, SetText, model_text, set_text
from persona_server.storage.keys import split_position


class NewAnswer(NamedTuple):
    """An answer to add: whose it is, to what, the rest of it, and the texts that it names."""

    individual: bytes
    question: Question
    entry: Entry
    declared: tuple[str, ...]  # the options, in the order of this answer
    model: ModelText
    set: SetText | None


def new_answer(
    response: Response, individual: bytes, simulation: bytes, position: bytes
) -> NewAnswer | None:
    """Return a response as measures count it, None if it is no answer.

    `position` is the one it is stored at: (occurred_at, id).
    """
    if (found := asked(response)) is None:
        return None
    question, value, declared = found
    model = model_text(response.model, response.prompt_version)
    items, shown_first = None, 0
    if isinstance(value, int):
        number = value
    elif question.kind is Kind.CHOICE:
        number = question.options.index(value)
        shown_first = question.options.index(declared[0])
    else:
        items = set_text(value)
        number = items.id
    entry = Entry(*split_position(position), simulation, number, model.id, shown_first)
    return NewAnswer(individual, question, entry, declared, model, items)
