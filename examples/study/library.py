"""Chapter 3: the reliable ones are promoted; the others are refused, with every rule."""

from collections.abc import Sequence

from persona.v1.measures_pb2 import Contradiction
from persona_client import NotEligible, Response
from study.panel import of_manner
from study.report import expect, number
from study.respondents import Manner
from study.stage import Study

# How the rules are called in the table, whether a figure must be at least or at most the limit,
# and with how many decimals.
_RULES = {
    "simulations": ("waves", "≥", 0),
    "questions": ("questions", "≥", 0),
    "attainable": ("attainable", "≥", 2),
    "bound": ("C at least", "≥", 2),
    "contradiction_rate": ("contradicting", "≤", 2),
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
        "one of each kind; ! marks what does not hold:"
    )


def show_the_refused(study: Study) -> None:
    """Show the first refusal of each manner with all its figures, and one contradiction."""
    examples = [
        next(name for name in of_manner(study, manner) if name in study.refused)
        for manner in Manner
        if any(name in study.refused for name in of_manner(study, manner))
    ]
    limits = study.refused[examples[0]].metadata
    needed = [f"{sign} {_figure(limits, f'{rule}_limit')}  " for rule, sign in _signs()]
    rows = [["needed", "", *needed]]
    for name in examples:
        figures = [_marked(study.refused[name].metadata, rule) for rule in _RULES]
        rows.append([name, study.respondents[name].manner.value, *figures])
    head = ["refused", "consumer", *(f">{label}  " for label, _, _ in _RULES.values())]
    study.report.table(head, rows)
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
        f"and {_count(study, wavering)} wavering ones, since 95% is not 100%."
    )


def _count(study: Study, names: Sequence[str]) -> str:
    return f"{sum(name in study.library for name in names)} of {len(names)}"


def _signs() -> list[tuple[str, str]]:
    return [(rule, sign) for rule, (_, sign, _) in _RULES.items()]


def _marked(metadata: dict[str, str], rule: str) -> str:
    mark = " " if metadata[f"{rule}_holds"] == "true" else "!"
    return f"{_figure(metadata, rule)} {mark}"


def _figure(metadata: dict[str, str], name: str) -> str:
    decimals = _RULES[name.removesuffix("_limit")][2]
    said = metadata[name]
    return number(None if said == "undefined" else float(said), decimals)


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
