"""The service's own commands, where it is there: `persona serve`, `token`, `tenants` and others.

The distribution persona-service brings them as entry points. The client's commands need none of the
server.
"""

from typing import Any

import typer

ENTRY_POINTS = "persona.commands"  # each is a function that adds one command to a typer.Typer
NAMES = (
    *("serve", "token", "keys", "migrate", "tenants", "erase", "rebuild-measures"),
    *("backup", "restore", "doctor", "vacuum", "copy-database", "distribute"),
)
_INSTALL = "pip install persona-service"
# `--help` and everything else that follows the name gets the same answer.
_ANY_ARGUMENTS = {"ignore_unknown_options": True, "allow_extra_args": True}


def command(name: str) -> Any:
    """Return one of the commands, or what stands in for it until the service is installed."""
    from importlib.metadata import entry_points

    app = typer.Typer(add_completion=False)
    for entry_point in entry_points(group=ENTRY_POINTS, name=name):
        entry_point.load()(app)
        return typer.main.get_command(app)
    app.command(
        name,
        help=f"Comes with the service: {_INSTALL}",
        add_help_option=False,
        context_settings=_ANY_ARGUMENTS,
    )(_not_installed)
    return typer.main.get_command(app)


def _not_installed(context: typer.Context) -> None:
    # Imported when it runs: what a command of the service's own waits for has no gRPC in it.
    from persona_cli.terminal.failures import usage_error

    name = context.info_name
    raise usage_error(f"`persona {name}` comes with the service, which is not here: {_INSTALL}")
