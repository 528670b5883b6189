"""How a command fails: one clear line on stderr, and an exit code."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from persona_cli.terminal.output import printable, say
from persona_cli.terminal.signals import stopped
from persona_client import (
    PermissionDenied,
    PersonaError,
    Unauthenticated,
    Unavailable,
)


class CommandError(Exception):
    """A command can't do what it was asked; the text is for its user."""


@contextmanager
def reporting_errors(address: str) -> Iterator[None]:
    """Turn what fails in a block into a message and exit code 1."""
    try:
        yield
    except PersonaError as error:
        print_error(error_text(error, address))
    except CommandError as error:
        print_error(str(error))
    except OSError as error:
        if error.filename is None:  # of a standard stream, as every command may meet it
            raise
        print_error(f"{error.filename}: {error.strerror}")
    else:
        return
    raise typer.Exit(1)


@contextmanager
def telling(done: Callable[[], str]) -> Iterator[None]:
    """Say what is done, and what to do to go on, where the work in a block breaks off."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise stopped(interrupt, done()) from None
    except PersonaError:
        say(done())
        raise


def print_error(message: str) -> None:
    """Say on stderr what went wrong."""
    say(f"persona: {message}")


def usage_error(message: str) -> typer.Exit:
    """Say how a command is meant to be used, and return its end."""
    print_error(message)
    return typer.Exit(2)


def error_text(error: PersonaError, address: str) -> str:
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


def is_interactive() -> bool:
    """Whether somebody sits at the terminal."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool, unchanged: str = "Nothing was deleted.") -> None:
    """Ask before something is destroyed; without a terminal, --yes is needed."""
    if yes:
        return
    if not is_interactive():
        raise usage_error("There is no terminal to ask on; confirm with --yes.")
    try:
        is_wanted = typer.confirm(printable(question), err=True)
    except typer.Abort as abort:
        say(f"\n{unchanged}")
        interrupted = isinstance(abort.__context__, KeyboardInterrupt)
        raise typer.Exit(130 if interrupted else 1) from None
    if not is_wanted:
        say(unchanged)
        raise typer.Exit(1)
