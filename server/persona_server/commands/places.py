"""What commands that open a database are told: its folder, and a tenant."""

import sys
from pathlib import Path

import typer

from persona_server.setting_values import folder


def data_folder(text: str) -> Path:
    """Return the folder that --data names; one that can't be ends the command."""
    try:
        return folder(text)
    except ValueError as error:
        print(f"persona: --data {error}; got {text!r}.", file=sys.stderr)
        raise typer.Exit(2) from None


def require_tenant(name: str) -> None:
    """End the command for what can't be the name of a tenant."""
    # Imported when it runs: `persona --help` reads this module, and would wait for it.
    from persona_server.identity.tokens import TENANT, TENANT_RULE

    if not TENANT.fullmatch(name):
        print(f"persona: {TENANT_RULE}", file=sys.stderr)
        raise typer.Exit(2)
