"""`persona reliabilities`: how reliably each persona of a group answers, a row each."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from persona.v1.measures_pb2 import PersonaReliability, ReliabilityStatus
from persona_cli.commands.measures.options import PlotOption, require_picture
from persona_cli.plot.picture import write_reliability_picture
from persona_cli.terminal.command import CommandContext, GroupOption, ProjectOption, client_command
from persona_cli.terminal.failures import CommandError, usage_error
from persona_cli.terminal.listing import Limit, print_list
from persona_cli.terminal.names import group_ids
from persona_cli.terminal.output import say
from persona_cli.terminal.shifts import number_text

_NO_VALUE = "–"
_ORDERS = ("coefficient", "lower_bound", "question_count")
_COLUMNS = (
    "ID", "NAME", "STATUS", "C", "LOW", "HIGH", "QUESTIONS", "SIMULATIONS",
    "CONTRADICTIONS", "LIBRARY PERSONA", "WHAT IS MISSING",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "reliabilities")(reliabilities)


def reliabilities(
    context: CommandContext,
    project: ProjectOption,
    group: GroupOption,
    order_by: Annotated[
        str,
        typer.Option(
            help=f'{", ".join(_ORDERS)}; append " desc" for descending. All are read first.',
            show_default=False,
        ),
    ] = "",
    limit: Limit = None,
    plot: PlotOption = "",
) -> None:
    """List how reliably each persona of a group answers, and what is missing where it is.

    They are in the order of `persona list`, or in another one: those without a figure come last.
    --plot draws a row for each, with its interval; it needs the extra `plot`.
    """
    name, descending = _order(order_by)
    require_picture(plot)
    ids = group_ids(context.client, project, group)

    def fetch(page_size: int) -> Iterator[PersonaReliability]:
        if not name:
            return context.client.list_reliabilities(*ids, page_size=page_size)
        found = context.client.list_reliabilities(*ids)
        return iter(sorted(found, key=lambda one: _place(one, name, descending=descending)))

    if plot:
        _draw(plot, group, list(islice(fetch(limit or 0), limit or None)))
    else:
        print_list(context, limit, fetch, _COLUMNS, _row, lines=True)


def _draw(plot: str, name: str, found: Sequence[PersonaReliability]) -> None:
    if not found:
        raise CommandError("There are no personas to draw.")
    write_reliability_picture(plot, name, found)
    say(f"Wrote {plot}.")


def _order(order_by: str) -> tuple[str, bool]:
    """Return by what to sort, and whether it descends. Ends the command for anything else."""
    name, _, direction = " ".join(order_by.split()).partition(" ")
    if (name and name not in _ORDERS) or direction not in ("", "desc"):
        what = f'--order-by is one of {", ".join(_ORDERS)}, optionally followed by " desc"'
        raise usage_error(f"{what}; got {order_by!r}.")
    return name, bool(direction)


def _place(one: PersonaReliability, name: str, *, descending: bool) -> tuple[bool, float]:
    """Return where a row comes in an order: last without the figure; equals stay as they are."""
    figure = _figure(one, name)
    if figure is None:
        return True, 0.0
    return False, -figure if descending else figure


def _figure(one: PersonaReliability, name: str) -> float | None:
    value = getattr(one, name)
    if isinstance(value, int):
        return value
    return float(value.value) if one.HasField(name) else None  # type: ignore[arg-type]


def _row(one: PersonaReliability) -> tuple[object, ...]:
    figures = [_text(one, name) for name in ("coefficient", "lower_bound", "upper_bound")]
    return (
        one.persona_id, one.full_name, _status(one), *figures, one.question_count,
        one.simulation_count, _text(one, "contradiction_rate"), one.library_persona_id,
        one.explanation,
    )  # fmt: skip


def _text(one: PersonaReliability, name: str) -> str:
    figure = _figure(one, name)
    return _NO_VALUE if figure is None else number_text(figure)


def _status(one: PersonaReliability) -> str:
    if one.status not in ReliabilityStatus.values():  # newer than this program
        return f"status {one.status}"
    name = ReliabilityStatus.Name(one.status).removeprefix("RELIABILITY_STATUS_")
    return name.lower().replace("_", " ")
