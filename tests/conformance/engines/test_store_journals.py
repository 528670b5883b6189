"""What takes a statement back is kept in memory for calls, whose statements change few pages."""

import sys
from contextlib import closing
from pathlib import Path

import pytest

from persona_server import patience
from persona_server.services.responses.recording import record_responses
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store, open_store
from support.answers import answer
from support.data import persona, uid
from support.stored import TENANT, StoredGroup

PERSONAS, QUESTIONS = 40, 25


def bytes_written() -> int:
    """Return how many bytes this process has written to files and sockets."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def record(store: Store, people: list[str]) -> int:
    """Let everybody answer all questions in a new simulation; return how many bytes it wrote."""
    before = bytes_written()
    given = [answer(one, question_key=f"q{i:02}") for one in people for i in range(QUESTIONS)]
    with store.writing(TENANT, None) as repositories:
        record_responses(repositories, uid(), given)
    return bytes_written() - before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what was written")
def test_a_call_copies_no_pages_to_a_file(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "data")) as store:
        ids = StoredGroup(store).add(*[persona() for _ in range(PERSONAS)])
        people = [id_text(raw) for raw in ids]
        record(store, people)
        by_a_job = record(store, people)
        patience.begin(None, lambda: False)
        try:
            by_a_call = record(store, people)
        finally:
            patience.end()
        assert by_a_call < 0.7 * by_a_job
        assert record(store, people) > by_a_call / 0.7  # and a job does so again
