"""A real service for the tests: `persona serve` as its own process, on free ports of loopback."""

from collections.abc import Iterator

import pytest

from support.service import Service, running_service


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="Run the long forms (make torture).")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the whole run; tests keep apart by projects and tenants of their own."""
    with running_service(tmp_path_factory.mktemp("service") / "data") as running:
        yield running
