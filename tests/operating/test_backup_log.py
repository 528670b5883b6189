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


@pytest.mark.alone  # how much a writer adds until it is held back, others on the machine change
def test_the_log_stays_short_beside_fast_writes(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the bound and the steps of a copy made small, and so the database that it needs."""
    monkeypatch.setattr(copying, "HOLD", HOLD)
    monkeypatch.setattr(copying, "STEP_PAGES", 16)
    open_store(data).close()
    path = data / FILE_NAME
    filling = opened(path)
    filling.execute("CREATE TABLE filler (x)")
    filling.execute("INSERT INTO filler VALUES (randomblob(?))", (FILLER,))
    filling.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    filling.close()
    writer = Writer(path)
    writer.start()
    try:
        copying.copy_database(path, tmp_path / "copy")
    finally:
        writer.stop()
    assert writer.error is None  # it waited, and not too long
    assert writer.longest < LONGEST
    copy = opened(tmp_path / "copy")
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy.close()
