"""The one way by which answers are recorded: all of a batch or none, each once."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import RecordResponsesResponse
from persona_server.errors import Violation, invalid
from persona_server.services.framing import ELEMENT, content, frame
from persona_server.services.parents import already_exists
from persona_server.services.responses.answerers import Answerer, answerers_of
from persona_server.services.responses.voiding import TOO_MUCH_AGAIN, supersede
from persona_server.services.responses.warnings import (
    RecordedAnswer,
    framed_warnings,
    repeated_answers,
)
from persona_server.services.times import micros_of, set_time
from persona_server.storage import keys
from persona_server.storage.derived.answers import NewAnswer, new_answer, question_of
from persona_server.storage.derived.participation import Place
from persona_server.storage.derived.writing import (
    MOST_OF_ONE,
    TooLongError,
    TooMuchAgainError,
)
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.responses import ResponseRow
from persona_server.storage.repositories.simulations import About
from persona_server.storage.store import Repositories, Transaction
from persona_server.validation.responses import OUTPUT_ONLY
from persona_server.validation.violations import MAX_VIOLATIONS

# The tag of persona_deleted. Its value is always on the wire, also when it is false: so a message
# has one length, and a read computes its last byte.
_PERSONA_DELETED = b"\xa0\x01"


class Recorded(NamedTuple):
    """The framed responses in the order of the request, their ids, and how many are new.

    `warnings` is those about them, as fields of the answer.
    """

    framed: list[bytes]
    ids: list[bytes]
    number: int
    project_id: bytes
    warnings: bytes


class _Batch(NamedTuple):
    """A batch as it is recorded: all of it framed with its ids, and what of it is new.

    `known` has the others that stand by their places in the request, `places` those of `answers`.
    """

    framed: list[bytes]
    ids: list[bytes]
    known: dict[int, RecordedAnswer]
    places: list[int]
    rows: list[ResponseRow]
    answers: list[NewAnswer]


def record_responses(
    repositories: Transaction,
    simulation_id: str,
    responses: Sequence[Response],
    by_external_id: Collection[int] = (),
) -> Recorded:
    """Record validated responses of one simulation, all or none.

    Those at the places `by_external_id` named their persona so. Those who answered and are not in
    the library wait for automatic promotion. A response that was recorded with the same content is
    returned as it is. Raises ServiceError PERSONA_NOT_FOUND, INVALID_FIELD for another project's
    persona, for what can't be superseded, for new ones in a void simulation and for those of
    individuals who have answered too often, and ALREADY_EXISTS.
    """
    answerers = answerers_of(repositories, responses)
    simulation = id_bytes(simulation_id)
    bound_to = repositories.simulations.project(simulation)
    project = bound_to or answerers[responses[0].persona_id].parents.project_id
    _require_project(responses, answerers, project, by_external_id)
    if bound_to is None:
        repositories.simulations.insert(simulation, project, About(), repositories.now)
    now = repositories.responses.next_recorded_at(repositories.now)
    batch = _batch(repositories, simulation_id, responses, answerers, now)
    if batch.rows and repositories.simulations.is_void(simulation):
        raise invalid([Violation("simulation_id", "is void: record answers in another simulation")])
    if any(response.supersedes for response in responses):
        answers = dict(zip(batch.places, batch.answers, strict=True))
        _show_void(repositories, batch, supersede(repositories, responses, batch.rows, answers))
    repositories.responses.insert(batch.rows)
    repositories.store_bytes(sum(len(row.framed) for row in batch.rows))
    new = _derived(repositories, Place(project, simulation), batch)
    _tell_library(repositories, batch.rows, answerers)
    repeated = repeated_answers(repositories, simulation, batch.known)
    repeated.update({batch.places[i]: first for i, first in new.items()})
    warnings = framed_warnings(repeated)
    return Recorded(batch.framed, batch.ids, len(batch.rows), project, warnings)


def _batch(
    repositories: Transaction,
    simulation_id: str,
    responses: Sequence[Response],
    answerers: dict[str, Answerer],
    now: int,
) -> _Batch:
    """Return a batch as it is recorded at a time. Raises ALREADY_EXISTS."""
    wanted_ids = [id_bytes(response.id) for response in responses]  # b"": the server makes it
    known = repositories.responses.known([raw for raw in wanted_ids if raw])
    made = iter(repositories.new_ids(wanted_ids.count(b"")))
    simulation, begin = id_bytes(simulation_id), keys.position(now, b"")
    ends = {text: _end(one, simulation_id, now) for text, one in answerers.items()}
    batch, new = _Batch([], [], {}, [], [], []), tuple.__new__  # by its name, a row takes longer
    for i, (response, raw) in enumerate(zip(responses, wanted_ids, strict=True)):
        persona_id = response.persona_id
        persona, parents, *_ = answerers[persona_id]
        project, group, _, individual, library, is_copy = parents
        if (stored := known.get(raw)) is not None:
            if _require_same(response, simulation_id, stored, f"responses[{i}].id"):
                batch.known[i] = RecordedAnswer(question_of(response), individual, raw)
            batch.framed.append(stored)
            batch.ids.append(raw)
            continue
        if not raw:
            response.id = next(made)
            raw = id_bytes(response.id)  # noqa: PLW2901 (which it has from here on)
        position = keys.position(_occurred_at(response, now + i), raw)
        recorded = begin + raw
        framed = frame(ELEMENT, response.SerializeToString() + ends[persona_id])
        row = (
            repositories.tenant,
            raw,
            simulation,
            project,
            group,
            persona,
            position,
            response.question_key,
            len(framed),
            framed[:-1],
            library if is_copy else None,
            recorded,
        )
        batch.rows.append(new(ResponseRow, row))
        batch.framed.append(framed)
        batch.ids.append(raw)
        batch.answers.append(new_answer(response, individual, simulation, position, recorded))
        batch.places.append(i)
    return batch


def _derived(repositories: Transaction, place: Place, batch: _Batch) -> dict[int, bytes]:
    """Count what is new of a batch; return its repetitions as `derived.add` does.

    Raises INVALID_FIELD for who has answered too often.
    """
    try:
        return repositories.derived.add(place, batch.answers, repositories.now)
    except TooLongError as error:
        i = next(
            i
            for i, one in zip(batch.places, batch.answers, strict=True)
            if (one.question, one.individual) == (error.question, error.individual)
        )
        what = f"is of an individual that would have more than {MOST_OF_ONE} answers to it"
        raise invalid([Violation(f"responses[{i}].question_key", what)]) from None
    except TooMuchAgainError:
        raise invalid([Violation("responses", TOO_MUCH_AGAIN)]) from None


def _show_void(repositories: Repositories, batch: _Batch, superseded: set[bytes]) -> None:
    """Let those of a batch that were known, and are superseded by it, be what they are now."""
    places = [i for i in batch.known if batch.ids[i] in superseded]
    void = repositories.responses.known([batch.ids[i] for i in places])
    for i in places:
        batch.framed[i] = void[batch.ids[i]]
        del batch.known[i]  # which has those that stand


def rebuild_recorded(repositories: Repositories, kept: bytes) -> bytes:
    """Return the answer of a batch that was recorded, from its ids, and what was told about it.

    A response that was erased meanwhile has only its id. Nothing is told about it, nor about one
    that is void.
    """
    ids = [kept[i : i + 16] for i in range(0, len(kept), 16)]
    known = repositories.responses.known(ids)
    framed = b"".join(known.get(raw) or _only_id(raw) for raw in ids)
    there = {
        i: response
        for i, response in enumerate(RecordResponsesResponse.FromString(framed).responses)
        if ids[i] in known
    }
    if not there:
        return framed
    personas = {i: id_bytes(response.persona_id) for i, response in there.items()}
    # Those of a persona whose erasure has broken off too: they are there still.
    whose = repositories.personas.individual_of(set(personas.values()))
    asked = {
        i: RecordedAnswer(question_of(response), whose[personas[i]], ids[i])
        for i, response in there.items()
        if not response.HasField("voided_at")
    }
    simulation = id_bytes(next(iter(there.values())).simulation_id)
    return framed + framed_warnings(repeated_answers(repositories, simulation, asked))


def _only_id(raw: bytes) -> bytes:
    return frame(ELEMENT, Response(id=id_text(raw)).SerializeToString())


def _tell_library(
    repositories: Transaction,
    fresh: Sequence[ResponseRow],
    answerers: dict[str, Answerer],
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
    repositories.promotions.add(waiting, repositories.now)


def _require_project(
    responses: Sequence[Response],
    answerers: dict[str, Answerer],
    project: bytes,
    by_external_id: Collection[int],
) -> None:
    if all(answerer.parents.project_id == project for answerer in answerers.values()):
        return
    what = f"belongs to another project than the simulation, whose project is {id_text(project)}"
    bad = (
        Violation(f"responses[{i}].persona_{'external_' if i in by_external_id else ''}id", what)
        for i, response in enumerate(responses)
        if answerers[response.persona_id].parents.project_id != project
    )
    raise invalid(list(islice(bad, MAX_VIOLATIONS)))


def _require_same(response: Response, simulation_id: str, framed: bytes, path: str) -> bool:
    """Refuse an id that was recorded with another content; return whether that one stands."""
    stored, wanted = Response.FromString(content(framed)), Response()
    stands = not stored.HasField("voided_at")
    wanted.CopyFrom(response)
    given = {field.name for field, _ in response.ListFields()}
    wanted.simulation_id = simulation_id
    for name in ("occurred_at", "supersedes"):  # an answer that is there need not say them again
        if name not in given:
            stored.ClearField(name)
    for name in OUTPUT_ONLY - {"simulation_id"}:
        stored.ClearField(name)  # type: ignore[arg-type]  # the stub wants literal names
    if wanted != stored:
        raise already_exists("response", path, response.id, visible=True)
    return stands


def _end(answerer: Answerer, simulation_id: str, now: int) -> bytes:
    """Return the fields that the server adds to a response of a persona, encoded.

    They are the same of all that it gives in a batch. The last are recorded_at and persona_deleted.
    """
    end = Response(
        simulation_id=simulation_id, project_id=answerer.project_id, group_id=answerer.group_id
    )
    if answerer.library_persona_id is not None:
        end.library_persona_id.value = answerer.library_persona_id
    set_time(end.recorded_at, now)
    return end.SerializeToString() + _PERSONA_DELETED + answerer.flag


def _occurred_at(response: Response, now: int) -> int:
    """Return when an answer was given, in microseconds: now, unless it says."""
    if response.HasField("occurred_at"):
        return micros_of(response.occurred_at)
    set_time(response.occurred_at, now)
    return now
