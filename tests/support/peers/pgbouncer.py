"""A PgBouncer of the tests' own before a cluster, in transaction mode, with few connections."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from support.ports import free_port
from support.postgresql import Cluster, as_owner, owner
from support.waiting import LIMIT, eventually

OWN = Path(__file__).parents[3] / ".tools/pgbouncer"  # as tools/setup has it where it must
LENT = 3  # connections of the database to all who use one: fewer than these
CONFIG = """
[databases]
* = host=127.0.0.1 port={database} user=persona

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {lent}
max_client_conn = 500
ignore_startup_parameters = options
"""


class Pooler:
    """A running PgBouncer."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.port = free_port()
        config = CONFIG.format(database=cluster.port, port=self.port, lent=LENT)
        (folder / "pgbouncer.ini").write_text(config)
        command = as_owner(_program(), folder / "pgbouncer.ini")
        libraries = {"LD_LIBRARY_PATH": str(next(OWN.glob("usr/lib/*-linux-gnu"), OWN))}
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=folder, env=os.environ | libraries,
                start_new_session=True,
            )  # fmt: skip
        eventually(lambda: _answers(self.url(cluster.url("postgres"))))

    def url(self, database: str) -> str:
        """Return how a database of the cluster is reached."""
        return f"postgresql://persona@127.0.0.1:{self.port}/{database.rpartition('/')[2]}"


def _program() -> Path:
    """Return PgBouncer; where there is none, the test is skipped."""
    for found in (shutil.which("pgbouncer"), "/usr/sbin/pgbouncer", OWN / "usr/sbin/pgbouncer"):
        if found and Path(found).exists():
            return Path(found)
    pytest.skip("there is no PgBouncer: tools/setup gets it where there is apt-get")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def running_pooler(cluster: Cluster) -> Iterator[Pooler]:
    """Run a PgBouncer before a cluster for a block."""
    folder = Path(tempfile.mkdtemp(prefix="persona-pooler-"))
    if os.geteuid() == 0:
        shutil.chown(folder, owner())
    try:
        pooler = Pooler(folder, cluster)
        try:
            yield pooler
        finally:
            pooler.process.terminate()
            pooler.process.wait(LIMIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
