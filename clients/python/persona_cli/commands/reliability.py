"""`persona reliability` and `promote`: how reliably individuals answer."""

from typing import Annotated

import typer

from persona.v1.measures_pb2 import (
    UNDEFINED_REASON_UNSPECIFIED,
    Contradiction,
    Reliability,
    ReliabilityRule,
    ReliabilityStatus,
    UndefinedReason,
)
from persona_cli.commands.library import model_names, print_library_persona
from persona_cli.terminal.command import CommandContext, GroupOption, ProjectOption, client_command
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import (
    compact_json,
    json_object,
    print_line,
    print_table,
    print_text,
)
from persona_cli.terminal.shifts import kind_text, number_text, reason_text
from persona_client import NotEligible

# At most so much of a rule's figure is good; of the others, at least.
_AT_MOST = {"contradiction_rate"}
_WHAT_RULES_LIMIT = {
    "simulations": "simulations",
    "questions": "comparable questions",
    "attainable": "attainable bound",
    "lower_bound": "lower bound of C",
    "contradiction_rate": "contradicting pairs",
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
    persona_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the persona.")],
    project: ProjectOption,
    group: GroupOption,
) -> None:
    """Promote an individual to the library if its answers are reliable, and show it."""
    ids = group_ids(context.client, project, group)
    try:
        promoted = context.client.promote_persona(*ids, persona_id)
    except NotEligible as error:
        if error.reliability is not None and not context.as_json:
            _print_reliability(error.reliability)
        raise
    print_library_persona(context, promoted)


def _print_reliability(found: Reliability) -> None:
    status = (
        ReliabilityStatus.Name(found.status) if found.status in ReliabilityStatus.values() else ""
    )
    known = status.removeprefix("RELIABILITY_STATUS_")
    print_text(f"status  {_STATUS.get(known, known.lower() or f'status {found.status}')}")
    agreement = _figure(
        found.HasField("coefficient"), found.coefficient.value, found.coefficient_reason
    )
    print_text(f"C       {agreement} (1: perfect agreement, 0: what chance would give)")
    print_text(
        f"data    {found.question_count} comparable questions, "
        f"{found.simulation_count} simulations, {found.pair_count} pairs that could contradict"
    )
    rows = (
        (
            _WHAT_RULES_LIMIT.get(rule.name, rule.name),
            _figure(rule.HasField("figure"), rule.figure.value, _reason(found, rule)),
            f"{'at most' if rule.name in _AT_MOST else 'at least'} {number_text(rule.limit)}",
            "yes" if rule.holds else "no",
        )
        for rule in found.rules
    )
    print_table(("RULE", "FIGURE", "LIMIT", "HOLDS"), rows, ids=False)
    _print_notes(found)
    if found.contradictions:
        columns = ("QUESTION", "SCALE", "PAIRS", "FIRST ANSWER", "CONTRADICTED BY")
        print_table(columns, map(_contradiction, found.contradictions), ids=False)


def _print_notes(found: Reliability) -> None:
    if found.mixed_models:
        models = f": {model_names(found.models)}" if found.models else ""
        print_text(f"Answers come from several models or prompt versions{models}.")
    if found.reliable_change_count:
        print_text(f"Attitude has reliably changed in {found.reliable_change_count} questions.")
    if found.promotion_pending:
        print_text("Automatic promotion has not looked at its newest answers yet.")
    if found.HasField("library_persona_id"):
        print_text(f"In the library as {found.library_persona_id.value}.")


def _reason(found: Reliability, rule: ReliabilityRule) -> "UndefinedReason.ValueType":
    """Return why a rule has no figure."""
    return {
        "attainable": found.coefficient_reason,
        "lower_bound": found.lower_bound_reason,
        "contradiction_rate": found.contradiction_rate_reason,
    }.get(rule.name, UNDEFINED_REASON_UNSPECIFIED)


def _figure(known: bool, value: float, reason: "UndefinedReason.ValueType") -> str:
    return number_text(value) if known else f"undefined: {reason_text(reason)}"


def _contradiction(one: Contradiction) -> tuple[str, ...]:
    return (
        one.question.key,
        kind_text(one.question),
        f"{one.contradicting_pair_count} of {one.pair_count}",
        one.first_response_id,
        one.second_response_id,
    )
