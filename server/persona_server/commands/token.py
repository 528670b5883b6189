"""`persona token`: make a token with the local key, revoke one, rotate the key. Needs no server."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from persona_server.commands.keys import RoleOption, time_text, wanted_scopes
from persona_server.commands.places import (
    DATA,
    Data,
    Database,
    fail,
    opened,
    parse_duration,
    require_tenant,
    warn_if_unknown,
)
from persona_server.identity.scopes import SCOPES

if TYPE_CHECKING:
    from persona_server.identity.tokens import LocalKey
    from persona_server.storage.store import Store


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("token")(token)


def token(
    context: typer.Context,
    tenant: Annotated[str, typer.Option(help="Tenant that the token is for: a-z, 0-9 and -.")] = "",
    scopes: Annotated[
        str,
        typer.Option(
            help=f"Comma-separated scopes, or all, the default: {', '.join(SCOPES)}.",
            show_default=False,
        ),
    ] = "",
    role: RoleOption = "",
    ttl: Annotated[str, typer.Option(help="How long the token is valid: 30m, 12h, 7d.")] = "12h",
    subject: Annotated[
        str, typer.Option(help="Who uses the token, as the audit trail names them.")
    ] = "cli",
    data: Data = DATA,
    database: Database = "",
    init: Annotated[
        bool, typer.Option("--init", help="Create the database if there is none.")
    ] = False,
    revoke: Annotated[
        str, typer.Option(metavar="JTI", help="Revoke this token of the tenant, by its claim jti.")
    ] = "",
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Sign with a new key from now on.")
    ] = False,
    keep: Annotated[
        str,
        typer.Option(help="With --rotate: how long tokens of the keys before are taken at most."),
    ] = "24h",
) -> None:
    """Create an access token with the local key of a database, and print it.

    With --revoke or --rotate: end tokens instead. Running servers know of it when this ends.
    """
    if rotate:
        _require_alone(context, "--rotate", {"keep"})
        _rotate(data, database, keep)
        return
    if revoke:
        _require_alone(context, "--revoke", {"tenant"})
        require_tenant(tenant)
        _revoke(data, database, tenant, revoke)
        return
    if not tenant:
        fail("--tenant says whom the token is for.", 2)
    require_tenant(tenant)
    wanted = scopes if scopes or role else "all"
    with opened(data, database, make=init) as store:
        key = _key(store, init=init)
        allowed = wanted_scopes(role, wanted)
        made = key.issue(tenant, subject, allowed, parse_duration(ttl, "--ttl"))
        token_id = key.verify(made).token_id
        place = store.database.place
    print(f"Signed with the key of {place}; its id is {token_id}.", file=sys.stderr)
    print(made)


def _require_alone(context: typer.Context, flag: str, others: set[str]) -> None:
    """End the command where a flag is given with what it would not heed."""
    heeded = {flag.removeprefix("--"), "data", "database"} | others
    for name in sorted(context.params.keys() - heeded):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            beside = " and ".join(f"--{one}" for one in sorted({"data", "database"} | others))
            fail(f"{flag} goes with {beside} alone, not with --{name}.", 2)


def _key(store: "Store", *, init: bool) -> "LocalKey":
    from persona_server.identity.tokens import find_local_key, local_key

    key = local_key(store) if init else find_local_key(store)
    if key is None:
        fail(f"The database in {store.database.place} has no key yet; start the server once.", 1)
    return key


def _revoke(data: str, database: str, tenant: str, jti: str) -> None:
    from persona_server.identity.changes import revoke_token, wait_until_heard

    with opened(data, database) as store:
        warn_if_unknown(store, tenant)  # before its first row is made
        is_new = revoke_token(store, tenant, jti)
    wait_until_heard()
    print(f"Revoked {jti}." if is_new else f"{jti} was revoked before.")


def _rotate(data: str, database: str, keep: str) -> None:
    from persona_server.identity.changes import rotate, wait_until_heard

    with opened(data, database) as store:
        until = rotate(store, parse_duration(keep, "--keep"))
    wait_until_heard()
    print(
        "Tokens are signed with a new key. Those of the keys before are taken until "
        f"{time_text(until)} at most."
    )
