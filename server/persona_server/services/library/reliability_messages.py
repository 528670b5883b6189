"""What was measured of an individual, as the contract's messages."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from persona.v1 import measures_pb2
from persona.v1.persona_pb2 import Persona
from persona_server.measures.answers import Answer, Kind, Question
from persona_server.measures.contradictions import Contradiction
from persona_server.measures.individual.points import unit
from persona_server.measures.individual.policy import Rule
from persona_server.measures.individual.reliability import Estimate, Reliability
from persona_server.measures.individual.shortfall import Shortfall
from persona_server.measures.reasons import Reason
from persona_server.services.library.individuals import Measurement
from persona_server.storage.keys import dashed, id_text

Listed = TypeVar("Listed", bound=Message)

VERSION = 2  # of the formulas
_OTHER_POPULATION = 0.2  # by so much chance agreement may differ in the same population
_MOST = 1000  # simulations, contradictions and models that an answer lists
_MOST_BYTES = 1 << 20  # of contradictions: each may have 64 KiB of options, the answer 3.5 MiB
_MOST_MODELS = 64 << 10  # bytes of models that a library persona keeps, which pages hold many of
_MOST_PAIRS = 2**31 - 1  # what the contract's int32 holds: pairs grow with the square of answers
_KINDS = {kind: measures_pb2.QuestionKind.Value(f"QUESTION_KIND_{kind.name}") for kind in Kind}


def question_message(
    question: Question, options: Sequence[str] | None = None
) -> measures_pb2.Question:
    """Return a question with its scale, its options in another order if one is given.

    The bounds are those of a rating.
    """
    message = measures_pb2.Question(
        key=question.key,
        kind=_KINDS[question.kind],
        options=question.options if options is None else options,
    )
    if question.kind is Kind.RATING:
        message.min, message.max = question.minimum, question.maximum
    return message


def question_from(message: measures_pb2.Question) -> Question:
    """Return the question that a message tells: that of a target, or of a reference answer."""
    if message.kind == measures_pb2.QUESTION_KIND_RATING:
        return Question.rating(message.key, message.min, message.max)
    if message.kind == measures_pb2.QUESTION_KIND_CHOICES:
        return Question.choices(message.key, message.options)
    return Question.choice(message.key, message.options)


def reason_value(reason: Reason | None) -> "measures_pb2.UndefinedReason.ValueType":
    """Return why a figure is missing; UNSPECIFIED if it is not."""
    if reason is None:
        return measures_pb2.UNDEFINED_REASON_UNSPECIFIED
    return measures_pb2.UndefinedReason.Value(f"UNDEFINED_REASON_{reason.name}")


def reliability_message(measurement: Measurement, now: int) -> measures_pb2.Reliability:
    """Return the figures, without any list but that of rules. `now`: microseconds."""
    found = measurement.reliability
    contradictions = found.contradictions
    message = measures_pb2.Reliability(
        version=VERSION,
        status=_status(found),
        rules=[_rule(rule) for rule in found.rules],
        coefficient_reason=reason_value(found.reason),
        contradiction_rate_reason=reason_value(contradictions.reason),
        simulation_count=len(found.simulations),
        question_count=len(found.questions),
        contradicting_pair_count=min(contradictions.contradicting_pairs, _MOST_PAIRS),
        pair_count=min(contradictions.pairs, _MOST_PAIRS),
        mixed_models=found.mixed_models,
        reliable_change_count=measurement.reliable_changes,
        explanation=measurement.explanation,
        least_individuals=found.crowd[0],
        most_individuals=found.crowd[1] or found.most_individuals,
    )
    _set(message, contradiction_rate=contradictions.rate, unseen_share=found.unseen_share)
    _set(message.styles, **found.styles._asdict())
    if found.estimate is not None:
        _add_estimate(message, found.estimate)
    if found.shortfall is not None:
        _add_shortfall(message.shortfall, found.shortfall)
    message.measured_at.FromMicroseconds(now)
    return message


def _status(found: Reliability) -> "measures_pb2.ReliabilityStatus.ValueType":
    return measures_pb2.ReliabilityStatus.Value(f"RELIABILITY_STATUS_{found.status.name}")


def kept_message(measurement: Measurement, now: int) -> measures_pb2.Reliability:
    """Return what a library persona keeps of it: the figures, and the ids of simulations."""
    message = reliability_message(measurement, now)
    for simulation in measurement.reliability.simulations[:_MOST]:
        message.simulations.add(simulation_id=simulation)
    return message


def full_message(
    measurement: Measurement, now: int, library_persona_id: bytes | None, *, pending: bool
) -> measures_pb2.Reliability:
    """Return everything that was measured, and where the individual stands with the library."""
    found = measurement.reliability
    message = reliability_message(measurement, now)
    message.simulations.extend(_simulations(found))
    listed = map(_contradiction, found.contradictions.found[:_MOST])
    message.contradictions.extend(within_bytes(listed, _MOST_BYTES))
    message.models.extend(_models(found))
    if library_persona_id is not None:
        message.library_persona_id.value = id_text(library_persona_id)
    message.promotion_pending = pending
    return message


def row_message(
    persona: Persona, found: Reliability, explanation: str, library_persona_id: bytes | None
) -> measures_pb2.PersonaReliability:
    """Return what a list says of the individual that a persona is."""
    message = measures_pb2.PersonaReliability(
        persona_id=persona.id,
        full_name=persona.full_name,
        status=_status(found),
        question_count=len(found.questions),
        simulation_count=len(found.simulations),
        explanation=explanation,
    )
    _set(message, contradiction_rate=found.contradictions.rate)
    if (estimate := found.estimate) is not None:
        _set(message, coefficient=estimate.coefficient)
        _set(message, lower_bound=estimate.low, upper_bound=estimate.high)
    if library_persona_id is not None:
        message.library_persona_id.value = id_text(library_persona_id)
    return message


def compare_population(today: measures_pb2.Reliability, promoted: measures_pb2.Reliability) -> None:
    """Say whether today's population is another than that at promotion, where both are known."""
    if today.HasField("mean_chance") and promoted.HasField("mean_chance"):
        ratio = today.mean_chance.value / promoted.mean_chance.value
        today.population_differs.value = abs(ratio - 1) >= _OTHER_POPULATION


