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
        found = typer.main.get_command(app)
        _refuse_empty(found)
        return found
    app.command(
        name,
        help=f"Comes with the service: {_INSTALL}",
        add_help_option=False,
        context_settings=_ANY_ARGUMENTS,
    )(_not_installed)
    return typer.main.get_command(app)


def _refuse_empty(command: Any) -> None:
    """Have a command and those below it refuse options that say nothing, as of a variable unset.

    They would be as if they were not there: a token for all in place of one revoked, the usual
    folder in place of a database.
    """
    for below in getattr(command, "commands", {}).values():
        _refuse_empty(below)
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.callback is None:
            parameter.callback = _said


def _said(context: typer.Context, parameter: Any, value: Any) -> Any:
    source = context.get_parameter_source(parameter.name)
    if source is not None and source.name == "COMMANDLINE" and value in ("", ()):
        raise typer.BadParameter("is empty; leave it out, or say what it is.")
    return value


def _not_installed(context: typer.Context) -> None:
    # Imported when it runs: what a command of the service's own waits for has no gRPC in it.
    from persona_cli.terminal.failures import usage_error

    name = context.info_name
    raise usage_error(f"`persona {name}` comes with the service, which is not here: {_INSTALL}")
