"""What a second worker brings, on both engines: by the CPU that a call takes, and by rate.

Two cores have to do for the workers, the load and PostgreSQL, where a second worker would want a
third core. So the rate can't tell what the worker brings: with one, the load has a core for itself.
The server's CPU a call tells it: workers with a core each serve 2 / (their CPU a call), one serves
1 / (its). That holds as long as they compute and do not wait for each other, and is what `busy`
shows: how much of both cores was used by all while two workers served. The goals are held to it.

Both serve at the same time what each has in a database of its own, and are measured in turn.
"""

import argparse
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import Case, cases, encoded_batches
from data import make_persona
from loading import LOAD_CORE, built_load, framed, load
from processes import EVERY_CORE, SERVICE, Client, Process, cpu_of, service
from scaling.clusters import durable_cluster

GROUPS = 10  # of 1000 personas
CONNECTIONS = 16  # so that each worker has some, as the kernel deals them out
IN_FLIGHT = 32  # for each worker: a call costs less CPU where more are in flight
GOALS = {
    ("SQLite", "GetPersona"): 1.7,
    ("SQLite", "List 100"): 1.5,
    ("PostgreSQL", "GetPersona"): 1.4,
}
MEASURED = ("GetPersona", "List 100")


class Side(NamedTuple):
    """A service of one worker, or of two."""

    workers: int
    server: Process
    address: str
    token: str
    cases: list[Case]


class Round(NamedTuple):
    """What one round took: calls a second, µs of the server's CPU a call, and cores in use."""

    per_second: float
    cost: float
    busy: float


@contextmanager
def serving(folder: Path, workers: int, database: str) -> Iterator[Side]:
    """Run a service that has some groups."""
    folder.mkdir()
    with service(folder, database=database, workers=workers) as (server, address, token):
        client = Client(address, token)
        project, groups = client.groups(GROUPS)
        client.import_all(project, groups, encoded_batches(make_persona, GROUPS))
        read = [case for case in cases(client, project, groups) if case.name in MEASURED]
        yield Side(workers, server, address, token, read)


class Bench:
    """What all rounds share. `database` tells the CPU seconds of PostgreSQL."""

    def __init__(self, folder: Path, seconds: float, database: Callable[[], float]) -> None:
        self._folder = folder
        self._program = built_load(folder)
        self._seconds = seconds
        self._database = database

    def round(self, side: Side, case: Case) -> Round:
        """Call one method for some seconds."""
        path = self._folder / "requests"
        path.write_bytes(framed(case.requests))
        options = ["-seconds", str(self._seconds), "-connections", str(CONNECTIONS)]
        options += ["-in-flight", str(IN_FLIGHT * side.workers)]
        server, others = side.server.cpu(), self._others()
        report = load(
            self._program,
            side.address,
            f"{SERVICE}/{case.method}",
            side.token,
            path,
            *options,
            cores=LOAD_CORE if side.workers == 1 else EVERY_CORE,
        )
        spent, beside = side.server.cpu() - server, self._others() - others
        return Round(
            report["per_second"],
            spent * 1e6 / report["requests"],
            (spent + beside) / report["seconds"],
        )

    def _others(self) -> float:
        """Return the CPU seconds of all loads that are over, and of PostgreSQL."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime + self._database()


def compare(bench: Bench, engine: str, sides: list[Side], rounds: int) -> None:
    """Measure one worker and two in turn, and print."""
    for i, case in enumerate(sides[0].cases):
        found: list[list[Round]] = [[], []]
        for number in range(rounds + 1):
            for side, into in zip(sides, found, strict=True):
                measured = bench.round(side, side.cases[i])
                if number:  # the first warms up
                    into.append(measured)
        _show(engine, case.name, *found)


def _show(engine: str, name: str, one: list[Round], two: list[Round]) -> None:
    by_cpu = median(2 * a.cost / b.cost for a, b in zip(one, two, strict=True))
    by_rate = median(b.per_second / a.per_second for a, b in zip(one, two, strict=True))
    goal = GOALS.get((engine, name))
    verdict = f"(goal ≥ {goal}: {'met' if by_cpu >= goal else 'MISSED'})" if goal else ""
    rates = [median(r.per_second for r in side) for side in (one, two)]
    costs = [median(r.cost for r in side) for side in (one, two)]
    busy = median(r.busy for r in two)
    print(
        f"{engine:<11}{name:<11}{rates[0]:>8,.0f} → {rates[1]:>6,.0f}/s{by_rate:>6.2f} ×"
        f"{costs[0]:>8.0f} → {costs[1]:>4.0f} µs CPU: {by_cpu:.2f} × on cores of their own "
        f"{verdict}, {busy:.2f} of 2 cores busy",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds after the warm-up")
    parser.add_argument("--seconds", type=float, default=2.5, help="seconds a round")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, durable_cluster(EVERY_CORE) as cluster:
        folder = Path(name)
        pid = cluster.process.pid
        for engine in ("SQLite", "PostgreSQL"):
            with ExitStack() as stack:
                sides = []
                for workers in (1, 2):
                    database = cluster.database() if engine == "PostgreSQL" else ""
                    place = folder / f"{engine}-{workers}"
                    sides.append(stack.enter_context(serving(place, workers, database)))
                bench = Bench(folder, given.seconds, lambda: cpu_of(pid))
                compare(bench, engine, sides, given.rounds)


if __name__ == "__main__":
    main()