def _add_estimate(message: measures_pb2.Reliability, estimate: Estimate) -> None:
    message.basis = measures_pb2.ReliabilityBasis.Value(f"RELIABILITY_BASIS_{estimate.basis.name}")
    _set(
        message,
        coefficient=estimate.coefficient,
        lower_bound=estimate.low,
        upper_bound=estimate.high,
        attainable=estimate.attainable,
        question_variance=estimate.question_variance,
        simulation_variance=estimate.simulation_variance,
        mean_disagreement=estimate.mean_own,
        mean_chance=estimate.mean_chance,
    )


def _add_shortfall(message: measures_pb2.ReliabilityShortfall, found: Shortfall) -> None:
    message.mean_chance = found.mean_chance
    _set(
        message,
        questions_needed=found.questions_needed,
        questions_needed_with_more_simulations=found.questions_needed_with_more_simulations,
    )


def _simulations(found: Reliability) -> Iterator[measures_pb2.SimulationReliability]:
    without = found.estimate.without if found.estimate else {}
    apart = {one.simulation_id: one for one in found.outlying}
    for simulation in found.simulations[:_MOST]:
        message = measures_pb2.SimulationReliability(simulation_id=simulation)
        _set(message, coefficient_without=without.get(simulation))
        if (one := apart.get(simulation)) is not None:
            message.outlying = one.outlying
            _set(message, z=one.z)
        yield message


def _set(message: Message, **figures: float | None) -> None:
    """Set those wrapped figures that are known."""
    for name, figure in figures.items():
        if figure is not None:
            getattr(message, name).value = figure


def kept_models(measurement: Measurement) -> Iterator[measures_pb2.ModelVersion]:
    """Yield the models that a library persona says its reliability came from."""
    return within_bytes(_models(measurement.reliability), _MOST_MODELS)


def _models(found: Reliability) -> Iterator[measures_pb2.ModelVersion]:
    for model, version in found.models[:_MOST]:
        yield measures_pb2.ModelVersion(model=model, prompt_version=version)


def within_bytes(messages: Iterable[Listed], most_bytes: int) -> Iterator[Listed]:
    """Yield messages until they have more than so many bytes in total."""
    size = 0
    for message in messages:
        size += message.ByteSize()
        if size > most_bytes:
            return
        yield message


def _rule(rule: Rule) -> measures_pb2.ReliabilityRule:
    message = measures_pb2.ReliabilityRule(name=rule.name, limit=rule.limit, holds=rule.holds)
    _set(message, figure=rule.figure)
    return message


def _contradiction(found: Contradiction) -> measures_pb2.Contradiction:
    return measures_pb2.Contradiction(
        question=question_message(found.question),
        first_response_id=dashed(found.first.response_id),
        second_response_id=dashed(found.second.response_id),
        contradicting_pair_count=min(found.contradicting_pairs, _MOST_PAIRS),
        pair_count=min(found.pairs, _MOST_PAIRS),
        first_answer=_answer(found.first),
        second_answer=_answer(found.second),
    )


def _answer(said: Answer) -> measures_pb2.ContradictingAnswer:
    message = measures_pb2.ContradictingAnswer()
    message.occurred_at.FromMicroseconds(said.occurred_at)
    if isinstance(said.value, int):
        message.value.value = said.value / unit(said.question.kind)
    else:
        message.choice.value = said.value
    return message
