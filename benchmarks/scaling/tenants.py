"""What 5,000 tenants cost that do nothing, with automatic promotion on, on both engines.

The CPU of the service and of PostgreSQL over a minute in which nobody calls. What goes through all
tenants, and comes every ten minutes, is measured by itself: its share of those is added.
"""

import argparse
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from processes import EVERY_CORE, cpu_of, service
from scaling.clusters import durable_cluster

from persona_server.running.app import SWEEP_SECONDS
from persona_server.storage import keys
from persona_server.storage.store import Store, open_store

GOAL = 1.0  # percent of a core
RETENTION = 7 * 24 * 3600 * 1_000_000  # microseconds; nothing is old enough
SETTLED = 5.0  # seconds after a start, in which the first sweep is over


def fill(store: Store, count: int) -> None:
    """Give each of so many tenants a project with a group."""
    for number in range(count):
        project, group = uuid.uuid4().bytes, uuid.uuid4().bytes
        with store.writing(f"tenant {number}", None) as repositories:
            repositories.projects.insert(project, "rest", "", repositories.now)
            repositories.groups.insert(group, project, b"", repositories.now)


def sweep(store: Store, database: Callable[[], float]) -> float:
    """Return the CPU seconds of a sweep that finds nothing, in this process and the database."""
    store.sweeper.sweep(keys.now(), RETENTION)  # statements are compiled
    before = time.process_time() + database()
    store.sweeper.sweep(keys.now(), RETENTION)
    return time.process_time() + database() - before


def rest(folder: Path, place: str, seconds: float, database: Callable[[], float]) -> float:
    """Return the CPU seconds of a service and its database while nobody calls."""
    with service(folder, database=place) as (server, _, _):
        time.sleep(SETTLED)
        before = server.cpu() + database()
        time.sleep(seconds)
        return server.cpu() + database() - before


def measure(
    engine: str, folder: Path, place: str, count: int, seconds: float, database: Callable[[], float]
) -> None:
    """Fill a database, measure, and print."""
    store = open_store(place or folder / "data")
    try:
        fill(store, count)
        swept = sweep(store, database)
    finally:
        store.close()
    at_rest = rest(folder, place, seconds, database) * 100 / seconds
    every = swept * 100 / SWEEP_SECONDS
    verdict = "met" if at_rest + every <= GOAL else "MISSED"
    print(
        f"{engine}: {count:,} tenants at rest: {at_rest:.2f}% of a core, and {every:.2f}% for a "
        f"sweep of {swept:.2f} s every {SWEEP_SECONDS:.0f} s (goal ≤ {GOAL:g}%: {verdict})",
        flush=True,
    )


def _none() -> float:
    return 0.0


def main() -> None:
    """Measure both engines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, durable_cluster(EVERY_CORE) as cluster:
        folder, pid = Path(name), cluster.process.pid
        measure("SQLite", folder, "", given.tenants, given.seconds, _none)
        place = cluster.database()
        measure("PostgreSQL", folder, place, given.tenants, given.seconds, lambda: cpu_of(pid))


if __name__ == "__main__":
    main()
