"""What the tests of monitoring share."""

from pathlib import Path

import pytest

from support.data import Place, make_place
from support.service import Service


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder for services that come and go."""
    return tmp_path / "data"


@pytest.fixture
def place(service: Service) -> Place:
    """An empty group."""
    return make_place(service.connect())
