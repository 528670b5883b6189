"""What the URL of a PostgreSQL database says."""

import re
from typing import Any

import psycopg
from psycopg import conninfo

from persona_server.settings.values import is_name
from persona_server.storage.engine.errors import DatabaseError

_PORTS = re.compile(r"[0-9,]*")
_AT = re.compile(r"[^,]@")  # in a host's name; at its start it is that of an abstract socket
_UNREADABLE = (
    "The URL of the database can't be read. A port is a number, what follows ? are parameters of "
    "libpq, such as sslmode=require, and in a name or password "
    "%, @, :, /, ? and # are written as %25, %40, %3A, %2F, %3F and %23."
)


def parts_of(url: str) -> dict[str, Any]:
    """Return what a URL says, by libpq's names of its parameters.

    Raises DatabaseError in words of its own: libpq quotes what it can't read, and that may be a
    part of the password.
    """
    try:
        parts: dict[str, Any] = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise DatabaseError(_UNREADABLE) from None
    if _AT.search(parts.get("host", "")) or not _PORTS.fullmatch(parts.get("port", "")):
        raise DatabaseError(_UNREADABLE)
    _require_names(parts.get("host", ""))
    return parts


def _require_names(hosts: str) -> None:
    """Raise DatabaseError for a host that can't be looked up: that raises UnicodeError."""
    for host in hosts.split(","):
        is_socket = host.startswith(("/", "@"))  # or its folder
        if not is_socket and not is_name(host):
            raise DatabaseError(
                f"{host[:100]!r} in the URL of the database is no name of a host: between "
                "its dots stand 1 to 63 letters."
            )
