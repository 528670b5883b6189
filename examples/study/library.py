"""Chapter 3: the reliable ones are promoted; the others are refused, with every rule."""

from collections.abc import Sequence

from persona.v1.measures_pb2 import Contradiction, ReliabilityRule
from persona_client import NotEligible, Response
from study.panel import of_manner
from study.report import expect, number
from study.respondents import Manner
from study.stage import Study

# How the rules are called in the table, but those of styles; whether a figure must be at least or
# at most the limit, and with how many decimals.
_RULES = {
    "simulations": ("waves", "≥", 0),
    "questions": ("questions", "≥", 0),
    "attainable": ("attainable", "≥", 2),
    "lower_bound": ("C at least", "≥", 2),
}


def promote_the_reliable(study: Study) -> None:
    """Ask for the promotion of everybody."""
    place = study.places[0]
    for name, respondent in study.respondents.items():
        ids = (place.project_id, place.group_id, respondent.persona.id)
        try:
            study.library[name] = study.client.promote_persona(*ids)
        except NotEligible as error:
            study.refused[name] = error
            continue
        again = study.client.promote_persona(*ids)
        expect(again.id == study.library[name].id, "Promoting twice makes one individual.")
    for manner in (Manner.RANDOM, Manner.CONTRADICTORY):
        promoted = study.library.keys() & of_manner(study, manner)
        expect(not promoted, f"No {manner} consumer is promoted.")
    study.report.chapter("3. Promoted and refused")
    study.report.say(
        f"All are proposed for the Persona Library. {len(study.library)} are in it now, "
        f"{len(study.refused)} are refused. A refusal names every rule with its figure. Here is "
        "one of each kind; ! marks what does not hold. (Answers that follow the form of the "
        "questions are told from 15 questions of a kind on, and are left out here.)"
    )


def show_the_refused(study: Study) -> None:
    """Show the first refusal of each manner with all its figures, and one contradiction."""
    examples = [
        next(name for name in of_manner(study, manner) if name in study.refused)
        for manner in Manner
        if any(name in study.refused for name in of_manner(study, manner))
    ]
    limits = {rule.name: rule.limit for rule in _rules(study, examples[0])}
    needed = [
        f"{sign} {number(limits[rule], places)}  " for rule, (_, sign, places) in _RULES.items()
    ]
    rows = [["needed", "", *needed]]
    for name in examples:
        figures = [_marked(rule) for rule in _rules(study, name)]
        rows.append([name, study.respondents[name].manner.value, *figures])
    head = ["refused", "consumer", *(f">{label}  " for label, _, _ in _RULES.values())]
    study.report.table(head, rows)
    late = study.refused[of_manner(study, Manner.LATE)[0]].reliability
    assert late is not None
    study.report.say(f"And each says what would help, as of the last one: {late.explanation}")
    _explain(study)
    _show_contradiction(study, of_manner(study, Manner.CONTRADICTORY)[0])


def _explain(study: Study) -> None:
    """Say what such a decision can't do, with how often it happened here."""
    steady, shifting, wavering = (
        of_manner(study, manner) for manner in (Manner.STEADY, Manner.SHIFTING, Manner.WAVERING)
    )
    study.report.say(
        "(Attainable is what perfect answers would have earned: too few can't earn enough.) In the "
        f"library are {_count(study, steady)} steady ones, for the bar is high; "
        f"{_count(study, shifting)} shifting ones, since a true change of attitude lowers C, too; "
        f"and {_count(study, wavering)} wavering ones, since 95% is not 100%. The random ones "
        "answer in the same simulations, so that all look a little steadier beside them: controls "
        "belong in simulations of their own."
    )


def _count(study: Study, names: Sequence[str]) -> str:
    return f"{sum(name in study.library for name in names)} of {len(names)}"


def _rules(study: Study, name: str) -> list[ReliabilityRule]:
    """Return the rules that a refusal names, in the order of the table."""
    measured = study.refused[name].reliability
    assert measured is not None
    by_name = {rule.name: rule for rule in measured.rules}
    return [by_name[rule] for rule in _RULES]


def _marked(rule: ReliabilityRule) -> str:
    figure = rule.figure.value if rule.HasField("figure") else None
    return f"{number(figure, _RULES[rule.name][2])} {' ' if rule.holds else '!'}"


def _show_contradiction(study: Study, name: str) -> None:
    contradictions = study.measured[name].contradictions
    found = next(c for c in contradictions if study.item(c.question.key).kind == "choice")
    first, second = _both_answers(study, name, found)
    study.report.say(
        f"The contradictions can be read. {name} has them in {len(contradictions)} questions. "
        f'"{first.question_text}" is one: "{first.choice.value}", said on {_day(first)}, and '
        f'"{second.choice.value}" on {_day(second)}.'
    )


def _day(response: Response) -> str:
    return response.occurred_at.ToDatetime().date().isoformat()


def _both_answers(study: Study, name: str, found: Contradiction) -> tuple[Response, Response]:
    persona_id = study.respondents[name].persona.id
    given = study.client.list_responses(persona_id=persona_id, question_key=found.question.key)
    by_id = {response.id: response for response in given}
    return by_id[found.first_response_id], by_id[found.second_response_id]
