"""The engines that the storage suite runs on: a new one is one more entry, and its probe."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from persona_server.storage.store import Store, open_store
from support.stored import StoredGroup

# name → opens an empty store, given a folder of this test's own
ENGINES: dict[str, Callable[[Path], Store]] = {"sqlite": open_store}


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, of each engine in turn."""
    opened = ENGINES[request.param](tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture(scope="module", params=ENGINES)
def shared_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store for tests that keep apart by their groups, of each engine in turn."""
    opened = ENGINES[request.param](tmp_path_factory.mktemp("shared") / "data")
    yield opened
    opened.close()


@pytest.fixture
def group(store: Store) -> StoredGroup:
    """An empty group."""
    return StoredGroup(store)
