"""How reliably one individual answers: agreement over simulations, corrected for chance."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum

from persona_server.measures.answers import Answer, Question, first_answers
from persona_server.measures.contradictions import Contradictions, contradictions
from persona_server.measures.individual.crowds import Crowd
from persona_server.measures.individual.interval import attainable, interval, simulation_variance
from persona_server.measures.individual.outlying import Outlying, outlying
from persona_server.measures.individual.policy import Figures, Policy, Rule, Status, decide
from persona_server.measures.individual.shortfall import Shortfall, shortfall
from persona_server.measures.individual.styles import Styles, styles
from persona_server.measures.individual.terms import Compared, coefficient, compared
from persona_server.measures.reasons import Reason

Crowds = Mapping[Question, Mapping[str, Crowd]]  # by question and simulation

_DEFAULTS = Policy()
_UNSEEN = 0.05  # how likely it is that no bad simulation is among those seen


class Basis(StrEnum):
    """What the interval takes the variance of."""

    QUESTIONS_AND_SIMULATIONS = "QUESTIONS_AND_SIMULATIONS"
    QUESTIONS = "QUESTIONS"  # without one of the simulations C is undefined


@dataclass(frozen=True, slots=True)
class Estimate:
    """The chance-corrected agreement C, its interval, and what both rest on."""

    coefficient: float  # -1…1
    low: float  # the one-sided 95% lower bound
    high: float
    basis: Basis
    attainable: float  # the lower bound that perfect agreement would have earned
    mean_own: float  # Σωd / Σω
    mean_chance: float  # Σωe / Σω
    question_variance: float  # V_q
    simulation_variance: float | None  # V_s; None where it is undefined and counts as 0
    without: Mapping[str, float | None]  # C without each simulation; None if undefined


@dataclass(frozen=True, slots=True)
class Reliability:
    """Everything measured of one individual, and whether it may be promoted."""

    status: Status
    rules: tuple[Rule, ...]
    simulations: tuple[str, ...]  # those with an answer to a comparable question, sorted
    questions: tuple[Compared, ...]  # the comparable ones, sorted
    crowd: tuple[int, int]  # the least and the most individuals by whom chance is known
    most_individuals: int  # that answered one of its repeated questions in one simulation
    estimate: Estimate | None
    reason: Reason | None  # why there is no estimate
    shortfall: Shortfall | None  # None where perfect agreement would do
    styles: Styles
    outlying: tuple[Outlying, ...]
    unseen_share: float | None  # of bad simulations that these could not exclude
    contradictions: Contradictions
    models: tuple[tuple[str, str], ...]  # (model, prompt_version) of all compared answers
    mixed_models: bool  # whether they differ within a question


def reliability(
    answers: Iterable[Answer], crowds: Crowds, policy: Policy = _DEFAULTS
) -> Reliability:
    """Measure how reliably one individual answers.

    ``answers`` are all of the individual, in any order. ``crowds`` has who answered each of its
    repeated questions in each of its simulations, this one among them.
    """
    grouped = first_answers(answers)
    repeated = {question: given for question, given in grouped.items() if len(given) > 1}
    questions = tuple(
        found
        for question, given in repeated.items()
        if (found := compared(question, given, crowds[question])) is not None
    )
    given = [one.answers for one in questions]
    simulations = tuple(sorted({a.simulation_id for answered in given for a in answered}))
    most = max([c.individuals for q in repeated for c in crowds[q].values()], default=0)
    estimate = _estimate(questions, simulations)
    found_styles = styles(questions)
    status, rules = decide(_figures(questions, simulations, estimate, found_styles), policy)
    terms = [one.term for one in questions]
    short = estimate is not None and estimate.attainable < policy.min_attainable
    models, mixed = _models(given)
    return Reliability(
        status=status,
        rules=rules,
        simulations=simulations,
        questions=questions,
        crowd=_crowd(questions),
        most_individuals=most,
        estimate=estimate,
        reason=None if estimate else _missing(questions, repeated),
        shortfall=shortfall(terms, policy.min_attainable) if short else None,
        styles=found_styles,
        outlying=tuple(outlying(questions, simulations)),
        unseen_share=1 - _UNSEEN ** (1 / len(simulations)) if simulations else None,
        contradictions=contradictions(given),
        models=models,
        mixed_models=mixed,
    )


def _figures(
    questions: Sequence[Compared],
    simulations: Sequence[str],
    estimate: Estimate | None,
    found: Styles,
) -> Figures:
    return Figures(
        len(simulations),
        len(questions),
        estimate.attainable if estimate else None,
        estimate.low if estimate else None,
        estimate is not None and estimate.basis is Basis.QUESTIONS_AND_SIMULATIONS,
        found,
    )


def _estimate(questions: Sequence[Compared], simulations: Sequence[str]) -> Estimate | None:
    terms = [one.term for one in questions]
    value = coefficient([term.weighted for term in terms])
    if value is None:
        return None
    rest = [(one.term.weighted, one.without_each()) for one in questions]
    without = {s: coefficient([each.get(s, whole) for whole, each in rest]) for s in simulations}
    between = simulation_variance(list(without.values()))
    ends = interval(terms, between or 0.0)
    total = sum(term.weight for term in terms)
    return Estimate(
        coefficient=max(-1.0, value),
        low=ends.low,
        high=ends.high,
        basis=Basis.QUESTIONS if between is None else Basis.QUESTIONS_AND_SIMULATIONS,
        attainable=attainable(terms),
        mean_own=fsum(term.weight * term.own for term in terms) / total,
        mean_chance=fsum(term.weight * term.chance for term in terms) / total,
        question_variance=ends.question_variance,
        simulation_variance=between,
        without=without,
    )


def _missing(questions: Sequence[Compared], repeated: Mapping[Question, object]) -> Reason:
    if questions:
        return Reason.EVERYBODY_ALIKE
    return Reason.TOO_FEW_INDIVIDUALS if repeated else Reason.NO_REPEATED_QUESTION


def _crowd(questions: Iterable[Compared]) -> tuple[int, int]:
    sizes = [one.crowds[simulation].individuals for one in questions for simulation in one.chances]
    return (min(sizes), max(sizes)) if sizes else (0, 0)


def _models(
    compared_answers: Iterable[Sequence[Answer]],
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Return the distinct models and prompt versions; mixed if compared answers differ in them."""
    per_question = [{(a.model, a.prompt_version) for a in given} for given in compared_answers]
    return tuple(sorted(set().union(*per_question))), any(len(m) > 1 for m in per_question)
