"""The table of the engines' errors: what each says of the database, its caller and its health.

docs/operations.md shows it.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import NamedTuple

import apsw
import psycopg

from persona_server import errors


class Effect(StrEnum):
    """What health says of a database that has met something: NOT_SERVING until when."""

    NONE = "none"
    ANSWER = "NOT_SERVING until the database answers"
    WRITE = "NOT_SERVING while a small write of its own fails"
    RESTART = "NOT_SERVING until it is restarted"


class Fault(NamedTuple):
    """A kind of errors.

    `refusal` makes what callers are told; None for a fault of ours, which is INTERNAL. `sqlite` are
    result codes, `postgresql` SQLSTATEs or their first characters; the longest that fits counts.
    """

    kind: str  # as the metric and the log name it
    what: str
    refusal: Callable[[], errors.ServiceError] | None
    effect: Effect
    sqlite: tuple[str, ...]
    postgresql: tuple[str, ...]


_unavailable = errors.database_unavailable

LATE = Fault(
    "late",
    "the call's time is over",
    errors.deadline_exceeded,
    Effect.NONE,
    ("INTERRUPT",),
    ("57014",),
)
QUEUE = Fault(
    "queue",
    "the turn to write has not come within 10 s; `late` where the call's time is over before",
    partial(_unavailable, "Too many writes are waiting."),
    Effect.NONE,
    (),
    ("55P03",),
)
BUSY = Fault(
    "busy",
    "another process holds it for more than 5 s; likewise",
    partial(_unavailable, "The database is in use by another process."),
    Effect.NONE,
    ("BUSY", "LOCKED", "PROTOCOL"),
    (),
)
DAMAGE = Fault(
    "damage",
    "a page, row or file is damaged",
    errors.database_damaged,
    Effect.RESTART,
    ("CORRUPT", "NOTADB", "IOERR_DATA", "IOERR_CORRUPTFS"),
    ("XX001", "XX002"),
)
OURS = Fault(
    "fault",
    "a fault of the server",
    None,
    Effect.NONE,
    (
        *("ERROR", "INTERNAL", "ABORT", "NOTFOUND", "EMPTY", "SCHEMA", "TOOBIG", "CONSTRAINT"),
        *("MISMATCH", "MISUSE", "AUTH", "FORMAT", "RANGE"),
    ),
    ("all others",),
)
FAULTS = (
    LATE,
    QUEUE,
    BUSY,
    Fault(
        "conflict",
        "two changes exclude each other, at every try",
        errors.DisturbedError,
        Effect.NONE,
        (),
        ("40001", "40P01"),
    ),
    Fault(
        "full",
        "the disk is full",
        partial(_unavailable, "The disk is full."),
        Effect.WRITE,
        ("FULL",),
        ("53100",),
    ),
    Fault(
        "read_only",
        "it may not be written, or not by its role",
        partial(_unavailable, "The database can't be written now."),
        Effect.WRITE,
        ("READONLY", "PERM"),
        ("25006", "42501"),
    ),
    Fault(
        "io",
        "the disk, or the system, fails",
        _unavailable,
        Effect.WRITE,
        ("IOERR", "CANTOPEN", "NOLFS"),
        ("58",),
    ),
    DAMAGE,
    Fault(
        "lost", "no connection", _unavailable, Effect.ANSWER, (), ("08", "28", "3D", "40", "57P")
    ),
    Fault(
        "memory",
        "no room in memory, or for connections",
        _unavailable,
        Effect.NONE,
        ("NOMEM", "IOERR_NOMEM"),
        ("53",),
    ),
    OURS,
)
KINDS = tuple(fault.kind for fault in FAULTS)

_BY_CODE: dict[int, Fault] = {
    getattr(apsw, f"SQLITE_{name}"): fault for fault in FAULTS for name in fault.sqlite
}
_BY_STATE = {state: fault for fault in FAULTS for state in fault.postgresql}
_LOST = _BY_STATE["08"]


def of_sqlite(error: apsw.Error) -> Fault:
    """Return what an error of SQLite says, by its extended result code or else its primary one."""
    code: int = getattr(error, "extendedresult", 0)
    return _BY_CODE.get(code) or _BY_CODE.get(code & 0xFF, OURS)


def of_postgresql(error: psycopg.Error) -> Fault:
    """Return what an error of PostgreSQL says. One without a state is of the connection."""
    state = error.sqlstate
    if state is None:
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return _LOST if lost else OURS
    found = (_BY_STATE.get(state[:length]) for length in (5, 3, 2))
    return next(filter(None, found), OURS)
