"""How fast the service is, as ratios to a bare grpcio echo of the same bytes, measured in one run.

Echo and server run pinned to one core, the load to the other, in interleaved rounds; a figure is
the median of the rounds. The server runs as in production: authentication, log and metrics on.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from answering import PERSONAS, QUESTIONS, batches
from data import attributes, make_persona
from loading import built_load, framed, load
from processes import SERVICE, Client, Process, echo, service

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona

GROUPS, PER_GROUP, BATCH = 100, 1000, 1000
RECORD = "/persona.v1.ResponseService/RecordResponses"
EVERY_PAGE = 1 << 30  # bytes of memory for pages: those of all groups
# Pages of 1.3 MB, and those that are found, are made faster than the load reads them, and may not
# wait for it in any number.
FEW = 8
FOUND_GOALS = {"List 100": 0.65, "List 1000": 0.85}  # of echo, where every page is found there
ANSWERERS, SIMULATIONS, RECORDERS = 400, 10, 4


class Case(NamedTuple):
    """One row of the table: a method, its requests, and the share of echo that is the goal."""

    name: str
    method: str
    requests: list[bytes]
    goal: float
    in_flight: int = 32


class Place(NamedTuple):
    """Where to record: the service, and a group with enough personas."""

    address: str
    token: str
    project: str
    group: str


def encoded_batches(
    make: Callable[[random.Random], Persona], groups: int = GROUPS
) -> list[list[bytes]]:
    """Return the import messages of so many groups, encoded beforehand."""
    random_ = random.Random(1)
    return [
        [
            pb.ImportPersonasRequest(
                batch=pb.ImportBatch(sequence=s + 1, personas=[make(random_) for _ in range(BATCH)])
            ).SerializeToString()
            for s in range(PER_GROUP // BATCH)
        ]
        for _ in range(groups)
    ]


def rich_persona(random_: random.Random) -> Persona:
    """Return a persona of ten attributes."""
    return make_persona(random_, attributes=attributes(random_))


class Import(NamedTuple):
    """What an import of all groups took."""

    per_second: float
    cpu_us: float  # of the server, for each persona
    bytes: float  # of a persona


def import_all(
    server: Process, client: Client, make: Callable[[random.Random], Persona]
) -> tuple[Import, str, list[str]]:
    """Import personas into new groups; return what it took, the project and the groups."""
    project, groups = client.groups(GROUPS)
    batches = encoded_batches(make)
    count = GROUPS * PER_GROUP
    before, started = server.cpu(), time.perf_counter()
    client.import_all(project, groups, batches)
    took = time.perf_counter() - started
    cpu = (server.cpu() - before) * 1e6 / count
    return Import(count / took, cpu, sum(map(len, batches[0])) / PER_GROUP), project, groups


def cases(client: Client, project: str, groups: list[str]) -> list[Case]:
    """Return what is measured."""
    listing = [
        pb.ListPersonasRequest(project_id=project, group_id=g, page_size=100) for g in groups
    ]
    gets = []
    for request in listing:
        page = pb.ListPersonasResponse.FromString(
            client.call("ListPersonas", request.SerializeToString())
        )
        gets += [
            pb.GetPersonaRequest(project_id=project, group_id=request.group_id, persona_id=p.id)
            for p in page.personas[:20]
        ]
    whole = [pb.ListPersonasRequest(project_id=project, group_id=g, page_size=1000) for g in groups]
    return [
        Case("GetPersona", "GetPersona", [r.SerializeToString() for r in gets], 0.70),
        Case("List 100", "ListPersonas", [r.SerializeToString() for r in listing], 0.45),
        Case("List 1000", "ListPersonas", [r.SerializeToString() for r in whole], 0.42, FEW),
    ]


def record(
    program: str,
    folder: Path,
    server: Process,
    client: Client,
    place: Place,
    simulations: int = SIMULATIONS,
    seed: int = 1,
) -> Any:
    """Record the answers of several simulations, each batch once; return the load's report."""
    listing = pb.ListPersonasRequest(
        project_id=place.project, group_id=place.group, page_size=ANSWERERS
    )
    page = client.call("ListPersonas", listing.SerializeToString())
    personas = [p.id for p in pb.ListPersonasResponse.FromString(page).personas]
    path = folder / "answers"
    path.write_bytes(framed(batches(personas, simulations, seed)))
    options = ("-once", "-in-flight", str(RECORDERS))
    before = server.cpu()
    report = load(program, place.address, RECORD, place.token, path, *options)
    assert report["requests"] == ANSWERERS // PERSONAS * simulations
    answers = ANSWERERS * QUESTIONS * simulations
    return report | {
        "answers": answers,
        "answers_per_second": answers / report["seconds"],
        "cpu_us": (server.cpu() - before) * 1e6 / answers,
    }


class Figures:
    """The rounds of one side of a case."""

    def __init__(self) -> None:
        self.rounds: list[dict[str, float]] = []

    def add(self, report: dict[str, float], cpu: float, database: float) -> None:
        """Add a round, with the CPU seconds of the server and of its database."""
        each = 1000 / report["requests"]
        self.rounds.append(report | {"cpu_ms": cpu * each, "database_ms": database * each})

    def median(self, name: str) -> float:
        """Return the median of a figure."""
        return statistics.median(r[name] for r in self.rounds)


