"""What the hardening tests share: short and long forms, and services that a test may end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.dbfile import DatabaseFile, reading
from support.importer import LEAN
from support.service import Service, running_service


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Return the function that picks between the short form's number and the long form's."""
    long: bool = request.config.getoption("--torture", default=False)
    return lambda short, whole: whole if long else short


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of this module alone, whose file it may read and count in."""
    with running_service(tmp_path_factory.mktemp("own") / "data", *LEAN) as running:
        yield running


@pytest.fixture(scope="module")
def file(own: Service) -> Iterator[DatabaseFile]:
    """The database file of `own`."""
    with reading(own.data) as opened:
        yield opened


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder for services that come and go."""
    return tmp_path / "data"
