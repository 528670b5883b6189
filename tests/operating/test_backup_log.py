"""The log of a database while it is copied: writers wait before it is too long."""

import threading
from pathlib import Path

import apsw
import pytest

from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.engine.sqlite import copying
from persona_server.storage.store import open_store

FILLER = 48 << 20  # bytes that there are to copy
PIECE = 256 << 10  # bytes that a writer adds at once
HOLD, LONGEST = 12 << 20, 20 << 20
SHORT = 0.02  # seconds of a hold, in which less is copied than there is


class Writer(threading.Thread):
    """Adds rows as fast as it can until it is told to stop."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._stopped = threading.Event()
        self.longest = 0  # bytes of the log
        self.error: Exception | None = None

    def run(self) -> None:
        connection = opened(self._path)
        connection.execute("PRAGMA synchronous = OFF")  # a fast disk
        try:
            while not self._stopped.is_set():
                connection.execute("INSERT INTO filler VALUES (randomblob(?))", (PIECE,))
                self.longest = max(self.longest, self._log.stat().st_size)
        except apsw.Error as error:
            self.error = error
        connection.close()

    def stop(self) -> None:
        self._stopped.set()
        self.join(30)


def opened(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5_000)  # as the server's writers wait
    return connection


@pytest.fixture
def path(data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database that takes some steps to copy, as these are made small."""
    monkeypatch.setattr(copying, "STEP_PAGES", 16)
    open_store(data).close()
    filling = opened(data / FILE_NAME)
    filling.execute("CREATE TABLE filler (x)")
    filling.execute("INSERT INTO filler VALUES (randomblob(?))", (FILLER,))
    filling.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    filling.close()
    return data / FILE_NAME


def require_whole(copy: Path) -> None:
    connection = opened(copy)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


@pytest.mark.alone  # how much a writer adds until it is held back, others on the machine change
@pytest.mark.parametrize(("hold", "more"), [(3.0, 0), (SHORT, 6 * HOLD)], ids=["one", "many"])
def test_the_log_stays_short_beside_fast_writes(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: float, more: int
) -> None:
    """With the bound of a copy made small, and so the database that it needs.

    What one hold is too short for is copied in several, between which the writer has its turn.
    """
    monkeypatch.setattr(copying, "HOLD", HOLD)
    monkeypatch.setattr(copying, "HOLD_SECONDS", hold)
    monkeypatch.setattr(copying, "TURN_BYTES", PIECE)
    monkeypatch.setattr(copying, "PAUSE_SECONDS", 0.0005)
    monkeypatch.setattr(copying, "MORE", more)
    writer = Writer(path)
    writer.start()
    try:
        copying.copy_database(path, tmp_path / "copy")
    finally:
        writer.stop()
    assert writer.error is None  # it waited, and not too long
    assert writer.longest < LONGEST + more
    require_whole(tmp_path / "copy")


def test_a_copy_is_begun_anew_where_a_try_was_given_up(path: Path, tmp_path: Path) -> None:
    """Such a try leaves pages without the first one, which is copied last."""
    copy = tmp_path / "copy"
    copy.write_bytes(bytes(FILLER // 2))
    copying.copy_database(path, copy)
    require_whole(copy)
