"""The engines that the storage suite runs on: a new one is one more entry, and its probe."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from persona_server.storage.store import Store, open_store
from support.postgresql import Cluster
from support.stored import StoredGroup

ENGINES = ("sqlite", "postgresql")


def opened(engine: str, folder: Path, request: pytest.FixtureRequest) -> Store:
    """Return an empty store, given a folder of the test's own."""
    if engine == "sqlite":
        return open_store(folder)
    cluster: Cluster = request.getfixturevalue("cluster")
    return open_store(cluster.migrated())


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, of each engine in turn."""
    found = opened(request.param, tmp_path / "data", request)
    yield found
    found.close()


@pytest.fixture(scope="module", params=ENGINES)
def shared_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store for tests that keep apart by their groups, of each engine in turn."""
    found = opened(request.param, tmp_path_factory.mktemp("shared") / "data", request)
    yield found
    found.close()


@pytest.fixture
def group(store: Store) -> StoredGroup:
    """An empty group."""
    return StoredGroup(store)
