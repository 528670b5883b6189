"""What a call costs beside another version of the service: server CPU, as a ratio to echo.

python benchmarks/compare.py CHECKOUT starts the `persona serve` of that checkout, which has its own
.venv, and the one of this. Both and the echo are pinned to one core, the load to the other, and
take turns in every round: what else the machine does changes from minute to minute, and hits them
alike.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from operator import truediv
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from bench import PER_GROUP, Case, Place, cases, encoded_batches, record, rich_persona
from data import make_persona
from loading import LOAD_CORE, built_load, framed, load
from processes import PROGRAM, SERVICE, Client, Process, echo, service

GROUPS = 10  # that are read from; each round imports as many anew
SIMULATIONS = 2  # that each round records, with the personas of that import
IMPORT, RICH = "Import, a persona", "Import, of 10 attributes"
ANSWERS = "RecordResponses, an answer"
BEFORE, NOW, ECHO = "before", "now", "echo"
GOAL = 1.03

# The server CPU of each case, in µs a call, round by round.
Figures = dict[str, list[float]]


class Side(NamedTuple):
    """A version of the service with its data, or the echo with the answers of this version."""

    process: Process
    address: str
    token: str
    methods: list[str]
    requests: list[Path]


class Bench:
    """What all sides share."""

    def __init__(self, folder: Path, seconds: float, in_flight: int) -> None:
        self.folder = folder
        self.program = built_load(folder)
        self.seconds = str(seconds)
        self.in_flight = str(in_flight)
        self.batches = encoded_batches(make_persona, GROUPS)
        self.imports = {RICH: encoded_batches(rich_persona, GROUPS), IMPORT: self.batches}

    def calls(self, side: Side, case: int) -> float:
        """Call one method for some seconds; return the µs of server CPU a call."""
        before = side.process.cpu()
        where = (side.address, side.methods[case], side.token, side.requests[case])
        options = ("-seconds", self.seconds, "-in-flight", self.in_flight)
        count: int = load(self.program, *where, *options)["requests"]
        return (side.process.cpu() - before) * 1e6 / count

    def writes(self, side: Side, seed: int) -> dict[str, float]:
        """Import groups and record answers of their personas; return the µs of each."""
        client = Client(side.address, side.token)
        costs = {}
        for name, batches in self.imports.items():
            project, groups = client.groups(GROUPS)
            before = side.process.cpu()
            client.import_all(project, groups, batches)
            costs[name] = (side.process.cpu() - before) * 1e6 / (GROUPS * PER_GROUP)
        place = Place(side.address, side.token, project, groups[0])
        arguments = (self.program, self.folder, side.process, client, place, SIMULATIONS, seed)
        return costs | {ANSWERS: record(*arguments)["cpu_us"]}


@contextmanager
def filled(bench: Bench, name: str, program: Path) -> Iterator[tuple[Side, list[Case]]]:
    """Run a version of the service and fill it; yield it with the cases to read."""
    folder = bench.folder / name
    folder.mkdir()
    with service(folder, program) as (process, address, token):
        client = Client(address, token)
        project, groups = client.groups(GROUPS)
        client.import_all(project, groups, bench.batches)
        read = cases(client, project, groups)
        requests = [folder / str(i) for i in range(len(read))]
        for path, case in zip(requests, read, strict=True):
            path.write_bytes(framed(case.requests))
        methods = [f"{SERVICE}/{case.method}" for case in read]
        yield Side(process, address, token, methods, requests), read


@contextmanager
def answering(bench: Bench, side: Side, read: list[Case]) -> Iterator[Side]:
    """Run the echo with the answers of a side."""
    client = Client(side.address, side.token)
    answers = {str(i): client.call(c.method, c.requests[0]) for i, c in enumerate(read)}
    with echo(bench.folder, answers) as (process, address):
        yield Side(process, address, "", [f"/echo/{i}" for i in answers], side.requests)


def measure(bench: Bench, other: Path, rounds: int) -> tuple[list[str], dict[str, Figures]]:
    """Return the names of the cases, and for each side its figures."""
    with ExitStack() as stack:
        before, _ = stack.enter_context(filled(bench, BEFORE, other))
        now, read = stack.enter_context(filled(bench, NOW, PROGRAM))
        sides = {BEFORE: before, NOW: now}
        sides[ECHO] = stack.enter_context(answering(bench, now, read))
        reads = [case.name for case in read]
        names = [*reads, IMPORT, RICH, ANSWERS]
        figures: dict[str, Figures] = {side: {name: [] for name in names} for side in sides}
        for number in range(rounds + 1):
            for side, name, cost in one_round(bench, sides, reads, number):
                if number:  # the first warms up
                    figures[side][name].append(cost)
        return names, figures


def one_round(
    bench: Bench, sides: dict[str, Side], reads: list[str], number: int
) -> Iterator[tuple[str, str, float]]:
    """Yield what each case costs at each side. Which side begins alternates."""
    order = list(sides) if number % 2 else list(sides)[::-1]
    for i, name in enumerate(reads):
        for side in order:
            yield side, name, bench.calls(sides[side], i)
    for side in order:
        if side != ECHO:
            for name, cost in bench.writes(sides[side], number).items():
                yield side, name, cost


def show(names: list[str], figures: dict[str, Figures]) -> None:
    """Print the table. Writes have no echo of their own, so only their ratio is told."""
    head = ("server CPU, µs", BEFORE, NOW, ECHO, "to echo", "to echo", "now : before", "quartiles")
    print("{:<28}{:>9}{:>9}{:>9}{:>10}{:>10}{:>14}{:>14}".format(*head))
    for name in names:
        before, now, echoed = (figures[side][name] for side in (BEFORE, NOW, ECHO))
        ratios = [b / a for a, b in zip(before, now, strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        line = f"{name:<28}{median(before):>9.1f}{median(now):>9.1f}"
        if echoed:
            to_echo = [median(map(truediv, side, echoed)) for side in (before, now)]
            line += f"{median(echoed):>9.1f}{to_echo[0]:>10.2f}{to_echo[1]:>10.2f}"
        else:
            line += " " * 29
        verdict = "met" if middle <= GOAL else "MISSED"
        print(f"{line}{middle:>14.3f}{low:>8.2f}–{high:.2f}  {verdict}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="of the other version, with its .venv")
    parser.add_argument("--rounds", type=int, default=9, help="counted rounds after the warm-up")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each load")
    parser.add_argument("--in-flight", type=int, default=8, help="calls at once")
    options = parser.parse_args()
    os.sched_setaffinity(0, LOAD_CORE)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.seconds, options.in_flight)
        other = options.checkout / ".venv" / "bin" / "persona"
        show(*measure(bench, other, options.rounds))


if __name__ == "__main__":
    main()
