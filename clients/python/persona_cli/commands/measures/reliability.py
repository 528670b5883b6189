"""`persona reliability` and `promote`: how reliably individuals answer."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer

from persona.v1.measures_pb2 import (
    ContradictingAnswer,
    Contradiction,
    Reliability,
    ReliabilityRule,
    ReliabilityStatus,
)
from persona_cli.commands.measures.library import model_names, print_library_persona
from persona_cli.terminal.command import CommandContext, GroupOption, ProjectOption, client_command
from persona_cli.terminal.failures import CommandError, telling, usage_error
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import (
    compact_json,
    counted,
    json_object,
    print_json,
    print_line,
    print_table,
    print_text,
)
from persona_cli.terminal.shifts import kind_text, number_text, reason_text
from persona_client import NotEligible, PersonaClient, Promotion, PromotionOutcome

_AT_ONCE = 100  # personas that a call promotes
# At most so much of a rule's figure is good; of the others, at least.
_AT_MOST = {"straight_lining", "acquiescence", "first_option"}
_WHAT_RULES_LIMIT = {
    "simulations": "comparable simulations",
    "questions": "comparable questions",
    "attainable": "attainable bound",
    "lower_bound": "lower bound of C",
    "straight_lining": "straight-lining",
    "acquiescence": "acquiescence, either way",
    "first_option": "first option shown",
}
_STATUS = {
    "INSUFFICIENT_DATA": "insufficient data, which says nothing of the individual",
    "ELIGIBLE": "eligible for the library",
    "NOT_ELIGIBLE": "not eligible for the library",
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    client_command(app, "reliability")(reliability)
    client_command(app, "promote")(promote)


def reliability(
    context: CommandContext,
    persona_ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Ids of personas, deleted or not.")
    ],
    project: Annotated[
        str, typer.Option("--project", "-p", help="Project, by name or id.", show_default=False)
    ] = "",
    group: Annotated[
        str, typer.Option("--group", "-g", help="Persona group, by name or id.", show_default=False)
    ] = "",
    library: Annotated[
        bool, typer.Option("--library", help="The ids are of library personas.")
    ] = False,
) -> None:
    """Show how reliably individuals answer: every rule with its figure, and contradictions.

    Personas are identified by --project, --group and id; library personas by --library and id.
    """
    if library == bool(project or group) or bool(project) != bool(group):
        raise usage_error("Give either --project and --group, or --library.")
    client = context.client
    ids = None if library else group_ids(client, project, group)
    for i, persona_id in enumerate(persona_ids):
        if ids is None:
            found = client.get_library_persona_reliability(persona_id)
        else:
            found = client.get_reliability(*ids, persona_id)
        name = "library_persona_id" if library else "persona_id"
        if context.as_json:
            print_line(compact_json({name: persona_id, **json_object(found)}))
            continue
        if i:
            print_text()
        print_text(f"{name} {persona_id}", bold=True)
        _print_reliability(found)


def promote(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    persona_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of the personas.")
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Promote all of the group that are reliable.")
    ] = False,
) -> None:
    """Promote individuals to the library if their answers are reliable.

    One that is named is shown, or refused. Of several, or of --all, those that are reliable are
    promoted, and what became of each is listed; it is a failure if one of several that are named is
    not in the library then.
    """
    if bool(persona_ids) == everybody:
        raise usage_error("Give either ids or --all.")
    ids = group_ids(context.client, project, group)
    if persona_ids and len(persona_ids) == 1:
        _promote_one(context, *ids, persona_ids[0])
    else:
        with telling(lambda: "Who is promoted stays so, and the same command goes on."):
            promoted = _promoted(context.client, *ids, persona_ids or [])
            missing = _print_promotions(context, promoted)
        if persona_ids and missing:
            raise CommandError(f"{missing} of {len(persona_ids)} are not in the library.")


def _promote_one(context: CommandContext, project: str, group: str, persona: str) -> None:
    try:
        promoted = context.client.promote_persona(project, group, persona)
    except NotEligible as error:
        if error.reliability is not None and not context.as_json:
            _print_reliability(error.reliability)
        raise
    print_library_persona(context, promoted)


def _promoted(
    client: PersonaClient, project: str, group: str, personas: Sequence[str]
) -> Iterator[Promotion]:
    """Promote the personas, or the whole group, and yield what became of each."""
    if not personas:
        yield from client.promote_group(project, group)
    for start in range(0, len(personas), _AT_ONCE):
        yield from client.promote_personas(project, group, personas[start : start + _AT_ONCE])


def _print_promotions(context: CommandContext, promotions: Iterable[Promotion]) -> int:
    """Print what became of each, and return how many are not in the library."""
    missing, rows = 0, []
    for one in promotions:
        missing += not one.HasField("library_persona_id")
        if context.as_json:
            print_json(one)
        else:
            rows.append((one.persona_id, _outcome(one), one.library_persona_id, one.explanation))
    if not context.as_json:
        print_table(("ID", "OUTCOME", "LIBRARY PERSONA", "WHAT IS MISSING"), rows, lines=True)
    return missing


def _outcome(one: Promotion) -> str:
    if one.outcome not in PromotionOutcome.values():  # newer than this program
        return f"outcome {one.outcome}"
    name = PromotionOutcome.Name(one.outcome).removeprefix("PROMOTION_OUTCOME_")
    return name.lower().replace("_", " ")


def _print_reliability(found: Reliability) -> None:
    status = (
        ReliabilityStatus.Name(found.status) if found.status in ReliabilityStatus.values() else ""
    )
    known = status.removeprefix("RELIABILITY_STATUS_")
    print_text(f"status  {_STATUS.get(known, known.lower() or f'status {found.status}')}")
    if found.explanation:
        print_text(found.explanation)
    print_text(f"C       {_agreement(found)} (1: perfect agreement, 0: what chance would give)")
    print_text(
        f"data    {found.question_count} comparable questions, "
        f"{found.simulation_count} comparable simulations, {_individuals(found)}"
    )
    rows = (
        (
            _WHAT_RULES_LIMIT.get(rule.name, rule.name),
            _figure(found, rule),
            f"{'at most' if rule.name in _AT_MOST else 'at least'} {number_text(rule.limit)}",
            "yes" if rule.holds else "no",
        )
        for rule in found.rules
    )
    print_table(("RULE", "FIGURE", "LIMIT", "HOLDS"), rows)
    _print_notes(found)
    if found.contradictions:
        columns = ("QUESTION", "SCALE", "PAIRS", "FIRST ANSWER", "GIVEN", "THEN", "GIVEN")
        print_table(columns, map(_contradiction, found.contradictions))


def _agreement(found: Reliability) -> str:
    """Return C with its interval."""
    if not found.HasField("coefficient"):
        return f"undefined: {reason_text(found.coefficient_reason)}"
    value = number_text(found.coefficient.value)
    if not found.HasField("upper_bound"):  # of the first version
        return value
    low, high = number_text(found.lower_bound.value), number_text(found.upper_bound.value)
    return f"{value}, 90%: {low} to {high}"


def _individuals(found: Reliability) -> str:
    least, most = found.least_individuals, found.most_individuals
    number = f"{least} to {most}" if least not in (0, most) else f"{most}"
    return f"{number} individual{'' if most == 1 else 's'} in each"


def _print_notes(found: Reliability) -> None:
    outlying = [one.simulation_id for one in found.simulations if one.outlying]
    if outlying:
        print_text(f"Its answers stand apart in {', '.join(outlying)}.")
    if found.HasField("contradiction_rate") and found.contradicting_pair_count:
        pairs = f"{found.contradicting_pair_count} of {found.pair_count}"
        print_text(f"Contradicting pairs of answers: {pairs}.")
    if found.mixed_models:
        models = f": {model_names(found.models)}" if found.models else ""
        print_text(f"Answers come from several models or prompt versions{models}.")
    if found.reliable_change_count:
        changed = counted(found.reliable_change_count, "question")
        print_text(f"Attitude has reliably changed in {changed}.")
    if found.population_differs.value:
        print_text("Those who answer with it differ otherwise than those at its promotion did.")
    if found.promotion_pending:
        print_text("Automatic promotion has not looked at its newest answers yet.")
    if found.HasField("library_persona_id"):
        print_text(f"In the library as {found.library_persona_id.value}.")


def _figure(found: Reliability, rule: ReliabilityRule) -> str:
    if rule.HasField("figure"):
        return number_text(rule.figure.value)
    if rule.name in _AT_MOST:
        return "too few such questions"
    return f"undefined: {reason_text(found.coefficient_reason)}"


def _contradiction(one: Contradiction) -> tuple[object, ...]:
    return (
        one.question.key,
        kind_text(one.question),
        f"{one.contradicting_pair_count} of {one.pair_count}",
        _said(one.first_answer),
        one.first_answer.occurred_at,
        _said(one.second_answer),
        one.second_answer.occurred_at,
    )


def _said(answer: ContradictingAnswer) -> str:
    return number_text(answer.value.value) if answer.HasField("value") else answer.choice.value