def _none() -> float:
    return 0.0


class Run(NamedTuple):
    """How it is measured: by which load, in which folder, in how many rounds of how long.

    `database` tells the CPU seconds that a database has spent which is not in the server.
    """

    program: str
    folder: Path
    rounds: int
    seconds: float
    database: Callable[[], float] = _none


def measure(run: Run) -> dict[str, Any]:
    """Run everything and return the figures."""
    results: dict[str, Any] = {"cases": []}
    program, folder = run.program, run.folder
    with service(folder) as (server, address, token):
        client = Client(address, token)
        results["rich"], *_ = import_all(server, client, rich_persona)
        results["import"], project, groups = import_all(server, client, make_persona)
        place = Place(address, token, project, groups[0])
        results["record"] = record(program, folder, server, client, place)
        measured = cases(client, project, groups)
        results["cases"] += beside_echo(run, (server, address, token), measured)
    cached = [
        case._replace(name=f"{case.name}, found", goal=FOUND_GOALS[case.name], in_flight=FEW)
        for case in measured
        if case.name in FOUND_GOALS
    ]
    with service(folder, page_cache_bytes=EVERY_PAGE) as (server, address, token):
        results["cases"] += beside_echo(run, (server, address, token), cached)
    return results


def beside_echo(
    run: Run, serving: tuple[Process, str, str], measured: list[Case]
) -> list[tuple[Case, int, Figures, Figures]]:
    """Return of each case the size of its answer, and the rounds of the service and of echo."""
    server, address, token = serving
    client = Client(address, token)
    answers = {str(i): client.call(c.method, c.requests[0]) for i, c in enumerate(measured)}
    results = []
    with echo(run.folder, answers) as (baseline, echo_address):
        for i, case in enumerate(measured):
            requests = run.folder / f"requests-{i}"
            requests.write_bytes(framed(case.requests))
            sides = (
                (server, address, f"{SERVICE}/{case.method}", Figures()),
                (baseline, echo_address, f"/echo/{i}", Figures()),
            )
            for round_ in range(run.rounds + 1):
                for process, where, method, figures in sides:
                    cpu, database = process.cpu(), run.database()
                    options = ("-seconds", str(run.seconds), "-in-flight", str(case.in_flight))
                    report = load(run.program, where, method, token, requests, *options)
                    if round_:  # the first warms up
                        spent = process.cpu() - cpu, run.database() - database
                        figures.add(report, *spent)
            results.append((case, len(answers[str(i)]), sides[0][3], sides[1][3]))
    return results


def show(results: dict[str, Any]) -> None:
    """Print the table."""
    plain, rich = results["import"], results["rich"]
    print(f"personas of {plain.bytes:.0f} bytes, {GROUPS * PER_GROUP} in {GROUPS} groups")
    print(
        f"import, durable, batches of {BATCH}: {plain.per_second:,.0f} personas/s "
        f"(goal 40,000), {plain.cpu_us:.1f} µs CPU each"
    )
    print(
        f"with 10 attributes, {rich.bytes:.0f} bytes: {rich.per_second:,.0f} personas/s, "
        f"{rich.cpu_us:.1f} µs CPU each; {rich.per_second / plain.per_second:.2f} of the speed "
        f"without (goal ≥ 0.6), {plain.cpu_us / rich.cpu_us:.2f} by CPU"
    )
    recorded = results["record"]
    print(
        f"answers, durable, {RECORDERS} callers, batches of {PERSONAS} personas × {QUESTIONS} "
        f"questions, {SIMULATIONS} simulations: {recorded['answers_per_second']:,.0f} answers/s "
        f"(goal 25,000), {recorded['cpu_us']:.1f} µs CPU each, p50 {recorded['p50_ms']:.0f} ms"
    )
    show_cases(results["cases"])


def show_cases(measured: list[tuple[Case, int, Figures, Figures]]) -> None:
    """Print the table of all calls beside echo."""
    head = ("", "answer", "req/s", "p50 ms", "p99 ms", "CPU ms", "database", "echo req/s",
            "echo CPU", "ratio")  # fmt: skip
    print("{:<17}{:>10}{:>9}{:>8}{:>8}{:>8}{:>9}{:>12}{:>10}{:>7}  goal".format(*head))
    for case, size, ours, theirs in measured:
        ratio = statistics.median(
            a["per_second"] / b["per_second"]
            for a, b in zip(ours.rounds, theirs.rounds, strict=True)
        )
        verdict = "met" if ratio >= case.goal else "MISSED"
        print(
            f"{case.name:<17}{size:>10,}{ours.median('per_second'):>9,.0f}"
            f"{ours.median('p50_ms'):>8.2f}{ours.median('p99_ms'):>8.2f}"
            f"{ours.median('cpu_ms'):>8.3f}{ours.median('database_ms'):>9.3f}"
            f"{theirs.median('per_second'):>12,.0f}"
            f"{theirs.median('cpu_ms'):>10.3f}{ratio:>7.2f}  {case.goal} {verdict}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds after the warm-up")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show(measure(Run(built_load(folder), folder, options.rounds, options.seconds)))


if __name__ == "__main__":
    main()
