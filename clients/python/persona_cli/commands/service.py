"""The service's own commands, where it is there: `persona serve`, `token`, `tenants` and others.

The distribution persona-service brings them as entry points. They are imported only when one of
them is run, or listed: the client's commands need none of the server, and would wait for it.
"""

from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperGroup

from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.streams import ending_in_words

ENTRY_POINTS = "persona.commands"  # each is a function that adds one command to a typer.Typer
NAMES = (
    *("serve", "token", "keys", "migrate", "tenants", "erase", "rebuild-measures"),
    *("backup", "restore", "doctor", "vacuum", "copy-database", "distribute"),
)
# A command of the client's that is one of the service's where it is told any of these.
_OTHERWISE = {"copy": ("copy-database", {"--from", "--to"})}
_INSTALL = "pip install persona-service"
# `--help` and everything else that follows the name gets the same answer.
_ANY_ARGUMENTS = {"ignore_unknown_options": True, "allow_extra_args": True}


class ServiceCommands(TyperGroup):
    """The whole of `persona`: commands of these names are the service's, if it is installed."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the command line, whose `--help` prints."""
        with ending_in_words():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with ending_in_words():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that a command line means, by its first word mostly."""
        other, options = _OTHERWISE.get(args[0], ("", set()))
        if options.intersection(word.partition("=")[0] for word in args):
            args = [other, *args[1:]]
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command by its name, None if there is none."""
        if cmd_name in NAMES:
            for entry_point in entry_points(group=ENTRY_POINTS, name=cmd_name):
                app = typer.Typer(add_completion=False)
                entry_point.load()(app)
                return typer.main.get_command(app)
        return super().get_command(ctx, cmd_name)


def register(app: typer.Typer) -> None:
    """Add what stands in for each command until the service is installed."""
    for name in NAMES:
        app.command(
            name,
            help=f"Comes with the service: {_INSTALL}",
            add_help_option=False,
            context_settings=_ANY_ARGUMENTS,
        )(_not_installed)


def _not_installed(context: typer.Context) -> None:
    name = context.info_name
    raise usage_error(f"`persona {name}` comes with the service, which is not here: {_INSTALL}")
