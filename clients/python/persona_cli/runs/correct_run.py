"""What a corrected file changes: its answers beside those that stand in their places."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona_cli.files.answers.answer import SimulationResponse, made_id
from persona_cli.files.inputs import InputFile, Line
from persona_cli.files.json_lines import LineError
from persona_cli.runs.journal import Journal
from persona_cli.runs.record_run import RecordRun
from persona_cli.terminal.answers import answer_text
from persona_client import PersonaClient
from persona_server.validation.responses import OUTPUT_ONLY

# What tells who answered and where, not what was said.
_NO_CONTENT = ("id", "persona_id", "persona_external_id", "supersedes", *OUTPUT_ONLY)


class Correction(NamedTuple):
    """An answer that stands, and the one that is to take its place."""

    line: Line[SimulationResponse]
    before: Response

    @property
    def change(self) -> tuple[str, str]:
        """What it was and what it is to be: the answer, or the first field that differs."""
        after = self.line.item.response
        was, becomes = answer_text(self.before), answer_text(after)
        if was != becomes:
            return was, becomes
        name = next(_differing(_content(self.before), _content(after)), "")
        return (_field(name, self.before), _field(name, after)) if name else (was, becomes)


class CorrectRun(RecordRun):
    """One run: the service is asked what each answer would repeat, and records nothing.

    Of a simulation all answers that stand are in memory.
    """

    def __init__(self, inputs: list[InputFile], group_id: str, journal: Journal) -> None:
        super().__init__(inputs, group_id, journal)
        self.corrections: list[Correction] = []
        self.unchanged = 0
        self.missing = 0  # that answer what the individual has not answered yet
        self._standing: dict[str, Standing] = {}  # by simulation
        self._taken_places: set[str] = set()

    def _record(
        self, client: PersonaClient, simulation_id: str, lines: list[Line[SimulationResponse]]
    ) -> int:
        for line in lines:  # so that one of the same content is beside the one that stands
            line.item.response.ClearField("id")
            line.item.response.ClearField("supersedes")
        lines, done = self._taken(client, simulation_id, lines, validate_only=True)
        standing = self._standing_of(client, simulation_id)
        repeated = {warning.index: warning.earlier_response_id for warning in done.warnings}
        for index, line in enumerate(lines):
            place = repeated.get(index, "")
            if index in repeated and (place not in standing.by_id or place in self._taken_places):
                why = "answers what an answer of this file does: one individual, one question"
                self._refusals.add(line.position, LineError(why))
            else:
                self._taken_places.add(place)
                self._compare(line, standing, place)
        return 0

    def _compare(self, line: Line[SimulationResponse], standing: "Standing", place: str) -> None:
        before = standing.by_id.get(place)
        if before is None:
            self.missing += 1
            return
        response = line.item.response
        own = made_id(line.item.simulation_id, response)
        if not response.HasField("occurred_at"):
            response.occurred_at.CopyFrom(before.occurred_at)
        if _content(response) == _content(before):
            self.unchanged += 1
            return
        if others := standing.beside(before):  # which would count in its place
            why = "has other answers that stand: make them void by `persona responses void`"
            self._refusals.add(line.position, LineError(f"{why} ({', '.join(others)})"))
            return
        response.supersedes = before.id
        # That which recording the file gives it, so that this would record nothing twice; but the
        # same may have been said before, and be void.
        taken = own in standing.ids
        response.id = made_id(line.item.simulation_id, response) if taken else own
        self.corrections.append(Correction(line, before))

    def _standing_of(self, client: PersonaClient, simulation_id: str) -> "Standing":
        if simulation_id not in self._standing:
            found = client.list_responses(simulation_id=simulation_id)
            self._standing[simulation_id] = Standing(found)
        return self._standing[simulation_id]


class Standing:
    """The answers of a simulation that stand, by their ids, and the `ids` of all."""

    def __init__(self, responses: Iterable[Response]) -> None:
        self.by_id: dict[str, Response] = {}
        self.ids: set[str] = set()
        self._places: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
        for response in responses:
            self.ids.add(response.id)
            if not response.HasField("voided_at"):
                self.by_id[response.id] = response
                self._places[_place(response)].append(response.id)

    def beside(self, response: Response) -> list[str]:
        """Return the ids of the others of the same persona to the same question."""
        return [each for each in self._places[_place(response)] if each != response.id]


def _place(response: Response) -> tuple[object, ...]:
    """Return who answered what: a question is known by its key and scale."""
    kind = response.WhichOneof("answer")
    rating = response.rating if kind == "rating" else None
    options = getattr(response, kind).options if kind in {"choice", "choices"} else ()
    scale = (rating.min, rating.max) if rating else frozenset(options)
    return response.persona_id, response.question_key, kind, scale


def _content(response: Response) -> Response:
    content = Response()
    content.CopyFrom(response)
    for name in _NO_CONTENT:
        content.ClearField(name)  # type: ignore[arg-type]  # the stub wants literal names
    return content


def _differing(one: Response, other: Response) -> Iterator[str]:
    for field in Response.DESCRIPTOR.fields:
        if getattr(one, field.name) != getattr(other, field.name):
            yield field.name


def _field(name: str, response: Response) -> str:
    value = getattr(response, name)
    text = value.ToJsonString() if name == "occurred_at" else value
    return f"{name}: {', '.join(text) if name == 'themes' else text}"
