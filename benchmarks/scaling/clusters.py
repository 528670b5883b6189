"""A PostgreSQL for the benchmarks: durable, on the disk, and pinned."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from processes import children_of

from support.postgresql import Cluster, running_cluster

# As docs/postgresql.md says.
SETTINGS = {"shared_buffers": "4GB", "max_wal_size": "4GB"}


@contextmanager
def durable_cluster(cores: Collection[int]) -> Iterator[Cluster]:
    """Run a PostgreSQL of its own user on these cores, set as an operator would set it."""
    with running_cluster(durable=True) as cluster:
        for name, value in SETTINGS.items():
            cluster.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        cluster.stop()
        cluster.start()
        for pid in [cluster.process.pid, *children_of(cluster.process.pid)]:
            os.sched_setaffinity(pid, cores)
        yield cluster
