"""`persona tenants`: what a tenant may use, and how it is erased.

No server is needed. A running one heeds quotas; an erasure wants it stopped.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_server.commands.erase import Yes, alone, confirm, counted, fail
from persona_server.commands.places import DATA, Data, Database, database_place, require_tenant
from persona_server.config import SETTINGS

if TYPE_CHECKING:
    from persona_server.storage.store import Store

PREFIX = "quota_"
DEFAULTS = {
    each.name.removeprefix(PREFIX): each for each in SETTINGS if each.name.startswith(PREFIX)
}

_Tenant = Annotated[str, typer.Argument(help="Name of the tenant, as its tokens have it.")]
_Values = Annotated[
    list[str], typer.Argument(help=f"NAME=VALUE or NAME=default; names: {', '.join(DEFAULTS)}.")
]


def register(app: typer.Typer) -> None:
    """Add the commands, to an app of their own."""
    app.callback(no_args_is_help=True)(_tenants)
    app.command("quotas")(quotas)
    app.command("set")(set_quotas)
    app.command("erase")(erase)


def _tenants() -> None:
    """Show and set what tenants may use; erase one."""


def quotas(
    tenant: _Tenant,
    data: Data = DATA,
    database: Database = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Show the quotas of a tenant that are its own, and the bytes it has stored."""
    require_tenant(tenant)
    with _store(database_place(data, database)) as store, store.reading(tenant) as repositories:
        own, stored = repositories.quotas.own(), repositories.quotas.stored()
    if as_json:  # null: the server's default
        print(json.dumps({**dict.fromkeys(DEFAULTS), **own, "stored_now": stored}))
        return
    for name, each in DEFAULTS.items():
        print(f"{name}  {own.get(name, f'default ({each.flag} of the server)')}")
    print(f"stored now  {stored}")


def set_quotas(
    tenant: _Tenant, values: _Values, data: Data = DATA, database: Database = ""
) -> None:
    """Set quotas of a tenant, or let them be the server's defaults again.

    A running server heeds them within 30 seconds.
    """
    require_tenant(tenant)
    try:
        wanted = dict(map(parsed, values))
    except ValueError as error:
        print(f"persona tenants: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    with (
        _store(database_place(data, database)) as store,
        store.writing(tenant, None) as repositories,
    ):
        for name, value in wanted.items():
            repositories.quotas.put(name, value)


def erase(tenant: _Tenant, yes: Yes = False, data: Data = DATA, database: Database = "") -> None:
    """Erase all that a tenant has, for good: projects, personas, answers, library, audit trail.

    Its name, its quotas and one audit row are left. Stop the server first. Backups are not reached,
    and tokens of the tenant are good until they expire.
    """
    # Imported when it runs: `persona --help` reads this module, and would wait for the store.
    from persona_server.storage.erasure.guard import scrub
    from persona_server.storage.erasure.tenants import TenantErasure

    require_tenant(tenant)
    with alone(database_place(data, database)) as store:
        if not store.tenants.key(tenant):
            fail(f"There is no tenant {tenant}.", 1)
        erasure = TenantErasure(store)
        held = erasure.held(tenant)
        what = counted(
            {"projects": held.projects, "personas": held.personas, "answers": held.responses}
        )
        confirm(f"Tenant {tenant}: {what}.", yes=yes)
        for _ in erasure.erase(tenant):
            pass
        scrub(store)
    print(f"Erased: {what}.")


def parsed(text: str) -> tuple[str, int | None]:
    """Return the name of a quota, and its value or None for the default. Raises ValueError."""
    name, _, value = text.partition("=")
    setting = DEFAULTS.get(name)
    if setting is None:
        raise ValueError(f"{name!r} is no quota; there are {', '.join(DEFAULTS)}.")
    if value == "default":
        return name, None
    try:
        return name, int(setting.parse(value))
    except ValueError as error:
        raise ValueError(f"{name} {error}, or default; got {value!r}.") from None


@contextmanager
def _store(place: Path | str) -> "Iterator[Store]":
    """Open a database for a block; what is wrong with it ends the command."""
    # Imported when it runs: `persona --help` reads this module, and would wait for the store.
    from persona_server.errors import ServiceError
    from persona_server.storage.engine.errors import DatabaseError
    from persona_server.storage.store import open_store

    try:
        store = open_store(place, make=False)
        try:
            yield store
        finally:
            store.close()
    except (DatabaseError, ServiceError) as error:
        print(f"persona tenants: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
