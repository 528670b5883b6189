"""Responses made void: marked for good, and taken out of what is derived from answers."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import RecordResponsesResponse
from persona_server.errors import Violation, invalid
from persona_server.services.parents import response_not_found, simulation_not_found
from persona_server.storage.derived.answers import NewAnswer, new_answer
from persona_server.storage.derived.participation import Place
from persona_server.storage.derived.writing import MOST_AGAIN, TooMuchAgainError
from persona_server.storage.engine.errors import driver_errors_translated, faults_kept_apart
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.personas import Ancestry
from persona_server.storage.repositories.response_lists import SHOWN
from persona_server.storage.repositories.responses import ResponseRow, Stored
from persona_server.storage.store import Store, Transaction
from persona_server.validation.violations import MAX_VIOLATIONS

CHUNK = 1000  # answers of a transaction; writers wait for a second at most
TOO_MUCH_AGAIN = (
    f"are of individuals with more than {MOST_AGAIN} earlier answers to the same questions, and a "
    "call reads at most so many of these again: send fewer at a time"
)


class Voided(NamedTuple):
    """How many responses were voided, and whether anything was written."""

    responses: int
    changed: bool


def void_responses(repositories: Transaction, response_ids: Sequence[str], reason: str) -> Voided:
    """Void those of these responses that stand.

    Those who gave them and are not in the library wait for automatic promotion: what is left may be
    reliable. Raises RESPONSE_NOT_FOUND, and INVALID_FIELD where they are of individuals with too
    many answers.
    """
    ids = [id_bytes(response_id) for response_id in response_ids]
    found = repositories.responses.stored(ids)
    for raw in ids:
        if raw not in found:
            raise response_not_found(id_text(raw))
    standing = [found[raw] for raw in ids if found[raw].stands]
    ancestry = _ancestry(repositories, standing)
    _void(repositories, standing, dict.fromkeys(ids, reason), ancestry, "response_ids")
    _queue(repositories, ancestry)
    return Voided(len(standing), changed=bool(standing))


def void_simulation(repositories: Transaction, simulation_id: str, reason: str) -> Voided:
    """Void a simulation with all that was recorded in it. Raises SIMULATION_NOT_FOUND.

    Its mark is obeyed at once; what is counted of its answers is taken out by `settle_voids`.
    """
    simulation = id_bytes(simulation_id)
    found = repositories.simulations.find(simulation)
    if found is None:
        raise simulation_not_found(simulation_id, where="")
    if found.mark is not None:
        return Voided(0, changed=False)
    repositories.simulations.void(simulation, _mark(reason, repositories.now))
    return Voided(found.response_count, changed=True)


def settle_voids(store: Store, stopping: Callable[[], bool]) -> int:
    """Take out what is counted of the answers of void simulations; return how many answers.

    In transactions of at most 1,000.
    """
    count = 0
    with driver_errors_translated(), faults_kept_apart() as apart:
        for tenant in sorted(store.tenants.voiding()):
            with apart():
                for settled in _settlements(store, tenant, stopping):
                    count += settled
    return count


def _settlements(store: Store, tenant: str, stopping: Callable[[], bool]) -> Iterator[int]:
    """Yield how many answers of void simulations were taken out, by each transaction."""
    with store.reading(tenant) as repositories:
        waiting = list(repositories.simulations.voiding())
    for simulation in waiting:
        chunk = settled = CHUNK
        while settled == chunk and not stopping():
            try:
                with store.writing(tenant, None) as transaction:
                    settled = _settle(transaction, simulation, chunk)
            except TooMuchAgainError:
                settled = chunk = chunk // 10
                continue
            yield settled


def _settle(repositories: Transaction, simulation: bytes, chunk: int) -> int:
    """Take at most so many answers of a void simulation out, and return how many these are.

    Raises TooMuchAgainError for more than one.
    """
    after = repositories.simulations.voiding().get(simulation)
    if after is None:  # it was rebuilt meanwhile
        return 0
    gone = repositories.responses.counted(simulation, after, chunk)
    if gone:
        repositories.simulations.settled_until(simulation, gone[-1].position)
        ancestry = _ancestry(repositories, gone)
        place = Place(gone[0].project_id, simulation)
        _take_out(repositories, place, gone, ancestry, is_bounded=chunk > 1)
        _queue(repositories, ancestry)
    if len(gone) < chunk:
        repositories.simulations.settled(simulation)
    return len(gone)


def supersede(
    repositories: Transaction,
    responses: Sequence[Response],
    rows: Sequence[ResponseRow],
    answers: Mapping[int, NewAnswer],
) -> set[bytes]:
    """Void what new responses supersede, before they are added; return the ids of that.

    `answers` are those of `rows`, by their places among the responses of the request. Raises
    INVALID_FIELD for what is not a standing answer of the same individual to the same question in
    the same simulation.
    """
    new = dict(zip(answers, rows, strict=True))
    targets = {i: id_bytes(responses[i].supersedes) for i in answers if responses[i].supersedes}
    if not targets:
        return set()
    found = repositories.responses.stored(list(set(targets.values())))
    ancestry = _ancestry(repositories, found.values())
    bad = [
        Violation(f"responses[{i}].supersedes", what)
        for i, raw in targets.items()
        if (what := _refusal(found.get(raw), answers[i], new[i], ancestry))
    ]
    if bad:
        raise invalid(bad[:MAX_VIOLATIONS])
    reasons = {raw: f"superseded by {id_text(new[i].id)}" for i, raw in targets.items()}
    _void(repositories, list(found.values()), reasons, ancestry, "responses")
    return set(reasons)


def _refusal(
    target: Stored | None, answer: NewAnswer, row: ResponseRow, ancestry: Mapping[bytes, Ancestry]
) -> str:
    """Return what is wrong with superseding a response, or ""."""
    if target is None or target.persona_id not in ancestry:
        return "is not the id of a response"
    if not target.stands:
        return "names a response that is void"
    old = _answer(target, ancestry[target.persona_id].individual)
    same = (old.question, old.individual, target.simulation_id)
    if same != (answer.question, answer.individual, row.simulation_id):
        return "must name an answer of the same individual to the same question in this simulation"
    return ""


def _void(
    repositories: Transaction,
    standing: Collection[Stored],
    reasons: Mapping[bytes, str],
    ancestry: Mapping[bytes, Ancestry],
    field: str,
) -> None:
    """Void responses that stand, each for its reason, one simulation after the other.

    `field` is that of the request which names them. Raises INVALID_FIELD where they are of
    individuals with too many answers.
    """
    places: defaultdict[Place, list[Stored]] = defaultdict(list)
    for one in standing:
        places[Place(one.project_id, one.simulation_id)].append(one)
    try:
        for place, gone in places.items():
            marks = {one.id: _mark(reasons[one.id], repositories.now) for one in gone}
            repositories.responses.void(marks)
            _take_out(repositories, place, gone, ancestry)
    except TooMuchAgainError:
        raise invalid([Violation(field, TOO_MUCH_AGAIN)]) from None


def _take_out(
    repositories: Transaction,
    place: Place,
    gone: Collection[Stored],
    ancestry: Mapping[bytes, Ancestry],
    *,
    is_bounded: bool = True,
) -> None:
    """Take responses of one simulation out of what is derived, and of what the library counts.

    Raises TooMuchAgainError where it `is_bounded`.
    """
    # Those of a persona whose erasure has broken off too, which goes on with what stands.
    whose = repositories.personas.individual_of({one.persona_id for one in gone})
    answers = [_answer(one, whose[one.persona_id]) for one in gone]
    repositories.derived.remove(place, answers, is_bounded=is_bounded)
    repositories.library.uncount_responses([one.persona_id for one in gone], ancestry)


def _queue(repositories: Transaction, ancestry: Mapping[bytes, Ancestry]) -> None:
    waiting = [persona for persona, parents in ancestry.items() if parents.may_be_promoted]
    repositories.promotions.add(waiting, repositories.now)


def _ancestry(repositories: Transaction, stored: Collection[Stored]) -> dict[bytes, Ancestry]:
    personas = {one.persona_id for one in stored}
    return repositories.personas.ancestry(list(personas)) if personas else {}


def _answer(stored: Stored, individual: bytes) -> NewAnswer:
    (response,) = RecordResponsesResponse.FromString(stored.framed + SHOWN).responses
    return new_answer(response, individual, stored.simulation_id, stored.position, stored.recorded)


def _mark(reason: str, now: int) -> bytes:
    """Return what the message of a void response has more."""
    mark = Response(void_reason=reason)
    mark.voided_at.FromMicroseconds(now)
    return mark.SerializeToString()
