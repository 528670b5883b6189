"""Measure what it costs to find personas in one large group: first pages, by server CPU.

The goal is at most twice what a page of all personas costs.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench_library import cost
from data import attributes, make_persona
from processes import Client, Process, service

from persona.v1 import persona_service_pb2 as pb

BATCH = 1000
GOAL = 2.0
SIZES = (100, 1000)  # personas of a page
# In the group are about 1/2, 1/50 and 1/1,000 of each, and one of the external id.
FILTERS: dict[str, dict[str, Any]] = {
    "everybody": {},
    "attribute of every 2nd": {"attributes": {"voted": "voted 1"}},
    "attribute of every 50th": {"attributes": {"state": "state 7"}},
    "attribute of every 1,000th": {"attributes": {"postal_code": "postal_code 7"}},
    "two attributes": {"attributes": {"party": "party 1", "state": "state 7"}},
    "attribute of nobody": {"attributes": {"state": "none"}},
    "external id": {"external_id": "crm 4711"},
}


def batches(count: int) -> Iterator[bytes]:
    """Yield the import messages of so many personas."""
    random_ = random.Random(1)
    for start in range(0, count, BATCH):
        people = [
            make_persona(random_, attributes=attributes(random_), external_id=f"crm {i}")
            for i in range(start, min(start + BATCH, count))
        ]
        batch = pb.ImportBatch(sequence=start // BATCH + 1, personas=people)
        yield pb.ImportPersonasRequest(batch=batch).SerializeToString()


def fill(server: Process, client: Client, count: int) -> dict[str, Any]:
    """Import so many personas into one new group, and return its ids."""
    project, (group,) = client.groups(1)
    ids: dict[str, Any] = {"project_id": project, "group_id": group}
    before = server.cpu()
    assert client.import_into(project, group, batches(count)) == 1 + -(-count // BATCH)
    spent = (server.cpu() - before) * 1e6 / count
    print(f"{count:,} personas of 10 attributes in one group, {spent:.0f} µs CPU each", flush=True)
    return ids


def run(server: Process, client: Client, ids: dict[str, Any], rounds: int) -> None:
    """Measure the first page of each filter."""
    for size in SIZES:
        base = 0.0
        for name, filters in FILTERS.items():
            request = pb.ListPersonasRequest(**ids, page_size=size, **filters).SerializeToString()
            page = pb.ListPersonasResponse.FromString(client.call("ListPersonas", request))
            found = cost(server, lambda r=request: client.call("ListPersonas", r), rounds)  # type: ignore[misc]
            base = base or found.cpu
            print(
                f"page of {size:>5}: {name:<28}{len(page.personas):>6} found{found.cpu:8.2f} ms CPU"
                f"{found.wall:8.2f} ms, {found.cpu / base:.2f} of everybody (goal ≤ {GOAL:g})",
                flush=True,
            )


def main() -> None:
    """Fill a group through a running server, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--personas", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with service(folder) as (server, address, token):
            client = Client(address, token)
            run(server, client, fill(server, client, given.personas), given.rounds)


if __name__ == "__main__":
    main()
