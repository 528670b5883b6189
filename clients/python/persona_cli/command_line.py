"""The commands of `persona`, put together and run."""

import os
import sys
from typing import Annotated

# gRPC's core reads this when it is imported. Else it writes lines of its own beside ours, such as a
# second one for a taken port.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import typer

from persona_cli.commands.by_name import Commands
from persona_cli.terminal.signals import heed_signals, stopped
from persona_cli.terminal.streams import NO_READER, buffer_stdout, end_of, fill_closed

app = typer.Typer(
    cls=Commands,
    help="The system of record for synthetic consumers: run the service, or use one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"persona {version('persona-client')}")
        raise typer.Exit


@app.callback()
def persona(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """The system of record for synthetic consumers: run the service, or use one."""


def run() -> None:
    """Run the command line."""
    fill_closed()
    buffer_stdout()
    heed_signals()
    try:
        app()
    except KeyboardInterrupt as interrupt:  # before a command has begun
        sys.exit(stopped(interrupt).exit_code)
    except OSError as error:  # what misuse is answered with finds no taker
        sys.exit(end_of(error))
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich would have it be a failure
            sys.exit(NO_READER)
        raise
