"""How fast the service is on PostgreSQL, beside a bare grpcio echo, and how fast it imports there.

As bench.py measures it on SQLite: one process of the service on one core, in turn with the echo.
PostgreSQL has the core of the load, as if it was on another machine; its CPU is told beside.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path

from bench import GROUPS, PER_GROUP, Run, beside_echo, cases, import_all, show_cases
from data import make_persona
from loading import LOAD_CORE, built_load
from processes import Client, cpu_of, service
from scaling.clusters import durable_cluster

from support.postgresql import Cluster

GOALS = {"GetPersona": 0.45, "List 100": 0.30, "List 1000": 0.25}  # of echo
IMPORT_GOAL = 45_000  # personas a second


def measure(run: Run, cluster: Cluster) -> None:
    """Import, then read, and print."""
    with service(run.folder, database=cluster.database()) as (server, address, token):
        client = Client(address, token)
        before = run.database()
        found, project, groups = import_all(server, client, make_persona)
        spent = (run.database() - before) * 1e6 / (GROUPS * PER_GROUP)
        print(
            f"import on PostgreSQL, durable: {found.per_second:,.0f} personas/s (goal "
            f"{IMPORT_GOAL:,}), {found.cpu_us:.1f} µs CPU each, and {spent:.1f} of PostgreSQL",
            flush=True,
        )
        read = [case._replace(goal=GOALS[case.name]) for case in cases(client, project, groups)]
        show_cases(beside_echo(run, (server, address, token), read))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds after the warm-up")
    parser.add_argument("--seconds", type=float, default=2.5, help="seconds a round")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, durable_cluster(LOAD_CORE) as cluster:
        folder, spent = Path(name), partial(cpu_of, cluster.process.pid)
        measure(Run(built_load(folder), folder, given.rounds, given.seconds, spent), cluster)


if __name__ == "__main__":
    main()
