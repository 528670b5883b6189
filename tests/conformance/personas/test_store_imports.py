"""Imports: begun, taken over, advanced batch by batch, and forgotten after 30 days."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from persona_server.storage.pace import MOST
from persona_server.storage.repositories.imports import KEEP_IMPORTS, CommittedBatch, ImportSession
from persona_server.storage.store import Store
from support.probe import REFUSALS, Probe
from support.stored import StoredGroup, read

HASH, OTHER_HASH = bytes(32), b"\1" * 32
OWNER, OTHER_OWNER = bytes(16), b"\1" * 16
NOW = 2 * KEEP_IMPORTS
MINUTE = 60_000_000


@pytest.fixture
def started(store: Store, group: StoredGroup) -> bytes:
    """The id of an import that has begun."""
    import_id = uuid.uuid4().bytes
    with store.writing("acme", None) as repositories:
        repositories.imports.start(import_id, group.group, 5, OWNER, NOW)
    return import_id


def advance(store: Store, import_id: bytes, sequence: int, digest: bytes, now: int = NOW) -> None:
    with store.writing("acme", None) as repositories:
        repositories.imports.advance(import_id, CommittedBatch(sequence, digest, 10, 9), now)


def test_import_begins_at_zero(store: Store, group: StoredGroup, started: bytes) -> None:
    assert read(store).imports.find(started) == ImportSession(group.group, 5, OWNER, 0, 0, 0)
    assert read(store).imports.find(uuid.uuid4().bytes) is None


def test_import_remembers_every_batch(store: Store, group: StoredGroup, started: bytes) -> None:
    advance(store, started, 1, HASH)
    advance(store, started, 2, OTHER_HASH)
    imports = read(store).imports
    assert imports.find(started) == ImportSession(group.group, 5, OWNER, 2, 20, 18)
    assert [imports.batch_hash(started, n) for n in (1, 2, 3)] == [HASH, OTHER_HASH, None]


def test_batch_is_recorded_once(store: Store, group: StoredGroup, started: bytes) -> None:
    advance(store, started, 1, HASH)
    with pytest.raises(REFUSALS):
        advance(store, started, 1, OTHER_HASH)
    assert read(store).imports.find(started) == ImportSession(group.group, 5, OWNER, 1, 10, 9)


def test_newer_owner_takes_an_import_over(store: Store, group: StoredGroup, started: bytes) -> None:
    advance(store, started, 1, HASH)
    with store.writing("acme", None) as repositories:
        repositories.imports.take_over(started, OTHER_OWNER, NOW)
    assert read(store).imports.find(started) == ImportSession(group.group, 5, OTHER_OWNER, 1, 10, 9)


def test_sweep_removes_imports_30_days_after_their_last_batch(store: Store, started: bytes) -> None:
    advance(store, started, 1, HASH, NOW + 5)
    advance(store, started, 2, HASH, NOW + 10)
    store.sweeper.sweep(NOW + 9 + KEEP_IMPORTS, MINUTE)
    assert read(store).imports.find(started) is not None
    store.sweeper.sweep(NOW + 10 + KEEP_IMPORTS, MINUTE)
    assert read(store).imports.find(started) is None
    assert Probe(store).count("import_batch") == 0


def test_sweep_of_a_long_import_stays_in_chunks(
    store: Store, started: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session's batches go with it: they too count in a transaction's 1,000 rows."""
    tenant = read(store).tenant
    entries = [(tenant, started, n, HASH) for n in range(1, MOST + 1001)]
    Probe(store).insert("import_batch", *entries)
    counts = watched(store, "import_batch", monkeypatch)
    store.sweeper.sweep(NOW + KEEP_IMPORTS, MINUTE)
    assert counts[-1] == 0
    assert max(a - b for a, b in pairwise([MOST + 1000, *counts])) <= MOST


def watched(store: Store, table: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the rows of a table after every write transaction."""
    counts: list[int] = []
    write = store.database.write

    @contextmanager
    def counted(timeout: float) -> Iterator[None]:
        with write(timeout):
            yield
        counts.append(Probe(store).count(table))

    monkeypatch.setattr(store.database, "write", counted)
    return counts
