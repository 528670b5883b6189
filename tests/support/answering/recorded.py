"""Answers of stored personas, recorded in a line of a test."""

from typing import Any

from persona.v1.response_pb2 import RatingAnswer, Response
from persona_server.services.responses.recording import Recorded, record_responses
from persona_server.storage.keys import id_text
from support.answering.measuring import Batch, record_all
from support.answers import answer
from support.data import at, persona, uid
from support.stored import StoredGroup

DAY = 1_700_000_000_000_000


def one(group: StoredGroup) -> bytes:
    """Add a persona, and return its id."""
    (added,) = group.add(persona())
    return added


def rating(value: int) -> RatingAnswer:
    """Return a rating on a scale from 1 to 5."""
    return RatingAnswer(value=value, min=1, max=5)


def record(group: StoredGroup, simulation: str, *answers: Response) -> Recorded:
    """Record answers of one simulation at once."""
    with group.store.writing(group.tenant, None) as repositories:
        return record_responses(repositories, simulation, answers)


def one_each(group: StoredGroup, personas: list[bytes], simulation: str = "") -> Recorded:
    """Record an answer of each persona."""
    return record(group, simulation or uid(), *[answer(id_text(one)) for one in personas])


def say(
    group: StoredGroup, who: bytes, micros: int, simulation: str = "", **fields: Any
) -> Response:
    """Record one answer at a time, in a simulation of its own or a named one."""
    response = answer(id_text(who), id=uid(), occurred_at=at(DAY + micros), **fields)
    record_all(group, [Batch(simulation or uid(), [response])])
    return response
