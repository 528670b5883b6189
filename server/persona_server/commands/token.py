"""`persona token`: make an access token with the local key. No server is needed."""

import sys
from typing import Annotated

import typer

from persona_server.commands.places import DATA, Data, Database, database_place
from persona_server.config import DAY
from persona_server.identity.scopes import SCOPES

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("token")(token)


def token(
    tenant: Annotated[str, typer.Option(help="Tenant that the token is for: a-z, 0-9 and -.")],
    scopes: Annotated[
        str, typer.Option(help=f"Comma-separated scopes, or all: {', '.join(SCOPES)}.")
    ] = "all",
    ttl: Annotated[str, typer.Option(help="How long the token is valid: 30m, 12h, 7d.")] = "12h",
    subject: Annotated[
        str, typer.Option(help="Who uses the token, as the audit trail names them.")
    ] = "cli",
    data: Data = DATA,
    database: Database = "",
    init: Annotated[
        bool, typer.Option("--init", help="Create the database if there is none.")
    ] = False,
) -> None:
    """Create an access token with the local key of a database, and print it."""
    # Imported when it runs: `persona --help` reads this module, and would wait for the store.
    from persona_server.identity.principal import TokenError
    from persona_server.identity.tokens import find_local_key, local_key
    from persona_server.storage.engine.database import shown
    from persona_server.storage.engine.errors import DatabaseError
    from persona_server.storage.store import open_store

    place = database_place(data, database)
    try:
        store = open_store(place, make=init)
        key = local_key(store) if init else find_local_key(store)
        if key is None:
            raise DatabaseError(
                f"The database in {shown(place)} has no key yet; start the server once."
            )
        made = key.issue(tenant, subject, scopes.replace(",", " ").split(), parse_duration(ttl))
        store.close()
    except DatabaseError as error:
        print(f"persona token: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (TokenError, ValueError) as error:
        print(f"persona token: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    print(f"Signed with the key of {shown(place)}.", file=sys.stderr)
    print(made)


def parse_duration(text: str) -> int:
    """Return a duration such as 90s, 30m, 12h or 7d in seconds. Raises ValueError."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not number.isdecimal():
        raise ValueError(f"--ttl must be a duration such as 30m, 12h or 7d; got {text!r}.")
    return int(number) * _UNITS[unit]
