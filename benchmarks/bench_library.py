"""Measure the library: reliability and timelines, lists, matches and lineage, at full size.

The figure to trust is the server's CPU per call. Prints one line a case with its goal.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from library_data import Filled, Sizes, fill
from processes import Process, service

from persona.v1 import library_service_pb2 as pb
from persona.v1.library_service_pb2_grpc import LibraryServiceStub

Ask = Callable[[Any], Any]


class Cost(NamedTuple):
    """What a call costs: the server's CPU and the time until the answer, in milliseconds."""

    cpu: float
    wall: float


def cost(server: Process, call: Callable[[], object], times: int) -> Cost:
    """Measure a call that was made once before, over several."""
    call()
    took = []
    before = server.cpu()
    for _ in range(times):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return Cost((server.cpu() - before) * 1000 / times, statistics.median(took) * 1000)


def last_full_page(ask: Ask, request: Any) -> Any:
    """Return the request of the page before a list's last one, which may hold a single row."""
    before = request
    while token := ask(request).next_page_token:
        before, request = request, type(request).FromString(request.SerializeToString())
        request.page_token = token
    return before


class Bench:
    """One server, and what is asked of it."""

    def __init__(self, server: Process, address: str, token: str, rounds: int) -> None:
        channel = grpc.insecure_channel(address, [("grpc.max_receive_message_length", 8 << 20)])
        metadata = (("authorization", f"Bearer {token}"),)
        self.server = server
        self.rounds = rounds
        self.library: Any = LibraryServiceStub(channel)
        self.metadata = metadata

    def ask(self, call: Any) -> Ask:
        """Return the call with its token."""
        return lambda request: call(request, metadata=self.metadata, timeout=60)

    def single(self, name: str, call: Any, request: Any, goal: float | None) -> None:
        """Print what one call costs."""
        ask = self.ask(call)
        found = cost(self.server, lambda: ask(request), self.rounds)
        limit = f"  (goal ≤ {goal:g} ms CPU)" if goal else ""
        print(f"{name:<58}{found.cpu:8.1f} ms CPU{found.wall:9.1f} ms{limit}", flush=True)

    def ends(self, name: str, call: Any, request: Any, goal: float) -> None:
        """Print what the first and the last full page of a list cost."""
        ask = self.ask(call)
        first = type(request)()
        first.CopyFrom(request)
        last = last_full_page(ask, request)
        costs = [cost(self.server, lambda r=r: ask(r), 5 * self.rounds) for r in (first, last)]  # type: ignore[misc]
        ratio = costs[1].wall / costs[0].wall
        print(
            f"{name:<58}{costs[0].wall:8.2f} ms first{costs[1].wall:8.2f} ms last full page: "
            f"{ratio:.2f}  (goal ≤ {goal:g})",
            flush=True,
        )


def run(bench: Bench, filled: Filled, sizes: Sizes) -> None:
    """Measure every case."""
    named: dict[str, Any] = {"project_id": filled.project, "group_id": filled.group}
    what = f"{sizes.questions} questions × {sizes.simulations} simulations"
    bench.single(
        f"GetReliability, {what}, {sizes.peers:,} peers",
        bench.library.GetReliability,
        pb.GetReliabilityRequest(**named, persona_id=filled.persona),
        20,
    )
    bench.single(
        f"GetLibraryPersonaAttitudeTimeline, {what}",
        bench.library.GetLibraryPersonaAttitudeTimeline,
        pb.GetLibraryPersonaAttitudeTimelineRequest(library_persona_id=filled.individual),
        20,
    )
    bench.single(
        f"ListReliabilities of {sizes.listed:,}, 30 questions × 4 simulations",
        bench.library.ListReliabilities,
        pb.ListReliabilitiesRequest(
            project_id=filled.project, group_id=filled.listed, order_by="lower_bound desc"
        ),
        3000,
    )
    bench.single(
        f"MatchLibraryPersonas, {sizes.library:,}, page of 100",
        bench.library.MatchLibraryPersonas,
        pb.MatchLibraryPersonasRequest(**named, page_size=100),
        150,
    )
    bench.ends(
        f"ListLibraryPersonas by reliability, {sizes.library:,}",
        bench.library.ListLibraryPersonas,
        pb.ListLibraryPersonasRequest(page_size=100),
        1.2,
    )
    bench.ends(
        f"ListLibraryPersonaProjects, {sizes.links:,} links",
        bench.library.ListLibraryPersonaProjects,
        pb.ListLibraryPersonaProjectsRequest(library_persona_id=filled.often_used, page_size=1000),
        1.2,
    )


def main() -> None:
    """Fill a database, start a server on it, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--share", type=float, default=1.0, help="of the full sizes")
    given = parser.parse_args()
    full = Sizes()
    sizes = full._replace(
        peers=max(int(full.peers * given.share), 50),
        library=max(int(full.library * given.share), 1000),
        links=max(int(full.links * given.share), full.projects),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = fill(folder / "data", sizes)
        with service(folder) as (server, address, token):
            run(Bench(server, address, token, given.rounds), filled, sizes)


if __name__ == "__main__":
    main()
