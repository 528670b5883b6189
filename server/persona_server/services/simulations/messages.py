"""Simulations and the questions asked in them as messages."""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1.response_pb2 import Response
from persona.v1.simulation_pb2 import AskedQuestion, Simulation
from persona_server.services.library.reliability_messages import question_message
from persona_server.services.times import timestamp
from persona_server.storage.derived.repository import AskedRow
from persona_server.storage.keys import id_text, split_position
from persona_server.storage.repositories.simulations import SimulationRow


def simulation_message(row: SimulationRow) -> Simulation:
    """Return a stored simulation as the contract shows it."""
    message = Simulation(
        id=id_text(row.id),
        project_id=id_text(row.project_id),
        name=row.name,
        description=row.description,
        model=row.model,
        prompt_version=row.prompt_version,
        response_count=row.response_count,
        individual_count=row.individual_count,
        created_at=timestamp(row.created_at),
        updated_at=timestamp(row.updated_at),
    )
    if row.first is not None and row.last is not None:
        message.first_answer_at.CopyFrom(_occurred_at(row.first))
        message.last_answer_at.CopyFrom(_occurred_at(row.last))
    if row.mark is not None:
        mark = Response.FromString(row.mark)
        message.voided_at.CopyFrom(mark.voided_at)
        message.void_reason = mark.void_reason
    return message


def asked_message(row: AskedRow, declared: Sequence[str]) -> AskedQuestion:
    """Return a question that was asked, with its options in declared order."""
    return AskedQuestion(
        question=question_message(row.question, declared),
        response_count=row.response_count,
        individual_count=row.individual_count,
        first_answer_at=_occurred_at(row.first),
        last_answer_at=_occurred_at(row.last),
    )


def _occurred_at(position: bytes) -> Timestamp:
    return timestamp(split_position(position)[0])
