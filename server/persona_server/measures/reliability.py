"""How reliably one individual answers: agreement over simulations, corrected for chance."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from persona_server.measures.agreement import Agreement, agreement, coefficient
from persona_server.measures.answers import Answer, Question, first_answers
from persona_server.measures.bound import attainable, lower_bound, simulation_variance
from persona_server.measures.contradictions import Contradictions, contradictions
from persona_server.measures.histogram import Histogram, Moments
from persona_server.measures.policy import Figures, Policy, Rule, Status, decide
from persona_server.measures.reasons import Reason

_DEFAULTS = Policy()


@dataclass(frozen=True, slots=True)
class Estimate:
    """The chance-corrected agreement C, its lower bound, and what both rest on.

    ``reason`` says why ``coefficient`` (then all) is None, ``lower_bound_reason`` why
    ``lower_bound`` is.
    """

    coefficient: float | None
    reason: Reason | None
    lower_bound: float | None
    lower_bound_reason: Reason | None
    attainable: float | None  # the bound that perfect agreement would have earned
    question_variance: float | None  # V_q
    simulation_variance: float | None  # V_s


@dataclass(frozen=True, slots=True)
class Reliability:
    """Everything measured of one individual, and whether it may be promoted."""

    status: Status
    rules: tuple[Rule, ...]
    simulations: int  # S: those with an answer to a comparable question
    agreements: tuple[Agreement, ...]  # the comparable questions, sorted
    estimate: Estimate
    contradictions: Contradictions
    models: tuple[tuple[str, str], ...]  # (model, prompt_version) of all compared answers
    mixed_models: bool  # whether they differ within a question


def reliability(
    answers: Iterable[Answer],
    everyone: Mapping[Question, Histogram | Moments],
    policy: Policy = _DEFAULTS,
) -> Reliability:
    """Measure how reliably one individual answers.

    ``answers`` are all of the individual, in any order. ``everyone`` has, for each of its
    questions, the answers of all individuals of the tenant, this one included: it is taken out
    here. Raises ValueError if it is not in there.
    """
    grouped = first_answers(answers)
    repeated = {question: given for question, given in grouped.items() if len(given) > 1}
    agreements = _comparable(repeated, everyone, policy.min_peers)
    compared = [a.answers for a in agreements]
    simulations = sorted({answer.simulation_id for given in compared for answer in given})
    missing = Reason.TOO_FEW_PEERS if repeated else Reason.NO_REPEATED_QUESTION
    estimate = _estimate(agreements, simulations, missing)
    found = contradictions(compared)
    figures = Figures(
        len(simulations), len(agreements), estimate.attainable, estimate.lower_bound, found.rate
    )
    models, mixed = _models(compared)
    status, rules = decide(figures, policy)
    return Reliability(status, rules, len(simulations), agreements, estimate, found, models, mixed)


def _comparable(
    repeated: Mapping[Question, tuple[Answer, ...]],
    everyone: Mapping[Question, Histogram | Moments],
    min_peers: int,
) -> tuple[Agreement, ...]:
    comparable = []
    for question, given in repeated.items():
        own = Counter(answer.value for answer in given)
        peers = everyone[question].without(own).peers(question.kind)
        if peers.individuals >= min_peers:
            comparable.append(agreement(question, given, peers))
    return tuple(comparable)


def _estimate(
    agreements: Sequence[Agreement], simulations: Sequence[str], missing: Reason
) -> Estimate:
    terms = [a.term for a in agreements]
    value = coefficient(terms)
    if value is None:
        reason = Reason.EVERYBODY_ALIKE if terms else missing
        return Estimate(None, reason, None, reason, None, None, None)
    between = simulation_variance(agreements, simulations)
    bound = lower_bound(terms, between or 0.0)
    undefined = Reason.UNDEFINED_WITHOUT_A_SIMULATION if between is None else None
    return Estimate(
        coefficient=value,
        reason=None,
        lower_bound=None if undefined else bound.value,
        lower_bound_reason=undefined,
        attainable=attainable(terms),
        question_variance=bound.question_variance,
        simulation_variance=between,
    )


def _models(
    compared: Iterable[Sequence[Answer]],
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return the distinct models and prompt versions; mixed if compared answers differ in them."""
    per_question = [{(a.model, a.prompt_version) for a in given} for given in compared]
    return tuple(sorted(set().union(*per_question))), any(len(m) > 1 for m in per_question)
