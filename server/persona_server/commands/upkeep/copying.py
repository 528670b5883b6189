"""`persona copy --from … --to …`: a database copied into another one, of whichever engine."""

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from persona_server.commands.places import fail, failing_in_words, named_place

if TYPE_CHECKING:
    from persona_server.storage.copying.copier import Check, Step

PAUSE = 1.0  # seconds between two lines of a table's progress, at least
GO_ON = "What is copied stays; the same command goes on with the rest."
ANEW = (
    "No server takes it: copy into another, empty database, and look at both with `persona doctor`."
)
_Place = "Folder of a database, sqlite:///FOLDER, or postgresql://…"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("copy-database")(copy_database)


def copy_database(
    source: Annotated[str, typer.Option("--from", metavar="PLACE", help=f"{_Place}.")],
    target: Annotated[
        str, typer.Option("--to", metavar="PLACE", help=f"{_Place}: new, or without rows.")
    ],
) -> None:
    """Copy a whole database into another one, SQLite or PostgreSQL, and compare the two.

    Stop the server first. A copy that was ended goes on when the same command is run again. At the
    end each table is compared, a line each; the exit code is 1 if one differs. `persona copy` is
    the same where it is told --from and --to.
    """
    from persona_server.storage.copying.places import copying

    here, there = named_place("--from", source), named_place("--to", target)
    if here == there:
        fail("--from and --to name the same database.", 2, "persona copy")
    try:
        with failing_in_words("persona copy"), copying(here, there) as copier:
            _tell(copier.copy())
            differing = [check.table for check in map(_shown, copier.check()) if not check.is_equal]
    except KeyboardInterrupt:
        print(GO_ON, file=sys.stderr)
        raise
    if differing:
        fail(f"the copy differs in {', '.join(differing)}. {ANEW}", 1, "persona copy")


def _tell(steps: "Iterable[Step]") -> None:
    """Print how far the copy is: once a second at most, and at the end of each table."""
    told = time.monotonic()
    for table, rows, of in steps:
        if of and (rows == of or time.monotonic() - told >= PAUSE):
            print(f"{table:<17} {rows:>13,} of {of:,} rows", file=sys.stderr, flush=True)
            told = time.monotonic()


def _shown(check: "Check") -> "Check":
    """Print what a comparison found."""
    state = "equal" if check.is_equal else "differs"
    held = check.source if check.is_equal else check.target
    print(f"{state:<8} {check.table:<17} {held.rows:>13,} rows  {held.hash}", flush=True)
    return check
