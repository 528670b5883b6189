"""All threads write by one connection, in turn: what one has written the next one has in memory."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from persona_server.services.responses.recording import record_responses
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store, open_store
from support.answers import answer
from support.data import persona, uid
from support.stored import TENANT, StoredGroup, rolled_back, rows

PEOPLE, QUESTIONS = 10, 25


def bytes_read() -> int:
    """Return how many bytes this process has read from files and sockets."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


def record(store: Store, people: list[str]) -> int:
    """Let everybody answer all questions in a new simulation; return how many bytes it read."""
    rows(store, "PRAGMA wal_checkpoint")  # so that no commit of a few pages does it
    before = bytes_read()
    given = [answer(one, question_key=f"q{i:02}") for one in people for i in range(QUESTIONS)]
    with store.writing(TENANT, None) as repositories:
        record_responses(repositories, uid(), given)
    return bytes_read() - before


def shown(store: Store) -> int:
    """Return how many personas this thread finds."""
    ((count,),) = rows(store, "SELECT count(*) FROM persona")
    return int(count)


def in_another_thread(work: Callable[[], int]) -> int:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what was read")
def test_a_thread_reads_nothing_again_that_another_has_just_written(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "data")) as store:
        people = [
            id_text(raw) for raw in StoredGroup(store).add(*[persona() for _ in range(PEOPLE)])
        ]
        record(store, people)
        same = record(store, people)
        assert in_another_thread(lambda: record(store, people)) < same + (64 << 10)
        assert record(store, people) < same + (64 << 10)


def test_a_block_that_fails_leaves_the_writer_to_the_next_thread(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "data")) as store:
        group = StoredGroup(store)

        def fail() -> int:
            rolled_back(store, lambda repositories: group.add_in(repositories, persona()))
            return shown(store)

        assert in_another_thread(fail) == 0
        group.add(persona())
        assert in_another_thread(lambda: shown(store)) == 1


def test_who_writes_reads_what_it_has_written_and_nobody_else_does(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "data")) as store:
        group = StoredGroup(store)
        with store.writing(TENANT, None) as repositories:
            group.add_in(repositories, persona())
            assert shown(store) == 1
            assert in_another_thread(lambda: shown(store)) == 0
        assert shown(store) == 1
