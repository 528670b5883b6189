"""The one way by which answers are recorded: all of a batch or none, each once."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona.v1.response_pb2 import Response
from persona_server.errors import ServiceError, Violation, invalid
from persona_server.services.framing import ELEMENT, content, frame
from persona_server.services.indexes import ranges
from persona_server.services.parents import already_exists
from persona_server.storage import keys
from persona_server.storage.derived.answers import NewAnswer, new_answer
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.personas import Ancestry
from persona_server.storage.repositories.responses import DELETED, SHOWN, ResponseRow
from persona_server.storage.store import Transaction
from persona_server.validation.violations import MAX_VIOLATIONS

_MICROS = 1_000_000
# The tag of persona_deleted. Its value is always on the wire, also when it is false: so a message
# has one length, and a read computes its last byte.
_PERSONA_DELETED = b"\xa0\x01"


class Recorded(NamedTuple):
    """The framed responses in the order of the request, their ids, and how many are new."""

    framed: list[bytes]
    ids: list[bytes]
    number: int
    project_id: bytes


class _Batch(NamedTuple):
    """A batch as it is recorded: all of it framed with its ids, and what of it is new."""

    framed: list[bytes]
    ids: list[bytes]
    rows: list[ResponseRow]
    answers: list[NewAnswer]


class Answerer(NamedTuple):
    """Where the persona of a response stands: its keys, its parents as text, its last byte."""

    persona: bytes
    parents: Ancestry
    project_id: str
    group_id: str
    library_persona_id: str | None
    flag: bytes


def record_responses(
    repositories: Transaction,
    simulation_id: str,
    responses: Sequence[Response],
    *,
    queues: bool = False,
) -> Recorded:
    """Record validated responses of one simulation, all or none.

    With `queues`, those who answered and are not in the library wait for automatic promotion. A
    response that was recorded with the same content is returned as it is. Raises ServiceError
    PERSONA_NOT_FOUND, INVALID_FIELD for another project's persona, and ALREADY_EXISTS.
    """
    answerers = _answerers(repositories, responses)
    simulation = id_bytes(simulation_id)
    bound_to = repositories.responses.simulation(simulation)
    project = bound_to or answerers[responses[0].persona_id].parents.project_id
    _require_project(responses, answerers, project)
    if bound_to is None:
        repositories.responses.insert_simulation(simulation, project, repositories.now)
    batch = _batch(repositories, simulation_id, responses, answerers)
    repositories.responses.insert(batch.rows)
    repositories.store_bytes(sum(len(row.framed) for row in batch.rows))
    repositories.derived.add(batch.answers, repositories.now)
    _tell_library(repositories, batch.rows, answerers, queues=queues)
    return Recorded(batch.framed, batch.ids, len(batch.rows), project)


def _batch(
    repositories: Transaction,
    simulation_id: str,
    responses: Sequence[Response],
    answerers: dict[str, Answerer],
) -> _Batch:
    """Return a batch as it is recorded. Raises ALREADY_EXISTS."""
    wanted_ids = [id_bytes(response.id) for response in responses]  # b"": the server makes it
    known = repositories.responses.known([raw for raw in wanted_ids if raw])
    simulation, end = id_bytes(simulation_id), _end(repositories.now)
    batch = _Batch([], [], [], [])
    for i, (response, raw) in enumerate(zip(responses, wanted_ids, strict=True)):
        stored = known.get(raw)
        if stored is not None:
            _require_same(response, simulation_id, stored, f"responses[{i}].id")
            batch.framed.append(stored)
            batch.ids.append(raw)
            continue
        answerer = answerers[response.persona_id]
        row = _row(repositories, simulation, simulation_id, response, answerer, i, end)
        batch.rows.append(row)
        batch.framed.append(row.framed + answerer.flag)
        batch.ids.append(row.id)
        individual = answerer.parents.individual
        if answer := new_answer(response, individual, simulation, row.position):
            batch.answers.append(answer)
    return batch


def _tell_library(
    repositories: Transaction,
    fresh: Sequence[ResponseRow],
    answerers: dict[str, Answerer],
    *,
    queues: bool,
) -> None:
    """Count the answers of individuals in the library; queue the others for promotion."""
    counts = Counter(row.persona_id for row in fresh)
    answered: Counter[bytes] = Counter()
    waiting = []
    for answerer in answerers.values():
        library_persona_id = answerer.parents.library_persona_id
        if library_persona_id is not None:
            answered[library_persona_id] += counts[answerer.persona]
        elif counts[answerer.persona] and answerer.parents.visible:
            waiting.append(answerer.persona)
    repositories.library.count_responses(answered)
    if queues:
        repositories.promotions.add(waiting, repositories.now)


def _answerers(repositories: Transaction, responses: Sequence[Response]) -> dict[str, Answerer]:
    """Return where each persona named stands, by its id. Raises PERSONA_NOT_FOUND."""
    texts = {text: id_bytes(text) for text in {response.persona_id for response in responses}}
    found = repositories.personas.ancestry(list(texts.values()))
    names = {raw: id_text(raw) for parents in found.values() for raw in parents[:2]}
    answerers = {
        text: Answerer(
            raw,
            found[raw],
            names[found[raw].project_id],
            names[found[raw].group_id],
            _source(found[raw]),
            SHOWN if found[raw].visible else DELETED,
        )
        for text, raw in texts.items()
        if raw in found
    }
    missing = [i for i, response in enumerate(responses) if response.persona_id not in answerers]
    if missing:
        raise _personas_not_found(missing, responses)
    return answerers


def _source(parents: Ancestry) -> str | None:
    """Return the library persona that a reused copy was sourced from."""
    library_persona_id = parents.library_persona_id if parents.is_copy else None
    return None if library_persona_id is None else id_text(library_persona_id)


def _require_project(
    responses: Sequence[Response], answerers: dict[str, Answerer], project: bytes
) -> None:
    if all(answerer.parents.project_id == project for answerer in answerers.values()):
        return
    what = f"belongs to another project than the simulation, whose project is {id_text(project)}"
    bad = (
        Violation(f"responses[{i}].persona_id", what)
        for i, response in enumerate(responses)
        if answerers[response.persona_id].parents.project_id != project
    )
    raise invalid(list(islice(bad, MAX_VIOLATIONS)))


def _require_same(response: Response, simulation_id: str, framed: bytes, path: str) -> None:
    """Refuse an id that was recorded with another content."""
    stored, wanted = Response.FromString(content(framed)), Response()
    wanted.CopyFrom(response)
    wanted.simulation_id = simulation_id
    if not response.HasField("occurred_at"):
        stored.ClearField("occurred_at")
    for name in ("project_id", "group_id", "library_persona_id", "recorded_at", "persona_deleted"):
        stored.ClearField(name)
    if wanted != stored:
        raise already_exists("response", path, response.id, visible=True)


def _end(now: int) -> bytes:
    """Return the last fields of every response of a batch, encoded, from recorded_at on."""
    end = Response()
    end.recorded_at.seconds, rest = divmod(now, _MICROS)
    end.recorded_at.nanos = rest * 1000
    return end.SerializeToString() + _PERSONA_DELETED + SHOWN


def _row(
    repositories: Transaction,
    simulation: bytes,
    simulation_id: str,
    response: Response,
    answerer: Answerer,
    i: int,
    end: bytes,
) -> ResponseRow:
    """Give a new response what the server gives, and return it as a row. `end` is of `_end`."""
    now, occurred = repositories.now, response.occurred_at
    if response.HasField("occurred_at"):
        micros = occurred.seconds * _MICROS + occurred.nanos // 1000
    else:
        micros = now + i
        occurred.seconds, rest = divmod(micros, _MICROS)
        occurred.nanos = rest * 1000
    if not response.id:
        response.id = keys.new_id(now)
    response.simulation_id = simulation_id
    response.project_id, response.group_id = answerer.project_id, answerer.group_id
    if answerer.library_persona_id is not None:
        response.library_persona_id.value = answerer.library_persona_id
    raw_id = id_bytes(response.id)
    framed = frame(ELEMENT, response.SerializeToString() + end)
    return ResponseRow(
        repositories.tenant,
        raw_id,
        simulation,
        answerer.parents.project_id,
        answerer.parents.group_id,
        answerer.persona,
        keys.position(micros, raw_id),
        response.question_key,
        len(framed),
        framed[:-1],
        answerer.parents.library_persona_id if answerer.parents.is_copy else None,
    )


def _personas_not_found(missing: Sequence[int], responses: Sequence[Response]) -> ServiceError:
    """PERSONA_NOT_FOUND, naming every answer to drop: as violations, and as ranges of indexes."""
    persona_id = responses[missing[0]].persona_id
    what = "is not the id of a persona"
    return ServiceError(
        errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND,
        f"There is no persona {persona_id}. Nothing was recorded. Remove the {len(missing)} of "
        f"{len(responses)} responses whose persona does not exist, and send the others again.",
        metadata={"persona_id": persona_id, "indexes": ranges(missing)},
        violations=[
            Violation(f"responses[{i}].persona_id", f"{what}: {responses[i].persona_id}")
            for i in missing[:MAX_VIOLATIONS]
        ],
        violations_total=len(missing),
    )
