"""A connection to the file, set up so that commits are durable and nobody waits in vain."""

import time

import apsw

from persona_server import patience
from persona_server.storage.engine.errors import DatabaseError

OLDEST_SQLITE = (3, 51, 3)  # before, a WAL reset could lose committed pages
BUSY_TIMEOUT = 5.0  # seconds SQLite waits for another process, …
BUSY_PAUSE = 0.002  # … and between two tries
INTERRUPT_STEPS = 50_000  # of SQLite's machine, some milliseconds, between two looks at the caller
# So that room can be given back while a server runs. Asking for it again would be a write.
CAN_SHRINK = "PRAGMA auto_vacuum = INCREMENTAL"

# KiB of pages in memory. Readers are many and forget them when somebody writes; the system has them
# too. They get the 20 pages that SQLite takes in one block: what goes beyond comes and goes page by
# page, and leaves holes in the heap. With 13 and with 50 times as much, calls took as much CPU.
READERS_CACHE, WRITERS_CACHE = 160, 8192

# name → (value to set, value that must come back)
PRAGMAS: dict[str, tuple[str, object]] = {
    "journal_mode": ("WAL", "wal"),
    "synchronous": ("FULL", 2),
    "foreign_keys": ("1", 1),
    "recursive_triggers": ("1", 1),
    "wal_autocheckpoint": ("1000", 1000),
    "journal_size_limit": (str(16 << 20), 16 << 20),
    "cache_size": (f"-{READERS_CACHE}", -READERS_CACHE),
    "mmap_size": ("0", 0),
}


def require_sqlite() -> None:
    """Raise DatabaseError for a SQLite library that is too old."""
    if apsw_version() < OLDEST_SQLITE:
        raise DatabaseError("SQLite 3.51.3 or newer is needed; upgrade the package apsw.")


def apsw_version() -> tuple[int, ...]:
    """Return the version of the SQLite library that apsw brought."""
    return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))


def set_up(connection: apsw.Connection, name: str) -> None:
    """Set a connection up, for as long as SQLite would wait where it does not wait itself.

    The first switch to WAL needs the file alone, and the busy timeout does not count for it: of
    processes that open a new file at once, all but one would fail. Raises DatabaseError, which
    calls the file by its name, for a setting that SQLite does not take.
    """
    until = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return _set_up(connection, name)
        except apsw.BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def _set_up(connection: apsw.Connection, name: str) -> None:
    connection.set_progress_handler(patience.interrupts, INTERRUPT_STEPS)
    connection.set_busy_handler(_wait_for_others)
    # Plans must not depend on bound values. Otherwise SQLite also prepares a statement anew at
    # every call that binds one which a partial index might be compared with: Get took 10 times as
    # long.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    # They hold only for a new file, before WAL fixes them.
    if not connection.pragma("page_count"):
        connection.execute(f"PRAGMA page_size = 8192; PRAGMA encoding = 'UTF-8'; {CAN_SHRINK}")
    for pragma, (wanted, answer) in PRAGMAS.items():
        connection.execute(f"PRAGMA {pragma} = {wanted}").fetchall()
        found = connection.execute(f"PRAGMA {pragma}").fetchall()
        if found != [(answer,)]:
            raise DatabaseError(f"SQLite refused {pragma} = {wanted} for {name}.")


def _wait_for_others(tries: int) -> bool:
    """Wait a moment for another process, unless that is long enough or nobody waits any more."""
    if tries * BUSY_PAUSE >= BUSY_TIMEOUT or patience.is_over():
        return False
    time.sleep(BUSY_PAUSE)
    return True
