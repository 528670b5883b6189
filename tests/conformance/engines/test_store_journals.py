"""What takes a statement back: answers have none, and for other calls it is kept in memory."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from persona_server import patience
from persona_server.services.responses.recording import record_responses
from persona_server.storage.engine.folder import FILE_NAME
from persona_server.storage.keys import id_text
from persona_server.storage.store import open_store
from support.answers import answer
from support.data import persona, uid
from support.stored import TENANT, StoredGroup

PERSONAS, QUESTIONS = 40, 25
MANY = 1000
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what was written")


def bytes_written() -> int:
    """Return how many bytes this process has written to files and sockets."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


@LINUX
def test_recording_writes_the_log_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / f"{FILE_NAME}-wal"
    with closing(open_store(tmp_path)) as store:
        ids = StoredGroup(store).add(*[persona() for _ in range(PERSONAS)])
        with store.writing(TENANT, None):  # from now on all stays in the log
            store.database.execute_sql("PRAGMA wal_autocheckpoint = 0")
        for _ in range(2):
            before, size = bytes_written(), log.stat().st_size
            given = [
                answer(id_text(one), question_key=f"q{i:02}")
                for one in ids
                for i in range(QUESTIONS)
            ]
            with store.writing(TENANT, None) as repositories:
                record_responses(repositories, uid(), given)
            written, grown = bytes_written() - before, log.stat().st_size - size
        assert grown > 1_000_000
        assert written < 1.05 * grown


@LINUX
def test_a_call_copies_no_pages_to_a_file(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        group = StoredGroup(store)

        def add() -> int:
            before = bytes_written()
            group.add(*[persona(full_name=uid()) for _ in range(MANY)])
            return bytes_written() - before

        for _ in range(4):  # their terms are on so many pages then
            add()
        by_a_job = add()
        patience.begin(None, lambda: False)
        try:
            by_a_call = add()
        finally:
            patience.end()
        assert by_a_call < 0.9 * by_a_job
        assert add() > by_a_call / 0.9  # and a job does so again
