"""`persona keys`: the API keys of a tenant. No server is needed; a running one heeds them."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from persona_server.commands.places import (
    DATA,
    Data,
    Database,
    fail,
    opened,
    parse_duration,
    require_tenant,
)
from persona_server.identity.scopes import ROLES, SCOPES

if TYPE_CHECKING:
    from persona_server.storage.repositories.credentials import KeyRow

RoleOption = Annotated[
    str,
    typer.Option(help=f"A set of scopes by its name, in place of --scopes: {', '.join(ROLES)}."),
]

_Tenant = Annotated[str, typer.Option(help="Tenant that the key is for: a-z, 0-9 and -.")]


def register(app: typer.Typer) -> None:
    """Add the commands, to an app of their own."""
    app.callback(no_args_is_help=True)(_keys)
    app.command("create")(create)
    app.command("list")(list_keys)
    app.command("revoke")(revoke)


def _keys() -> None:
    """Make, list and revoke API keys."""


def create(
    tenant: _Tenant,
    name: Annotated[str, typer.Option(help="What it is for; the audit trail has it.")],
    role: RoleOption = "",
    scopes: Annotated[
        str, typer.Option(help=f"Comma-separated scopes, or all: {', '.join(SCOPES)}.")
    ] = "",
    ttl: Annotated[str, typer.Option(help="How long it is valid: 12h, 90d; 366d at most.")] = "90d",
    data: Data = DATA,
    database: Database = "",
) -> None:
    """Make an API key and print it: nobody can show it again. Running servers take it by then."""
    from persona_server.identity.changes import create_key, wait_until_heard

    with opened(data, database) as store:
        wanted = wanted_scopes(role, scopes)
        made = create_key(store, tenant, name, wanted, parse_duration(ttl, "--ttl"))
    wait_until_heard()
    print(f"Key {made.split('_')[2]} of {tenant}: {' '.join(sorted(wanted))}.", file=sys.stderr)
    print(made)


def list_keys(
    tenant: _Tenant,
    data: Data = DATA,
    database: Database = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """List a tenant's keys, with those that expired or were revoked.

    When one was used last is written down once an hour.
    """
    require_tenant(tenant)
    with opened(data, database) as store, store.reading(tenant) as repositories:
        rows = repositories.credentials.all_keys()
    for row in rows:
        shown = _shown(row)
        if as_json:
            print(json.dumps(shown))
        else:
            used = shown["used_at"] or "never"
            print(
                f"{shown['id']}  {shown['state']}  {row.name}  {shown['scopes']}  "
                f"until {shown['expires_at']}  used {used}"
            )


def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` has it.")],
    tenant: _Tenant,
    data: Data = DATA,
    database: Database = "",
) -> None:
    """Revoke a key. Running servers take it no more when this ends."""
    from persona_server.identity.changes import revoke_key, wait_until_heard

    require_tenant(tenant)
    try:
        wanted = bytes.fromhex(key_id)
    except ValueError:
        fail("ID must be the 16 hexadecimal digits of a key's id.", 2)
    with opened(data, database) as store:
        if not (store.tenants.key(tenant) and revoke_key(store, tenant, wanted)):
            fail(f"The tenant {tenant} has no key {key_id} that is not revoked.", 1)
    wait_until_heard()
    print(f"Revoked {key_id}.")


def wanted_scopes(role: str, scopes: str) -> list[str]:
    """Return the scopes that a credential is to have. Raises TokenError."""
    from persona_server.identity.principal import TokenError
    from persona_server.identity.scopes import expand_scopes, scopes_of_role

    names = scopes.replace(",", " ").split()
    if bool(role) == bool(names):
        raise TokenError("Say what it may do: by either --role or --scopes.")
    if role:
        return list(scopes_of_role(role))
    return expand_scopes(names)


def _shown(row: "KeyRow") -> dict[str, Any]:
    state = "expired" if row.expires_at / 1e6 <= time.time() else "valid"
    return {
        "id": row.id.hex(),
        "state": "revoked" if row.revoked_at else state,
        "name": row.name,
        "scopes": row.scopes,
        "created_at": time_text(row.created_at),
        "expires_at": time_text(row.expires_at),
        "revoked_at": time_text(row.revoked_at),
        "used_at": time_text(row.used_at),
    }


def time_text(micros: int | None) -> str | None:
    """Return a time in microseconds since 1970 as text, to the second."""
    if micros is None:
        return None
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
