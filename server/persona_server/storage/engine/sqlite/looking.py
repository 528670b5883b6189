"""A database file seen from outside: whose it is, of which version, and whether it is whole."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.engine.history import HISTORY

APPLICATION_ID = 0x50455253  # "PERS"
UNREADABLE = apsw.Error  # what a look at a damaged page raises
_OURS = {"tenant", "secret", HISTORY}
_MOST_FAULTS = 5  # that are named
_LEAST_ROOM = 64 << 10  # bytes; a reader may have to make 32 KiB of -shm
_WAIT = 5_000  # milliseconds for a lock of another process


class Sizes(NamedTuple):
    """How large a database is, in bytes; `free` of them are in pages that hold nothing."""

    whole: int
    free: int


@contextmanager
def looking_at(path: Path, *, alone: bool = False, named: str = "") -> Iterator[apsw.Connection]:
    """Open a database for a block, in which nothing is written. Raises DatabaseError.

    One that nobody else has open (`alone`) is read without a log, and so without making one. Errors
    call it as it is named, or by its path.
    """
    target = f"file:{_quoted(path)}?immutable=1" if alone else str(path)
    flags = apsw.SQLITE_OPEN_URI | (
        apsw.SQLITE_OPEN_READONLY if alone else apsw.SQLITE_OPEN_READWRITE
    )
    try:
        with closing(apsw.Connection(target, flags=flags)) as connection:
            connection.set_busy_timeout(_WAIT)
            connection.execute("PRAGMA query_only = 1")
            yield connection
    except apsw.Error as error:
        why = f"{error}{_behind(path)}"
        raise DatabaseError(f"{named or path} can't be read as a database: {why}.") from error


def _behind(path: Path) -> str:
    """Return what may be behind an error: readers share a file, and bring in what is in the log."""
    try:
        disk = os.statvfs(path.parent)
        if disk.f_flag & os.ST_RDONLY:
            return "; its disk can only be read: copy the folder to another one"
        if disk.f_bavail * disk.f_frsize < _LEAST_ROOM:
            return "; the disk is full"
        is_mine = os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)
        return "" if is_mine else f"; it belongs to {path.owner()}, and this is another user"
    except (OSError, KeyError):
        return ""


def require_ours(connection: apsw.Connection, named: object) -> None:
    """Raise DatabaseError for a database that another program has made."""
    if not is_ours(connection):
        raise DatabaseError(f"{named} is a database of another program.")


def is_ours(connection: apsw.Connection) -> bool:
    """Return whether a database is of persona-service, or has nothing in it yet."""
    if (found := connection.pragma("application_id")) != 0:
        return bool(found == APPLICATION_ID)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    return not tables or tables >= _OURS  # before it was marked


def migrations(connection: apsw.Connection) -> list[str]:
    """Return the names of the migrations that a database has had, in their order."""
    found = connection.execute(f"SELECT name FROM {HISTORY} ORDER BY name")  # noqa: S608 (ours)
    return [name for (name,) in found]


def faults(connection: apsw.Connection) -> list[str]:
    """Return what is wrong with the pages and indexes of a database; nothing if it is whole."""
    found = connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")
    texts = [text.removeprefix("*** in database main ***\n") for (text,) in found]
    return [text.replace("\n", "; ") for text in texts if text != "ok"]


def orphans(connection: apsw.Connection) -> list[str]:
    """Return the tables that have rows whose parents are missing."""
    found = connection.execute('SELECT DISTINCT "table" FROM pragma_foreign_key_check')
    return [table for (table,) in found]


def sizes(connection: apsw.Connection) -> Sizes:
    """Return how large a database is, its log not counted."""
    page = connection.pragma("page_size")
    return Sizes(connection.pragma("page_count") * page, connection.pragma("freelist_count") * page)


def newest(connection: apsw.Connection) -> int:
    """Return when the last change was made, in microseconds since 1970; 0 if none was."""
    ((found,),) = connection.execute("SELECT coalesce(max(at), 0) FROM audit")
    return int(found)


def require_whole(path: Path, named: str) -> None:
    """Raise DatabaseError for a file, which nobody has open, that is no whole database of ours."""
    with looking_at(path, alone=True, named=named) as connection:
        require_ours(connection, named)
        if not connection.pragma("schema_version"):
            raise DatabaseError(f"{named} is empty.")
        if wrong := faults(connection):
            raise DatabaseError(f"{named} is damaged: {'; '.join(wrong)}.")
        if tables := orphans(connection):
            raise DatabaseError(
                f"{named} is damaged: rows without a parent in {', '.join(tables)}."
            )


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
