"""From a line of a file to an answer: JSON lines of the contract, and CSV with named columns."""

import hashlib
import uuid
from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple

from persona.v1.response_pb2 import Response
from persona_cli.files.answer_rows import response_of_row
from persona_cli.files.csv_lines import csv_items
from persona_cli.files.json_lines import (
    LineError,
    NumberedLines,
    json_items,
    parse_message,
)
from persona_server.validation.fields import UUID
from persona_server.validation.responses import OUTPUT_ONLY, response_violations

# Of ids made here. The same answer has the same id in every run, so it is recorded once.
_NAMESPACE = uuid.UUID("6f1d7a0e-8c53-5f0b-9f5e-2d1c3b4a5968")
_PATH = "response"


class AnswerFormat(StrEnum):
    """How a file of answers is written."""

    AUTO = "auto"
    JSONL = "jsonl"
    CSV = "csv"


class SimulationResponse(NamedTuple):
    """An answer and the simulation that it was given in."""

    simulation_id: str
    response: Response


def answer_items(
    lines: NumberedLines, form: AnswerFormat, simulation_id: str
) -> Iterator[tuple[int, SimulationResponse | LineError]]:
    """Yield the answers of a file; those that name no simulation are of `simulation_id`."""
    first = next((line for line in lines if line[1].strip()), None)
    if first is None:
        return
    lines = chain((first,), lines)
    if form is AnswerFormat.AUTO:
        is_json = first[1].lstrip().startswith((b"{", b"["))
        form = AnswerFormat.JSONL if is_json else AnswerFormat.CSV
    if form is AnswerFormat.CSV:
        yield from csv_items(lines, lambda row: _checked(response_of_row(row), simulation_id))
    else:
        yield from json_items(lines, lambda value: _checked(_from_json_line(value), simulation_id))


def id_of(answer: SimulationResponse) -> str:
    """Return the id of an answer, which may not repeat."""
    return answer.response.id


def _from_json_line(value: dict[str, Any]) -> Response:
    ignored = OUTPUT_ONLY - {"simulation_id"}
    return parse_message(value, Response(), ignored, _PATH)


def _checked(response: Response, simulation_id: str) -> SimulationResponse:
    """Check an answer as the service does, and give it an id. Raises LineError."""
    simulation = (response.simulation_id or simulation_id).lower()
    if not simulation:
        raise LineError("has no simulation_id, and --simulation is not given")
    if not UUID.fullmatch(simulation):
        raise LineError("simulation_id must be a UUID in 8-4-4-4-12 form")
    if found := response_violations(response, _PATH):
        raise LineError("; ".join(f"{_below(v.field)} {v.description}" for v in found))
    response.id = response.id or _made_id(simulation, response)
    return SimulationResponse(simulation, response)


def _below(field: str) -> str:
    return field.removeprefix(f"{_PATH}.")


def _made_id(simulation_id: str, response: Response) -> str:
    """Make an id of the simulation and all that the answer says."""
    content = hashlib.sha256(response.SerializeToString(deterministic=True)).hexdigest()
    return str(uuid.uuid5(_NAMESPACE, f"{simulation_id} {content}"))
