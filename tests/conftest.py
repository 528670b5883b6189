"""A real service for the tests: `persona serve` as its own process, on free ports of loopback."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.postgresql import OWN, Cluster, can_run, owner, running_cluster
from support.service import Service, running_service


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="Run the long forms (make torture).")
    parser.addoption(
        "--public-grpcio", action="store_true", help="Serve by what is public of grpcio alone."
    )
    parser.addoption(
        "--postgresql", action="store_true", help="Serve from databases of PostgreSQL."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let every service that the tests start be of the kind asked for."""
    config.addinivalue_line("markers", "early: needs names of grpcio that are not public (R23)")
    config.addinivalue_line("markers", "sqlite(reason): what PostgreSQL has not, or in another way")
    config.addinivalue_line("markers", "alone: measures what other tests would change (tools/test)")
    # What was green stays green: `make test` tries the same examples, `make torture` new ones.
    settings.register_profile("same", derandomize=True)
    if not config.getoption("--torture"):
        settings.load_profile("same")
    if config.getoption("--public-grpcio"):
        Service.common.append("--public-grpcio")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what docs/promises.md says does not hold by what is public of grpcio."""
    sqlite = item.get_closest_marker("sqlite")
    if sqlite and item.config.getoption("--postgresql"):
        pytest.skip(f"SQLite's alone: {sqlite.args[0]}")
    if item.get_closest_marker("early") and Service.common:
        pytest.skip("needs names of grpcio that are not public")


@pytest.fixture(scope="session", autouse=True)
def heed_signals() -> None:
    """Let commands that the tests run heed SIGINT and SIGHUP.

    Tests in the background of a shell, or under nohup, have one ignored and would hand that down.
    What is handled here is not ignored there, without code between fork and exec, where grpc's
    threads are in the way.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL for the whole run, in which tests make databases of their own."""
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="session")
def newest_cluster() -> Iterator[Cluster]:
    """The same of the current major version, which PyPI ships."""
    if not (OWN / "initdb").exists():
        pytest.skip("the newest PostgreSQL is not here: make setup-dev gets it")
    if not can_run(OWN):
        pytest.skip(f"{owner()} may not read {OWN}, and root may run no PostgreSQL")
    with running_cluster(bin_folder=OWN) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def databases(request: pytest.FixtureRequest) -> None:
    """Give each folder of a service a database of its own, where PostgreSQL is asked for."""
    if not request.config.getoption("--postgresql"):
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    known: dict[Path, str] = {}

    def database_of(data: Path) -> str:
        if data not in known:
            known[data] = cluster.migrated()
        return known[data]

    Service.database_of = staticmethod(database_of)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the whole run; tests keep apart by projects and tenants of their own."""
    pages = ("--page-cache-bytes", "33554432")  # which must change no answer
    with running_service(tmp_path_factory.mktemp("service") / "data", *pages) as running:
        yield running
