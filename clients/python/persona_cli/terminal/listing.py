"""Lists: JSON lines of everything, or the beginning as a table."""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Annotated, TypeAlias, TypeVar

import typer
from google.protobuf.message import Message

from persona_cli.terminal.command import CommandContext
from persona_cli.terminal.output import print_json, print_table, say

TABLE_LIMIT = 100
Listed = TypeVar("Listed", bound=Message)
Limit: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=0, help=f"Maximum number to list; 0: all. Default: {TABLE_LIMIT}, or all with --json."
    ),
]


def print_list(
    context: CommandContext,
    limit: int | None,
    fetch: Callable[[int], Iterator[Listed]],
    columns: Sequence[str],
    row_of: Callable[[Listed], Sequence[object]],
    *,
    lines: bool = False,
) -> None:
    """Print what `fetch` yields, given the size of a page; with `lines` each on one line."""
    asked = limit is not None or context.as_json
    limit = min(limit or 0, sys.maxsize) if asked else TABLE_LIMIT
    found = fetch(min(limit + 1, 1000) if limit else 0)
    shown = islice(found, limit) if limit else found
    if context.as_json:
        for message in shown:
            print_json(message)
    else:
        print_table(columns, (row_of(message) for message in shown), lines=lines)
    if not asked and next(found, None) is not None:
        say(f"There are more than these {limit}; --limit 0 lists all.")
