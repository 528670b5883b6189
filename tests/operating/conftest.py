"""What an operator has: an authority for certificates, and folders for data."""

import shutil
from pathlib import Path

import pytest

from support.databases.filled import Called, called, fill
from support.importer import LEAN
from support.operating.authority import Authority, Files
from support.service import running_service


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority that services have their certificates of."""
    return Authority("Authority of services")


@pytest.fixture(scope="session")
def clients() -> Authority:
    """The authority that clients have their certificates of."""
    return Authority("Authority of clients")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder for services that come and go."""
    return tmp_path / "data"


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Files:
    """A certificate of 127.0.0.1, and its key."""
    return authority.issue("service").write(tmp_path, "service")


@pytest.fixture
def client_files(clients: Authority, tmp_path: Path) -> Files:
    """A certificate of a client, and its key."""
    return clients.issue("client").write(tmp_path, "client")


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory) -> Called:
    """A data folder after calls of all RPCs, which nobody uses."""
    folder = tmp_path_factory.mktemp("before") / "data"
    with running_service(folder, *LEAN) as service:
        return Called(folder, called(service))


@pytest.fixture(scope="session")
def filled(before: Called, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which every table has rows, which nobody uses or changes."""
    folder = Path(shutil.copytree(before.folder, tmp_path_factory.mktemp("filled") / "data"))
    fill(folder)
    return folder
