"""What every layout makes of a row: answers, or why there is none."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from persona.v1.response_pb2 import Response
from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.table import Cells
from persona_server.validation.fields import UUID
from persona_server.validation.responses import response_violations

# Of ids made here. The same answer has the same id in every run, so it is recorded once.
_NAMESPACE = uuid.UUID("6f1d7a0e-8c53-5f0b-9f5e-2d1c3b4a5968")
_PATH = "response"
_SHOWN, _SHOWN_OPTIONS = 40, 8  # characters of an option, and options, that a refusal shows


class Answer(NamedTuple):
    """An answer as a row gives it.

    `column` names it where a row gives several; `apart` tells it from an equal one of its file.
    """

    response: Response
    column: str = ""
    apart: str = ""


@dataclass(slots=True)
class Tally:
    """What there is to say of rows beside their answers."""

    skipped: int = 0  # cells of questions that say nothing
    notes: Counter[str] = field(default_factory=Counter)  # what was not taken as it stood


class Layout(Protocol):
    """How rows hold answers."""

    @property
    def title(self) -> str:
        """What it is, as its user calls it."""

    @property
    def width(self) -> int:
        """How many answers a row holds that can't be read."""

    def answers(self, row: Cells) -> Iterator[Answer | LineError]:
        """Yield the answers of a row, or why one is none. Raises LineError about all of them."""

    def part(self, row: Cells, column: str) -> Cells:
        """Return a row with no other answer than the one that a column names."""


class SimulationResponse(NamedTuple):
    """An answer, the simulation that it was given in, and where in which row it stood."""

    simulation_id: str
    response: Response
    row: Cells
    column: str
    layout: Layout

    @property
    def cells(self) -> Cells:
        """The row with no other answer."""
        return self.layout.part(self.row, self.column)


def id_of(answer: SimulationResponse) -> str:
    """Return the id of an answer, which may not repeat."""
    return answer.response.id


def checked(answer: Answer, simulation_id: str, row: Cells, layout: Layout) -> SimulationResponse:
    """Check an answer of a row as the service does, and give it an id.

    One that names no simulation is of `simulation_id`. Raises LineError.
    """
    response = answer.response
    simulation = (response.simulation_id or simulation_id).lower()
    if not simulation:
        raise LineError("has no simulation_id, and --simulation is not given")
    if not UUID.fullmatch(simulation):
        raise LineError("simulation_id must be a UUID in 8-4-4-4-12 form")
    if found := response_violations(response, _PATH):
        said = "; ".join(f"{_below(v.field)} {v.description}" for v in found)
        said += _beside_options(response)
        raise LineError(f"{answer.column}: {said}" if answer.column else said)
    response.id = response.id or made_id(simulation, response, answer.apart)
    return SimulationResponse(simulation, response, row, answer.column, layout)


def _beside_options(response: Response) -> str:
    """Return what was chosen beside the options, and some of these; "" if nothing was."""
    if response.WhichOneof("answer") == "choice":
        chosen, options = [response.choice.value], response.choice.options
    else:
        chosen, options = list(response.choices.values), response.choices.options
    known = set(options)
    others = [value for value in chosen if value not in known]
    if not others or not options:
        return ""
    shown = [repr(option[:_SHOWN]) for option in options[:_SHOWN_OPTIONS]]
    more = ", …" if len(options) > len(shown) else ""
    return f": got {others[0][:_SHOWN]!r}, not {', '.join(shown)}{more}"


def made_id(simulation_id: str, response: Response, apart: str = "") -> str:
    """Return an id of the simulation and all that an answer says."""
    content = hashlib.sha256(response.SerializeToString(deterministic=True)).hexdigest()
    return str(uuid.uuid5(_NAMESPACE, f"{simulation_id} {content}{apart}"))


def _below(field: str) -> str:
    return field.removeprefix(f"{_PATH}.")
