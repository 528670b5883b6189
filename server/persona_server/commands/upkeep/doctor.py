"""`persona doctor`: whether a database and its surroundings are well."""

import json
import platform
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from persona_server.commands.places import DATA, Data
from persona_server.commands.upkeep.options import folder_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    data: Data = DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Look through a database and say what is well and what is not, one thing a line.

    The exit code is 1 if there is a problem; a warning is none. A server may run meanwhile; what is
    derived from answers is then not looked at.
    """
    from persona_server.storage.upkeep.doctor import findings

    folder, problems = folder_of(data), 0
    _show("ok", "versions", _versions(), as_json)
    for state, name, text in findings(folder):
        _show(state, name, text, as_json)
        problems += state == "problem"
    if problems:
        raise typer.Exit(1)


def _show(state: str, name: str, text: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"state": state, "name": name, "text": text}))
    else:
        print(f"{state:<8} {name:<13} {text}")
    sys.stdout.flush()  # what comes next may take long


def _versions() -> str:
    from persona_server.storage.engine.sqlite.connecting import apsw_version

    sqlite = ".".join(map(str, apsw_version()))
    return (
        f"persona-service {version('persona-service')}, SQLite {sqlite}, "
        f"grpcio {version('grpcio')}, Python {platform.python_version()}"
    )
