"""Lists: JSON lines of everything, or the beginning as a table."""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Annotated, TypeAlias, TypeVar

import typer
from google.protobuf.message import Message

from persona_cli.terminal.output import print_json, print_table
from persona_cli.terminal.session import Session

TABLE_LIMIT = 100
Listed = TypeVar("Listed", bound=Message)
Limit: TypeAlias = Annotated[
    int | None,
    typer.Option(min=0, help=f"At most so many; 0: all. Unset: {TABLE_LIMIT}, --json all."),
]


def print_list(
    session: Session,
    limit: int | None,
    fetch: Callable[[int], Iterator[Listed]],
    columns: Sequence[str],
    row_of: Callable[[Listed], Sequence[object]],
) -> None:
    """Print what `fetch` yields, given the size of a page."""
    asked = limit is not None or session.as_json
    limit = (limit or 0) if asked else TABLE_LIMIT
    found = fetch(min(limit + 1, 1000) if limit else 0)
    shown = islice(found, limit) if limit else found
    if session.as_json:
        for message in shown:
            print_json(message)
    else:
        print_table(columns, (row_of(message) for message in shown))
    if not asked and next(found, None) is not None:
        print(f"There are more than these {limit}; --limit 0 shows all.", file=sys.stderr)
