"""A copy of a database as it is at one moment, made while others write to it.

The copy reads one snapshot, and until it is done the log can't be emptied. So it pauses between its
steps only as long as the log is short, and where it gets long lets writers write for a moment every
few seconds alone.
"""

import time
from contextlib import closing
from pathlib import Path
from typing import Self

import apsw

from persona_server.storage.engine.errors import DatabaseError

STEP_PAGES = 128  # 1 MiB
PAUSE_SECONDS = 0.005
HURRY = 16 << 20  # bytes of the log from which no more pauses are made, …
HOLD = 40 << 20  # … and from which writers wait, …
HOLD_SECONDS = 3.0  # … so long: they give up after five; …
TURN_SECONDS, TURN_BYTES = 0.1, 1 << 20  # … then they have so long, or so much of the log, …
MORE = 16 << 20  # … until it has so many bytes more
ATTEMPTS = 3
_WAIT = 1_000  # milliseconds for the turn to write


def copy_database(source: Path, target: Path) -> None:
    """Make `target`, which must be new or empty, a copy of `source`.

    Raises DatabaseError where that can't be; `target` is then of no use.
    """
    try:
        if not any(_copied(source, target) for _ in range(ATTEMPTS)):
            raise DatabaseError(
                "More is written than a copy can be made beside: try again when less is, or stop "
                "the server."
            )
    except apsw.FullError:
        raise DatabaseError(f"The disk of {target.parent} is full.") from None
    except apsw.IOError as error:  # of which a copy says "not an error"
        raise DatabaseError(
            f"{source} can't be read, or {target} not be written: its disk fails, or files may not "
            "be so long."
        ) from error
    except apsw.Error as error:
        raise DatabaseError(f"{source} can't be copied: {error}.") from error


def _copied(source: Path, target: Path) -> bool:
    """Copy, and return whether that could be done before the log was too long."""
    target.write_bytes(b"")  # a part of a copy, as a try before has left it, is no database
    with (
        closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)) as reading,
        closing(apsw.Connection(str(target))) as writing,
    ):
        reading.set_busy_timeout(_WAIT)
        # What a power cut leaves of the copy is thrown away; it is synced once it is whole.
        writing.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        reading.execute("BEGIN; SELECT count(*) FROM sqlite_schema").fetchall()  # the snapshot
        with writing.backup("main", reading, "main") as backup, _Writers(source) as writers:
            while not backup.done:
                backup.step(STEP_PAGES)
                if not writers.have_room():
                    return False
    return True


class _Writers:
    """Those who write meanwhile: left alone, or held back once the log is long."""

    def __init__(self, source: Path) -> None:
        self._log = source.with_name(f"{source.name}-wal")
        # The file may be long of old, and is then written from its beginning.
        self._hold = max(HOLD, self._length())
        self._longest = max(HOLD + MORE, self._length())
        self._connection = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
        self._held_since: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._connection.close()  # and with it its turn to write, in which nothing was written

    def have_room(self) -> bool:
        """Pause, or hold writers back, by the length of the log; return whether to go on."""
        if self._held_since is not None:
            if time.monotonic() - self._held_since >= HOLD_SECONDS:
                self._give_turn()
            return True
        length = self._length()
        if length > self._longest:
            return False
        if length >= self._hold:
            return self._hold_back()
        if length < HURRY:
            time.sleep(PAUSE_SECONDS)
        return True

    def _give_turn(self) -> None:
        """Let those write who wait, for a moment."""
        self._connection.execute("ROLLBACK")  # of nothing
        self._held_since = None
        until, longest = time.monotonic() + TURN_SECONDS, self._length() + TURN_BYTES
        while time.monotonic() < until and self._length() < longest:
            time.sleep(PAUSE_SECONDS)

    def _hold_back(self) -> bool:
        until = time.monotonic() + _WAIT / 1000
        while time.monotonic() < until:  # more often than SQLite would: others wait in turn too
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except apsw.BusyError:
                time.sleep(0.0005)
            else:
                self._held_since = time.monotonic()
                return True
        return False

    def _length(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0
