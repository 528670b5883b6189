"""What reference answers must be, and what a measurement of fidelity may name."""

from persona.v1.comparison_service_pb2 import (
    MeasureFidelityRequest,
    MeasureGroupFidelityRequest,
    RecordReferenceAnswersRequest,
)
from persona.v1.fidelity_pb2 import GivenAnswer, ReferenceAnswer
from persona.v1.measures_pb2 import (
    QUESTION_KIND_CHOICE,
    QUESTION_KIND_CHOICES,
    QUESTION_KIND_RATING,
    Question,
)
from persona_server.validation.fields import check_items, check_line, check_name, check_uuid
from persona_server.validation.limits import (
    LINES,
    LISTS,
    MAX_REFERENCES,
    MAX_RESPONSE_BYTES,
)
from persona_server.validation.violations import Violations, found_by

_FEWEST = {QUESTION_KIND_CHOICE: 2, QUESTION_KIND_CHOICES: 1}  # options


def check_references(found: Violations, request: RecordReferenceAnswersRequest) -> None:
    """Check and normalise the batch of a RecordReferenceAnswersRequest."""
    answers, path = request.reference_answers, "reference_answers"
    if not 1 <= len(answers) <= MAX_REFERENCES:
        found.add(path, f"must contain 1 to {MAX_REFERENCES} answers, has {len(answers)}")
        return
    for i, answer in enumerate(answers):
        _check_reference(found, answer, f"{path}[{i}]")


def check_fidelity(
    found: Violations, request: MeasureFidelityRequest | MeasureGroupFidelityRequest
) -> None:
    """Check and normalise which answers are measured."""
    for name in ("project_id", "group_id", "persona_id"):
        if name in request.DESCRIPTOR.fields_by_name:
            setattr(request, name, check_uuid(found, name, getattr(request, name), required=True))
    request.simulation_id = check_uuid(
        found, "simulation_id", request.simulation_id, required=False
    )
    check_line(found, "model", request.model, LINES["model"])
    if isinstance(request, MeasureGroupFidelityRequest):
        check_line(found, "question_key", request.question_key, LINES["question_key"])


def reference_violations(answer: ReferenceAnswer, path: str) -> Violations:
    """Check and normalise one reference answer, as it stands at `path`."""
    return found_by(lambda found: _check_reference(found, answer, path))


def _check_reference(found: Violations, answer: ReferenceAnswer, path: str) -> None:
    where, external_id = f"{path}.persona_id", answer.persona_external_id
    if external_id:
        check_name(found, f"{path}.persona_external_id", external_id, LINES["external_id"])
    if external_id and answer.persona_id:
        found.add(where, "must be left empty beside a persona_external_id")
    else:
        answer.persona_id = check_uuid(found, where, answer.persona_id, required=not external_id)
    if not answer.HasField("answer"):
        found.add(f"{path}.answer", "is required")
    question = answer.question
    offered = _offered(found, f"{path}.question", question)
    if offered is not None:
        for name in ("answer", "retest"):
            if answer.HasField(name):
                _check_given(found, f"{path}.{name}", question, offered, getattr(answer, name))
    if (size := answer.ByteSize()) > MAX_RESPONSE_BYTES:
        found.add(path, f"must have at most {MAX_RESPONSE_BYTES} bytes on the wire, has {size}")


def _offered(found: Violations, path: str, question: Question) -> set[str] | None:
    """Check a question, and return its options; None if answers to it can't be checked."""
    check_name(found, f"{path}.key", question.key, LINES["question_key"])
    if question.kind == QUESTION_KIND_RATING:
        if question.min < question.max and not question.options:
            return set()
        found.add(path, "a rating must have min below max, and no options")
    elif question.kind in _FEWEST:
        return _different_options(found, path, question)
    else:
        what = "must be QUESTION_KIND_CHOICE, QUESTION_KIND_CHOICES or QUESTION_KIND_RATING"
        found.add(f"{path}.kind", what)
    return None


def _different_options(found: Violations, path: str, question: Question) -> set[str] | None:
    options, fewest, most = list(question.options), _FEWEST[question.kind], LISTS["options"].most
    offered = set(options)
    if not fewest <= len(offered) == len(options) <= most or question.min or question.max:
        what = f"a choice must have {fewest} to {most} different options, and no bounds"
        found.add(path, what)
        return None
    check_items(found, f"{path}.options", options, LISTS["options"].characters)
    return offered


def _check_given(
    found: Violations, path: str, question: Question, offered: set[str], given: GivenAnswer
) -> None:
    """Check an answer on the scale of a question that offers these options, or bounds."""
    if question.kind == QUESTION_KIND_RATING:
        if given.options:
            found.add(f"{path}.options", "must be left empty for a rating")
        if not question.min <= given.rating <= question.max:
            what = f"must be {question.min} to {question.max}, is {given.rating}"
            found.add(f"{path}.rating", what)
        return
    chosen = list(given.options)
    if given.rating:
        found.add(f"{path}.rating", "must be left empty for a choice")
    if question.kind == QUESTION_KIND_CHOICE and len(chosen) != 1:
        found.add(f"{path}.options", f"must contain the one that was chosen, has {len(chosen)}")
    elif len(set(chosen)) < len(chosen) or not offered.issuperset(chosen):
        found.add(f"{path}.options", "must be different ones of the question's options")
