"""Who uses a database, by a lock that each connection holds and that ends with it.

Connections of servers and commands share it; a command that must be alone has it to itself. The
database itself keeps it, so that neither names nor a lost process can deceive. Behind a pooler each
transaction has it: a command sees nobody who is between two of them, but lets nobody begin one.
"""

import time

import psycopg

from persona_server.storage.engine.postgresql.connection import Connection

IN_USE = 0x757365  # the lock: "use"
MIGRATING = 0x706572736F6E61  # that of who changes the schema: "persona"
WAIT_SECONDS = 5.0  # for connections that were closed: the database may see that a moment later
_PAUSE = 0.02
_SHARE = f"SELECT pg_try_advisory_lock_shared({IN_USE})"
_SHARE_ONCE = f"SELECT pg_try_advisory_xact_lock_shared({IN_USE})"
_EXCLUDE = f"SELECT pg_try_advisory_lock({IN_USE})"
_ADMIT = f"SELECT pg_advisory_unlock({IN_USE})"
# Who waits to change the schema uses nothing yet.
_OTHERS = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks used "  # noqa: S608 (numbers)
    "WHERE used.locktype = 'advisory' AND used.granted AND used.objsubid = 1 "
    f"AND used.classid = {IN_USE >> 32} AND used.objid = {IN_USE & 0xFFFFFFFF} "
    "AND used.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND used.pid <> pg_backend_pid() AND NOT EXISTS (SELECT 1 FROM pg_locks waits "
    "WHERE waits.pid = used.pid AND waits.locktype = 'advisory' AND NOT waits.granted "
    f"AND waits.classid = {MIGRATING >> 32} AND waits.objid = {MIGRATING & 0xFFFFFFFF}))"
)


def share(connection: Connection) -> None:
    """Let a connection say that the database is used.

    Raises psycopg's OperationalError while a command must be alone: that is not now, but later.
    """
    if not _got(connection, _SHARE):
        raise _taken()


def share_once(connection: Connection, begin: str) -> None:
    """Begin a transaction by statements, which says until its end that the database is used.

    Raises as `share` does; the transaction is open then.
    """
    cursor = connection.execute(f"{begin}; {_SHARE_ONCE}".encode())
    while cursor.nextset():
        pass
    if cursor.fetchone() != (True,):
        raise _taken()


def exclude(connection: Connection) -> bool:
    """Let a connection keep out all others; return whether there are none.

    It tries: who waited for them would keep out new ones of a server that goes on.
    """
    until = time.monotonic() + WAIT_SECONDS
    while not _got(connection, _EXCLUDE):
        if time.monotonic() >= until:
            return False
        time.sleep(_PAUSE)
    connection.execute("SET idle_session_timeout = 0")  # however long the command takes
    return True


def is_used(connection: Connection) -> bool:
    """Return whether others use the database than those who wait to change its schema, as it does.

    Those who are about to, and connections that were closed, have a moment to be gone.
    """
    until = time.monotonic() + WAIT_SECONDS
    while _got(connection, _OTHERS):
        if time.monotonic() >= until:
            return True
        time.sleep(_PAUSE)
    return False


def require(connection: Connection) -> None:
    """Raise psycopg's OperationalError where the connection that keeps out others is lost."""
    connection.execute("SELECT 1")


def admit(connection: Connection) -> None:
    """Let others in again."""
    connection.execute(_ADMIT)


def _taken() -> psycopg.OperationalError:
    return psycopg.OperationalError("a command has it to itself")


def _got(connection: Connection, sql: str) -> bool:
    return connection.execute(sql).fetchone() == (True,)
