"""What was measured of an individual, as the contract's messages."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from google.protobuf.message import Message

from persona.v1 import measures_pb2
from persona_server.measures.answers import Kind, Question
from persona_server.measures.contradictions import Contradiction
from persona_server.measures.policy import Rule
from persona_server.measures.reasons import Reason
from persona_server.measures.reliability import Reliability
from persona_server.services.library.individuals import Measurement
from persona_server.storage.keys import id_text

Listed = TypeVar("Listed", bound=Message)

_MOST = 1000  # contradictions, and models, that an answer lists
_MOST_BYTES = 1 << 20  # of contradictions: each may have 64 KiB of options, the answer 3.5 MiB
_MOST_MODELS = 64 << 10  # bytes of models that a library persona keeps, which pages hold many of
_MOST_PAIRS = 2**31 - 1  # what the contract's int32 holds: pairs grow with the square of answers


def question_message(question: Question) -> measures_pb2.Question:
    """Return a question with its scale. The bounds are those of a rating."""
    message = measures_pb2.Question(
        key=question.key,
        kind=measures_pb2.QuestionKind.Value(f"QUESTION_KIND_{question.kind.name}"),
        options=question.options,
    )
    if question.kind is Kind.RATING:
        message.min, message.max = question.minimum, question.maximum
    return message


def reason_value(reason: Reason | None) -> "measures_pb2.UndefinedReason.ValueType":
    """Return why a figure is missing; UNSPECIFIED if it is not."""
    if reason is None:
        return measures_pb2.UNDEFINED_REASON_UNSPECIFIED
    return measures_pb2.UndefinedReason.Value(f"UNDEFINED_REASON_{reason.name}")


def reliability_message(measurement: Measurement, now: int) -> measures_pb2.Reliability:
    """Return the figures without the lists of contradictions and models. `now`: microseconds."""
    found = measurement.reliability
    estimate, contradictions = found.estimate, found.contradictions
    message = measures_pb2.Reliability(
        status=measures_pb2.ReliabilityStatus.Value(f"RELIABILITY_STATUS_{found.status.name}"),
        rules=[_rule(rule) for rule in found.rules],
        coefficient_reason=reason_value(estimate.reason),
        lower_bound_reason=reason_value(estimate.lower_bound_reason),
        contradiction_rate_reason=reason_value(contradictions.reason),
        simulation_count=found.simulations,
        question_count=len(found.agreements),
        contradicting_pair_count=min(contradictions.contradicting_pairs, _MOST_PAIRS),
        pair_count=min(contradictions.pairs, _MOST_PAIRS),
        mixed_models=found.mixed_models,
        reliable_change_count=measurement.reliable_changes,
    )
    for name, figure in (
        ("coefficient", estimate.coefficient),
        ("lower_bound", estimate.lower_bound),
        ("attainable", estimate.attainable),
        ("contradiction_rate", contradictions.rate),
    ):
        if figure is not None:
            getattr(message, name).value = figure
    message.measured_at.FromMicroseconds(now)
    return message


def full_message(
    measurement: Measurement, now: int, library_persona_id: bytes | None, *, pending: bool
) -> measures_pb2.Reliability:
    """Return everything that was measured, and where the individual stands with the library."""
    found = measurement.reliability
    message = reliability_message(measurement, now)
    listed = map(_contradiction, found.contradictions.found[:_MOST])
    message.contradictions.extend(_fitting(listed, _MOST_BYTES))
    message.models.extend(_models(found))
    if library_persona_id is not None:
        message.library_persona_id.value = id_text(library_persona_id)
    message.promotion_pending = pending
    return message


def kept_models(measurement: Measurement) -> Iterator[measures_pb2.ModelVersion]:
    """Yield the models that a library persona says its reliability came from."""
    return _fitting(_models(measurement.reliability), _MOST_MODELS)


def _models(found: Reliability) -> Iterator[measures_pb2.ModelVersion]:
    for model, version in found.models[:_MOST]:
        yield measures_pb2.ModelVersion(model=model, prompt_version=version)


def _fitting(messages: Iterable[Listed], most_bytes: int) -> Iterator[Listed]:
    size = 0
    for message in messages:
        size += message.ByteSize()
        if size > most_bytes:
            return
        yield message


def _rule(rule: Rule) -> measures_pb2.ReliabilityRule:
    message = measures_pb2.ReliabilityRule(name=rule.name, limit=rule.limit, holds=rule.holds)
    if rule.figure is not None:
        message.figure.value = rule.figure
    return message


def _contradiction(found: Contradiction) -> measures_pb2.Contradiction:
    return measures_pb2.Contradiction(
        question=question_message(found.question),
        first_response_id=found.first.response_id,
        second_response_id=found.second.response_id,
        contradicting_pair_count=min(found.contradicting_pairs, _MOST_PAIRS),
        pair_count=min(found.pairs, _MOST_PAIRS),
    )
