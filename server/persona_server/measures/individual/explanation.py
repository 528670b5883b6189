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
    if found.shortfall is not None:
        return _short(found.shortfall, questions)
    if questions < policy.min_questions:
        needed = policy.min_questions
        return f"{_number(questions, 'question')} can be compared, {needed} are needed."
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


def _short(found: Shortfall, questions: int) -> str:
    needed, with_more = found.questions_needed, found.questions_needed_with_more_simulations
    text = f"These questions divide people little (mean e {found.mean_chance:.2f}): "
    if needed is None:
        return f"{text}more than {MOST_QUESTIONS} such questions are needed, {questions} are there."
    text += f"{needed} such questions are needed, {_are(questions)} there"
    if with_more is None or with_more >= needed:
        return f"{text}; more simulations do not help."
    if with_more <= questions:
        return f"{text}; more simulations of the same questions would do as well."
    return f"{text}; {with_more} would do if each were answered in more simulations."


def _unreliable(broken: dict[str, Rule]) -> str:
    """Say which rule does not hold, the bound before styles."""
    if (rule := broken.get("lower_bound")) is not None:
        return (
            f"Its answers agree too little: C is above {rule.figure:.2f} with 95% certainty, "
            f"{rule.limit:.2f} is needed."
        )
    rule = next(iter(broken.values()))
    return f"{_STYLES[rule.name]}, by {rule.figure:.2f}; at most {rule.limit:.2f} is allowed."


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return f"{count} {'is' if count == 1 else 'are'}"
