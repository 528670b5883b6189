"""`persona tenants`: who they are, what they may use, and how one is suspended and erased.

No server is needed. A running one heeds what is set; an erasure wants it stopped.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_server.commands.erase import Yes, alone, confirm
from persona_server.commands.keys import time_text
from persona_server.commands.places import (
    DATA,
    Data,
    Database,
    counted,
    database_place,
    fail,
    opened,
    require_tenant,
    warn_if_unknown,
)
from persona_server.settings.config import SETTINGS

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
    app.command("list")(list_tenants)
    app.command("suspend")(suspend)
    app.command("resume")(resume)
    app.command("export")(export)
    app.command("erase")(erase)


def _tenants() -> None:
    """Look after tenants: list, suspend, export and erase them, set what they may use."""


def list_tenants(
    data: Data = DATA,
    database: Database = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """List the tenants: since when each is there and suspended, and the bytes it has stored."""
    with opened(data, database) as store:
        for row in store.tenants.rows():
            with store.reading(row.name) as repositories:
                stored = repositories.quotas.stored()
            made, suspended = time_text(row.created_at), time_text(row.suspended_at)
            if as_json:
                shown = {"tenant": row.name, "created_at": made, "suspended_at": suspended}
                print(json.dumps({**shown, "stored_bytes": stored}))
            else:
                state = f"suspended since {suspended}" if suspended else "active"
                print(f"{row.name}  {state}  since {made}  {stored} bytes")


def suspend(tenant: _Tenant, data: Data = DATA, database: Database = "") -> None:
    """Refuse a tenant's calls until it is resumed. Its data stays.

    Running servers heed it when this ends.
    """
    require_tenant(tenant)
    with opened(data, database) as store:
        warn_if_unknown(store, tenant)  # it may have tokens of an identity provider
        _set_suspended(store, tenant, suspended=True)


def resume(tenant: _Tenant, data: Data = DATA, database: Database = "") -> None:
    """Take a suspended tenant's calls again. Running servers do so when this ends."""
    with _known(tenant, data, database) as store:
        _set_suspended(store, tenant, suspended=False)


def _set_suspended(store: "Store", tenant: str, *, suspended: bool) -> None:
    from persona_server.identity import changes

    state = "suspended" if suspended else "active"
    changed = changes.suspend(store, tenant, suspended=suspended)
    changes.wait_until_heard()
    print(f"{tenant} is {state}." if changed else f"{tenant} was {state} already.")


def export(
    tenant: _Tenant,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to write; it must not be there yet.")
    ],
    data: Data = DATA,
    database: Database = "",
) -> None:
    """Write all that a tenant has into a folder, as JSON lines: what it could read, and its audit.

    It is for its owner alone, and there when it is whole. A server may be running; what changes
    meanwhile is in it or not.
    """
    from persona_server.commands.exporting import write_export

    with _known(tenant, data, database) as store:
        try:
            counts = write_export(store, tenant, folder)
        except OSError as error:
            fail(f"{folder} can't be written: {error.strerror}.", 1)
    print(f"Exported: {', '.join(f'{what} {count}' for what, count in counts.items())}.")


@contextmanager
def _known(tenant: str, data: str, database: str) -> "Iterator[Store]":
    """Open the database of a folder that has a tenant; else the command ends."""
    require_tenant(tenant)
    with opened(data, database) as store:
        if not store.tenants.key(tenant):
            fail(f"There is no tenant {tenant}.", 1)
        yield store


def quotas(
    tenant: _Tenant,
    data: Data = DATA,
    database: Database = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Show the quotas of a tenant that are its own, and the bytes it has stored."""
    require_tenant(tenant)
    with opened(data, database) as store, store.reading(tenant) as repositories:
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
    from persona_server.identity import changes

    require_tenant(tenant)
    try:
        wanted = dict(map(parsed, values))
    except ValueError as error:
        fail(str(error), 2)
    with opened(data, database) as store:
        warn_if_unknown(store, tenant)  # it may be about to come
        changes.set_quotas(store, tenant, wanted)


def erase(tenant: _Tenant, yes: Yes = False, data: Data = DATA, database: Database = "") -> None:
    """Erase all that a tenant has, for good: projects, personas, answers, library, audit trail.

    Its name, its quotas, its revoked tokens and one audit row are left. Stop the server first.
    Backups are not reached, and tokens of the tenant are good until they expire.
    """
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
