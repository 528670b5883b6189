"""What the sweeper costs who writes beside it: Create's latency without it and with it, in one run.

Groups of many personas are deleted, and the file put out of the system's memory. Then a client
creates personas one after the other, once while nothing is due and once while all of it is.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import apsw
from bench_finding import batches
from processes import Client, service

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona

MOST_TIMES = 3.0  # that Create's p99 may grow
FEWEST, MOST_SECONDS = 300, 120.0  # creates that are measured, and for how long at most


def fill(folder: Path, count: int, size: int) -> tuple[str, str]:
    """Make groups of so many personas and delete these, until the file has so many bytes.

    Return a project and another group.
    """
    file, personas = folder / "data" / "persona.sqlite3", list(batches(count))
    with service(folder) as (_, address, token):
        while True:
            client = Client(address, token)  # anew: a connection lives for half an hour
            project, (full, other) = client.groups(2)
            client.import_all(project, [full], [personas])
            request = pb.DeleteAllPersonasRequest(project_id=project, group_id=full)
            client.personas.DeleteAllPersonas(request, metadata=client.metadata)
            if file.stat().st_size >= size:
                return project, other


def forget(file: Path) -> None:
    """Have the system read the file from the disk again."""
    descriptor = os.open(file, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def make_due(file: Path) -> None:
    """Let what is deleted be as if its retention were over."""
    opened = apsw.Connection(str(file))
    opened.execute("UPDATE persona_set SET purge_after = 1 WHERE purge_after IS NOT NULL")
    opened.close()


def creates(folder: Path, place: tuple[str, str], go_on: Callable[[int], bool]) -> list[float]:
    """Return the seconds of each Create, in order, for as long as `go_on` says of their number."""
    forget(folder / "data" / "persona.sqlite3")
    one = Persona(full_name="Mira Sandberg", psychographic_notes="x" * 1000)
    request = pb.CreatePersonaRequest(project_id=place[0], group_id=place[1], persona=one)
    took: list[float] = []
    with service(folder) as (_, address, token):
        client = Client(address, token)
        ends = time.monotonic() + MOST_SECONDS
        while go_on(len(took)) and time.monotonic() < ends:
            started = time.perf_counter()
            client.personas.CreatePersona(request, metadata=client.metadata)
            took.append(time.perf_counter() - started)
    return took


def shown(name: str, took: list[float]) -> float:
    """Print what a run has found; return its p99 in seconds."""
    ordered = sorted(took)
    p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    print(
        f"{name:8} {len(took):6,} creates  p50 {p50 * 1000:7.1f} ms  p99 {p99 * 1000:7.1f} ms  "
        f"longest {ordered[-1] * 1000:7.1f} ms",
        flush=True,
    )
    return p99


def main() -> None:
    """Measure, and say whether the bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--personas", type=int, default=200_000, help="of a group")
    parser.add_argument("--gigabytes", type=float, default=0, help="of the file, at least")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=".") as made:
        folder = Path(made)
        place = fill(folder, given.personas, int(given.gigabytes * (1 << 30)))
        file, log = folder / "data" / "persona.sqlite3", folder / "log"
        size = file.stat().st_size
        print(f"{given.personas:,} personas of each group, {size >> 20:,} MiB", flush=True)
        quiet = shown("quiet", creates(folder, place, lambda made: made < 3 * FEWEST))
        make_due(file)
        beside = creates(folder, place, lambda _: '"swept"' not in log.read_text())
        swept = '"swept"' in log.read_text()
        ratio = shown("beside", beside) / quiet
    told = "" if len(beside) >= FEWEST else " (too few to say)"
    missed = " (missed)" if ratio > MOST_TIMES else ""
    print(f"p99 {ratio:.1f} times{missed}{told}; {'all' if swept else 'not all'} is swept")


if __name__ == "__main__":
    main()
