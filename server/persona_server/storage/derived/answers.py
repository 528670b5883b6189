"""In what form responses are added to what is derived, and which are answers to measures."""

from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona_server.measures.answering import asked
from persona_server.measures.answers import Kind, Question
from persona_server.storage.derived.series import Entry
from persona_server.storage.derived.texts import ModelText, SetText, model_text, set_text
from persona_server.storage.keys import split_position


class Counted(NamedTuple):
    """What measures count of an answer, and the texts that it names."""

    entry: Entry
    model: ModelText
    set: SetText | None


class NewAnswer(NamedTuple):
    """An answer to add: whose it is, to what, where it stands, and what measures count of it.

    `order` is (recorded_at, occurred_at, id), `declared` has the options as this answer declares
    them. A text without themes is no answer to measures: nothing of it is counted.
    """

    individual: bytes
    question: Question
    order: bytes
    declared: tuple[str, ...]
    counted: Counted | None


def new_answer(
    response: Response, individual: bytes, simulation: bytes, position: bytes, recorded: bytes
) -> NewAnswer:
    """Return a response as it is added to what is derived.

    It is stored at `position`, (occurred_at, id), and at `recorded`, (recorded_at, id).
    """
    order = recorded[:8] + position
    if (found := asked(response)) is None:
        return NewAnswer(individual, question_of(response), order, (), None)
    question, value, declared = found
    items, shown_first = None, 0
    if isinstance(value, int):
        number = value
    elif question.kind is Kind.CHOICE:
        number = question.options.index(value)
        shown_first = question.options.index(declared[0])
    else:
        items = set_text(value)
        number = items.id
    model = model_text(response.model, response.prompt_version)
    new = tuple.__new__  # by their names, they take twice as long
    at, raw = split_position(position)
    entry = new(Entry, (at, raw, simulation, number, model.id, shown_first))
    counted = new(Counted, (entry, model, items))
    return new(NewAnswer, (individual, question, order, declared, counted))


def question_of(response: Response) -> Question:
    """Return what a response answers: a text without themes, too, answers that of its key."""
    found = asked(response)
    return Question.themes(response.question_key) if found is None else found.question
