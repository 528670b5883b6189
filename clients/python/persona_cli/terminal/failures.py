"""How a command fails: one clear line on stderr, and an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from persona_cli.terminal.output import printable
from persona_client import (
    PermissionDenied,
    PersonaError,
    Unauthenticated,
    Unavailable,
)


class CommandError(Exception):
    """A command can't do what it was asked; the text is for its user."""


@contextmanager
def reported(address: str) -> Iterator[None]:
    """Turn what fails in a block into a message and exit code 1."""
    try:
        yield
    except PersonaError as error:
        complain(explained(error, address))
    except CommandError as error:
        complain(str(error))
    except BrokenPipeError:
        raise  # the reader has seen enough, which is not worth a word
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complain(f"{where}{error.strerror or error}")
    else:
        return
    raise typer.Exit(1)


def complain(message: str) -> None:
    """Say on stderr what went wrong."""
    print("persona:", printable(message, keep="\n"), file=sys.stderr)


def misused(message: str) -> typer.Exit:
    """Say how a command is meant to be used, and return its end."""
    complain(message)
    return typer.Exit(2)


def explained(error: PersonaError, address: str) -> str:
    """Return message and reason, the violations below them, and what to do where that is known."""
    if isinstance(error, Unavailable) and not error.reason:
        return (
            f"can't reach the service at {address} ({error.message}). `persona serve` starts one; "
            "--address or PERSONA_ADDRESS names another."
        )
    lines = [str(error)]
    if isinstance(error, Unauthenticated):
        lines[0] += " `persona token` makes a token for --token or PERSONA_TOKEN."
    if isinstance(error, PermissionDenied) and (scopes := error.metadata.get("missing_scopes")):
        lines[0] += f" The token lacks: {scopes}."
    if len(error.violations) > 1:
        lines += [f"  {v.field}: {v.description}" for v in error.violations]
        total = int(error.metadata.get("violations_total", 0))
        if total > len(error.violations):
            lines.append(f"  … {total} in all")
    return "\n".join(lines)


def can_ask() -> bool:
    """Whether somebody sits at the terminal."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool, unchanged: str = "Nothing was deleted.") -> None:
    """Ask before something is destroyed; where nobody can be asked, --yes is needed."""
    if yes:
        return
    if not can_ask():
        raise misused("Nobody can be asked here: say --yes.")
    if not typer.confirm(question, err=True):
        print(unchanged, file=sys.stderr)
        raise typer.Exit(1)
