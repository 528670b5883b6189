"""What commands that open a database share: where it is, a tenant, a time, and how they fail."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from persona_server.settings import values as setting_values
from persona_server.settings.config import DAY, default_data

DATA = default_data()
Data = Annotated[str, typer.Option(help="Folder of the database.", envvar="PERSONA_DATA")]
Database = Annotated[
    str,
    typer.Option(
        help="URL of a PostgreSQL database, in place of a folder.", envvar="PERSONA_DATABASE"
    ),
]

if TYPE_CHECKING:
    from persona_server.storage.store import Store

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY}


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
        fail(f"{flag} {error}; {setting_values.refused(text, parse)}.", 2)


def require_tenant(name: str) -> None:
    """End the command for what can't be the name of a tenant."""
    from persona_server.identity.principal import TENANT, TENANT_RULE

    if not TENANT.fullmatch(name):
        fail(TENANT_RULE, 2)


def parse_duration(text: str, option: str) -> int:
    """Return a duration such as 90s, 30m, 12h or 7d in seconds. Raises ValueError."""
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not (number.isascii() and number.isdecimal()):
        raise ValueError(f"{option} must be a duration such as 30m, 12h or 7d; got {text!r}.")
    return int(number) * _UNITS[unit]


def unserved(place: Path | str) -> AbstractContextManager[object]:
    """Keep servers from the folder of a database while a command upgrades it.

    One that runs would go on by the schema of before. Raises DatabaseError where one does.
    """
    from persona_server.storage.engine.folder import lock_file

    return lock_file(place) if isinstance(place, Path) else nullcontext()


@contextmanager
def opened(data: str, database: str, *, make: bool = False) -> "Iterator[Store]":
    """Open the database that --database or else --data names for a block.

    What is wrong with it ends the command.

    So does what is wrong with the words of a token or key, or with a duration.
    """
    from persona_server.identity.principal import TokenError
    from persona_server.storage.store import open_store

    try:
        place = database_place(data, database)
        with (
            failing_in_words(),
            closing(
                open_store(place, make=make, watched=lambda _: unserved(place), unserved=True)
            ) as store,
        ):
            yield store
    except (TokenError, ValueError) as error:
        fail(str(error), 2)


@contextmanager
def failing_in_words(command: str = "persona") -> Iterator[None]:
    """Turn what is wrong with a database into one sentence and exit code 1."""
    from persona_server.errors import ServiceError, to_operator
    from persona_server.storage.engine.errors import DatabaseError

    try:
        yield
    except DatabaseError as error:
        fail(str(error), 1, command)
    except ServiceError as error:
        fail(to_operator(error), 1, command)


def counted(counts: dict[str, int]) -> str:
    """Return how many there are of what, by the plural's name."""
    return ", ".join(
        f"{n:,} {what.removesuffix('s') if n == 1 else what}" for what, n in counts.items()
    )


def warn_if_unknown(store: "Store", tenant: str) -> None:
    """Say that nobody has written as a tenant yet, which a slip in its name would look like."""
    if tenant not in store.tenants.names():
        print(f"{tenant} has no data here: is it the tenant's name?", file=sys.stderr)


def fail(why: str, code: int, command: str = "persona") -> NoReturn:
    """Say why and end the command."""
    print(f"{command}: {why}", file=sys.stderr)
    raise typer.Exit(code) from None
