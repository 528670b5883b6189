"""The engines that the storage suite runs on: a new one is one more entry, and its probe."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from persona_server.storage.store import Store, open_store
from support.postgresql import Cluster
from support.stored import StoredGroup

ENGINES = ("sqlite", "postgresql")


@contextmanager
def opened(engine: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """Open an empty store for a block, given a folder of the test's own."""
    if engine == "sqlite":
        shutil.copytree(request.getfixturevalue("migrated"), folder)
        with closing(open_store(folder)) as store:
            yield store
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    url = cluster.migrated()
    with closing(open_store(url)) as store:
        yield store
    cluster.drop(url)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty database that was migrated once; tests have copies of it."""
    folder = tmp_path_factory.mktemp("migrated") / "data"
    open_store(folder).close()
    return folder


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, of each engine in turn."""
    with opened(request.param, tmp_path / "data", request) as found:
        yield found


@pytest.fixture(scope="module", params=ENGINES)
def shared_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store for tests that keep apart by their groups, of each engine in turn."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    with opened(request.param, folder, request) as found:
        yield found


@pytest.fixture
def group(store: Store) -> StoredGroup:
    """An empty group."""
    return StoredGroup(store)
