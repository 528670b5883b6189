"""In one sentence, what an individual lacks to be eligible, and what would help."""

from persona_server.measures.individual.crowds import LEAST_INDIVIDUALS
from persona_server.measures.individual.policy import Policy, Rule, Status
from persona_server.measures.individual.reliability import Reliability
from persona_server.measures.individual.shortfall import MOST_QUESTIONS, Shortfall
from persona_server.measures.reasons import Reason


def explanation(found: Reliability, policy: Policy) -> str:
    """Say what is missing first, or "" of an eligible one."""
    if found.status is Status.ELIGIBLE:
        return ""
    if found.status is Status.NOT_ELIGIBLE:
        return _unreliable({rule.name: rule for rule in found.rules if not rule.holds})
    if found.estimate is None:
        return _undefined(found)
    return _insufficient(found, policy)


def _insufficient(found: Reliability, policy: Policy) -> str:
    simulations, questions = len(found.simulations), len(found.questions)
    if simulations < policy.min_simulations:
        return (
            f"{_number(simulations, 'simulation')} can be compared, {policy.min_simulations} are "
            "needed: ask the same questions in more simulations."
        )
    least = policy.min_questions
    if found.shortfall is not None and not _suffices(least, found.shortfall.questions_needed):
        return _short(found.shortfall, questions, least)
    if questions < least:
        return f"{_number(questions, 'question')} can be compared, {least} are needed."
    # Else it would be judged: the interval rests on questions alone.
    return (
        "Without one of the simulations there is nothing to compare: ask the same questions in "
        "more simulations."
    )


def _undefined(found: Reliability) -> str:
    if found.reason is Reason.NO_REPEATED_QUESTION:
        return "No question was answered in two simulations: ask the same questions again."
    if found.reason is Reason.EVERYBODY_ALIKE:
        return (
            "All individuals answered alike, so that agreement with oneself says nothing: ask "
            "questions that divide people."
        )
    most = found.most_individuals
    answered = "One individual" if most == 1 else f"At most {most} individuals"
    return f"{answered} answered in each of these simulations; {_FIVE} are needed."


_FIVE = {5: "five"}[LEAST_INDIVIDUALS]
_STYLES = {
    "straight_lining": "It gives one position of a scale more often than others do",
    "acquiescence": "It rates above the midpoint more or less often than others do",
    "first_option": "It takes the option shown first more often than others do",
}


def _suffices(questions: int, needed: int | None) -> bool:
    return needed is not None and needed <= questions


def _short(found: Shortfall, questions: int, least: int) -> str:
    """Say how many questions it takes, of which there must be so many at `least` in any case."""
    needed, with_more = found.questions_needed, found.questions_needed_with_more_simulations
    text = f"These questions divide people little (mean e {found.mean_chance:.2f}): "
    there = f"{questions} {'is' if questions == 1 else 'are'} there"
    if needed is None:
        return f"{text}more than {MOST_QUESTIONS} such questions are needed, {there}."
    text += f"{needed} such questions are needed, {there}"
    if with_more is None or with_more >= needed:
        return f"{text}; more simulations do not help."
    with_more = max(with_more, least)
    if with_more <= questions:
        return f"{text}; more simulations of the same questions would do as well."
    return f"{text}; {with_more} would do if each were answered in more simulations."


def _unreliable(broken: dict[str, Rule]) -> str:
    """Say which rule does not hold, the bound before styles."""
    rule = broken.get("lower_bound") or next(iter(broken.values()))
    assert rule.figure is not None  # one that can't be told is no merit to judge, or holds
    if rule.name == "lower_bound":
        figure, limit = told_apart(rule.figure, rule.limit)
        return (
            f"Its answers agree too little: C is above {figure} with 95% certainty, {limit} is "
            "needed."
        )
    figure, limit = told_apart(abs(rule.figure), rule.limit)  # acquiescence has two directions
    return f"{_STYLES[rule.name]}, by {figure}; at most {limit} is allowed."


def told_apart(figure: float, limit: float) -> tuple[str, str]:
    """Return both with two decimals, or as many more as it takes to show that they differ."""
    decimals = 2
    while figure != limit and f"{figure:.{decimals}f}" == f"{limit:.{decimals}f}":
        decimals += 1
    return f"{figure:.{decimals}f}", f"{limit:.{decimals}f}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
