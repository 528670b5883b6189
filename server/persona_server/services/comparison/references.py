"""What real people answered, recorded of the personas that stand for them."""

from collections import defaultdict
from collections.abc import Sequence

from persona.v1.comparison_service_pb2 import RecordReferenceAnswersRequest
from persona.v1.fidelity_pb2 import GivenAnswer, ReferenceAnswer
from persona_server.errors import Violation, invalid
from persona_server.measures.answers import Kind, Question, set_value
from persona_server.services.library.reliability_messages import question_from
from persona_server.services.parents import require_group
from persona_server.services.responses.answerers import ids_not_found
from persona_server.services.responses.external_ids import name_by_id
from persona_server.storage.derived.questions import question_hash
from persona_server.storage.derived.texts import set_text
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.references import Reference
from persona_server.storage.store import Transaction
from persona_server.validation.fields import repeated
from persona_server.validation.limits import MAX_REFERENCES
from persona_server.validation.violations import MAX_VIOLATIONS

_FIELD = "reference_answers"


def record_references(repositories: Transaction, request: RecordReferenceAnswersRequest) -> int:
    """Keep validated answers in place of those that their individuals had to the same questions.

    Return how many are new or other ones. Raises PROJECT_NOT_FOUND, PERSONA_GROUP_NOT_FOUND,
    PERSONA_NOT_FOUND naming the answers, INVALID_FIELD for two of an individual to one question and
    for too many, and QUOTA_EXCEEDED.
    """
    require_group(repositories, request.project_id, request.group_id)
    name_by_id(repositories, request.group_id, request.reference_answers, _FIELD)
    individuals = _individuals(repositories, request)
    given = list(map(_reference, request.reference_answers, individuals))
    _require_different(given)
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for i, individual in enumerate(individuals):
        places[individual].append(i)
    found = [_changed(repositories, given, each) for each in places.values()]
    changed = [one for theirs, _ in found for one in theirs]
    repositories.store_bytes(sum(size for _, size in found))
    repositories.references.put(changed)
    return len(changed)


def number_of(question: Question, given: GivenAnswer) -> int:
    """Return an answer as a series has it."""
    if question.kind is Kind.RATING:
        return given.rating
    if question.kind is Kind.CHOICE:
        return question.options.index(given.options[0])
    return set_text(set_value(given.options)).id


def _individuals(repositories: Transaction, request: RecordReferenceAnswersRequest) -> list[bytes]:
    """Return whose answers they are. Raises PERSONA_NOT_FOUND for those the group does not show."""
    ids = [one.persona_id for one in request.reference_answers]
    group, raw = id_bytes(request.group_id), {text: id_bytes(text) for text in set(ids)}
    found = repositories.personas.ancestry(list(raw.values()))
    shown = {
        text: found[one].individual
        for text, one in raw.items()
        if one in found and found[one].visible and found[one].group_id == group
    }
    if missing := [i for i, text in enumerate(ids) if text not in shown]:
        raise ids_not_found(missing, ids, _FIELD, " in this persona group")
    return [shown[text] for text in ids]


def _reference(answer: ReferenceAnswer, individual: bytes) -> Reference:
    question = question_from(answer.question)
    retest = number_of(question, answer.retest) if answer.HasField("retest") else None
    content = ReferenceAnswer(question=answer.question, answer=answer.answer)
    if retest is not None:
        content.retest.CopyFrom(answer.retest)
    number, digest = number_of(question, answer.answer), question_hash(question)
    return Reference(individual, digest, number, retest, content.SerializeToString())


def _require_different(given: Sequence[Reference]) -> None:
    """No two answers are of one individual to one question."""
    found = [
        Violation(f"{_FIELD}[{i}]", f"is of the same individual and question as {_FIELD}[{first}]")
        for i, first in repeated([one[:2] for one in given])
    ]
    if found:
        raise invalid(found[:MAX_VIOLATIONS])


def _changed(
    repositories: Transaction, given: Sequence[Reference], places: Sequence[int]
) -> tuple[list[Reference], int]:
    """Return what a person has not answered before, or otherwise, and how many bytes more it is.

    Of the answers given those at `places` are of this person's individual.
    """
    known = repositories.references.of_individual(given[places[0]].individual)
    fresh = [i for i in places if given[i].question not in known]
    if len(known) + len(fresh) > MAX_REFERENCES:
        what = f"is of an individual with more than {MAX_REFERENCES} reference answers"
        raise invalid([Violation(f"{_FIELD}[{fresh[-1]}]", what)])
    changed, size = [], 0
    for one in (given[i] for i in places):
        said = known.get(one.question)
        if said is None or said[:2] != (one.answer, one.retest):
            size += len(one.content) - (said.size if said else 0)
            changed.append(one)
    return changed, size
