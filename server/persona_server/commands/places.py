"""What commands that open a database are told: where it is, and a tenant."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from persona_server import setting_values
from persona_server.config import default_data

DATA = default_data()
Data = Annotated[str, typer.Option(help="Folder of the database.", envvar="PERSONA_DATA")]
Database = Annotated[
    str,
    typer.Option(
        help="URL of a PostgreSQL database, in place of a folder.", envvar="PERSONA_DATABASE"
    ),
]


def database_place(data: str, database: str) -> Path | str:
    """Return the place that --database or else --data names; one that can't be ends the command."""
    if database:
        return _parsed("--database", database, setting_values.database)
    return _parsed("--data", data, setting_values.folder)


def named_place(flag: str, text: str) -> Path | str:
    """Return the place that a flag names in any way; one that can't be ends the command."""
    return _parsed(flag, text, setting_values.any_database)


def _parsed(flag: str, text: str, parse: Callable[[str], Path | str]) -> Path | str:
    try:
        return parse(text)
    except ValueError as error:
        print(f"persona: {flag} {error}; got {text!r}.", file=sys.stderr)
        raise typer.Exit(2) from None


def require_tenant(name: str) -> None:
    """End the command for what can't be the name of a tenant."""
    # Imported when it runs: `persona --help` reads this module, and would wait for it.
    from persona_server.identity.tokens import TENANT, TENANT_RULE

    if not TENANT.fullmatch(name):
        print(f"persona: {TENANT_RULE}", file=sys.stderr)
        raise typer.Exit(2)
