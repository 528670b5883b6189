"""Measure answers: recording them simulation by simulation, and what many of them come to.

The figure to trust is the server's CPU. Recording must cost the same in the tenth simulation, and
when simulations run side by side, as in the first.
"""

import argparse
import random
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from answering import QUESTIONS as ASKED
from answering import batches, make_answer
from bench import ANSWERERS, RECORD, RECORDERS, SIMULATIONS
from bench_library import cost
from data import make_persona
from loading import built_load, framed, load
from processes import Client, Process, service

from persona.v1 import comparison_service_pb2 as pb
from persona.v1 import persona_service_pb2 as personas_pb
from persona.v1.comparison_service_pb2_grpc import ComparisonServiceStub
from persona.v1.response_service_pb2 import RecordResponsesRequest

BATCH = 1000
MANY, QUESTIONS = 10_000, 40  # individuals of one simulation, and what they are asked
RATE, GROWTH, SUMMARY = 25_000, 1.15, 100  # goals: answers/s, ratio, ms CPU
_AT = 1_750_000_000


class Recorder:
    """Records encoded batches from several callers at once."""

    def __init__(self, server: Process, address: str, token: str, folder: Path) -> None:
        self._server, self._address, self._token = server, address, token
        self._path, self._program = folder / "batches", built_load(folder)

    def cost(self, requests: Sequence[bytes]) -> tuple[float, float]:
        """Record each batch once; return the server's CPU in µs, and the time, for each answer."""
        self._path.write_bytes(framed(list(requests)))
        options = ("-once", "-in-flight", str(RECORDERS))
        before = self._server.cpu()
        report = load(self._program, self._address, RECORD, self._token, self._path, *options)
        answers = len(requests) * BATCH
        return (self._server.cpu() - before) * 1e6 / answers, report["seconds"] * 1e6 / answers


class People(NamedTuple):
    """A project with personas in one group."""

    project: str
    group: str
    personas: list[str]


def people(client: Client, count: int) -> People:
    """Import so many personas into a new group."""
    random_, ids = random.Random(1), [str(uuid.uuid4()) for _ in range(count)]
    project, (group,) = client.groups(1)
    messages = []
    for start in range(0, count, BATCH):
        some = [make_persona(random_, id=one) for one in ids[start : start + BATCH]]
        batch = personas_pb.ImportBatch(sequence=start // BATCH + 1, personas=some)
        messages.append(personas_pb.ImportPersonasRequest(batch=batch).SerializeToString())
    client.import_all(project, [group], [messages])
    return People(project, group, ids)


def show(name: str, figure: str, goal: str = "") -> None:
    """Print a row."""
    print(f"{name:<66}{figure:>22}{goal and f'  (goal {goal})'}", flush=True)


def without_ids(requests: Sequence[bytes]) -> list[bytes]:
    """Return batches of answers to which the service gives ids."""
    given = [RecordResponsesRequest.FromString(request) for request in requests]
    for request in given:
        for response in request.responses:
            response.ClearField("id")
    return [request.SerializeToString() for request in given]


def record_all(
    recorder: Recorder,
    client: Client,
    ids: str,
    named: Callable[[Sequence[bytes]], Sequence[bytes]],
    seeds: tuple[int, int],
) -> None:
    """Measure simulations one after the other, and as many side by side, of other individuals.

    `named` gives the answers of batches their ids, and `ids` says whose those are. What was made
    of one seed can be recorded once.
    """
    first = record_in_order(recorder, named(asked(client, seeds[0])), ids)
    record_side_by_side(recorder, named(asked(client, seeds[1])), first)


def asked(client: Client, seed: int) -> list[bytes]:
    """Return the batches of all simulations of individuals that are imported for them."""
    return batches(people(client, ANSWERERS).personas, SIMULATIONS, seed)


def record_in_order(recorder: Recorder, given: Sequence[bytes], ids: str) -> float:
    """Measure one simulation after the other; return the CPU of an answer in the first."""
    size = len(given) // SIMULATIONS
    costs = [recorder.cost(given[i : i + size]) for i in range(0, len(given), size)]
    first, last = costs[0][0], costs[-1][0]
    rate = 1e6 / (sum(wall for _, wall in costs) / SIMULATIONS)
    what = f"RecordResponses, {RECORDERS} callers, batches of {BATCH:,}, {ids}"
    show(what, f"{rate:,.0f} answers/s", f"≥ {RATE:,}")
    show("  in the first simulation", f"{first:.1f} µs CPU")
    show(f"  in the {SIMULATIONS}th", f"{last:.1f} µs: {last / first:.2f}", f"≤ {GROWTH}")
    return first


def record_side_by_side(recorder: Recorder, given: Sequence[bytes], first: float) -> None:
    """Measure simulations of which the batches come in turn, beside a cost in the first."""
    size = len(given) // SIMULATIONS
    used, _ = recorder.cost(
        [given[i] for start in range(size) for i in range(start, len(given), size)]
    )
    show(f"  {SIMULATIONS} side by side", f"{used:.1f} µs: {used / first:.2f}", f"≤ {GROWTH}")


def one_simulation(personas: Sequence[str]) -> Iterator[bytes]:
    """Yield the batches in which everybody answers all questions once."""
    random_, simulation = random.Random(3), str(uuid.UUID(int=3))
    each = BATCH // QUESTIONS
    for start in range(0, len(personas), each):
        request = RecordResponsesRequest(simulation_id=simulation)
        for persona in personas[start : start + each]:
            for number in range(QUESTIONS):
                answer = make_answer(random_, persona, number % ASKED, _AT + start)
                answer.question_key = f"many/{number:02d}"
                request.responses.append(answer)
        yield request.SerializeToString()


class Asker:
    """Asks the service for what many answers come to."""

    def __init__(self, server: Process, client: Client, rounds: int) -> None:
        self._server, self._client, self._rounds = server, client, rounds
        self._service: Any = ComparisonServiceStub(client.channel)

    def show(self, name: str, method: str, request: Any, listed: int, goal: str = "") -> None:
        """Print what a call costs that lists so many questions."""
        call, metadata = getattr(self._service, method), self._client.metadata
        answer = call(request, metadata=metadata)
        assert listed == sum(
            len(value) for field, value in answer.ListFields() if field.is_repeated
        )
        found = cost(self._server, lambda: call(request, metadata=metadata), self._rounds)
        show(f"{method}, {name}", f"{found.cpu:.1f} ms CPU", goal)


def summarize(asker: Asker, recorder: Recorder, large: People) -> None:
    """Measure what one large simulation comes to."""
    given = list(one_simulation(large.personas))
    recorder.cost(given)
    request = pb.SummarizeResponsesRequest(
        project_id=large.project, simulation_id=_simulation(given[0]), page_size=QUESTIONS
    )
    what = f"{QUESTIONS} questions × {len(large.personas):,} individuals"
    asker.show(what, "SummarizeResponses", request, QUESTIONS, f"≤ {SUMMARY}")


def compare(asker: Asker, recorder: Recorder, small: People) -> None:
    """Measure two simulations beside each other, of as many answers as one call may read."""
    given = batches(small.personas, 2, seed=4)
    recorder.cost(given)
    request = pb.CompareResponsesRequest(
        project_id=small.project,
        simulation_id=_simulation(given[0]),
        other_simulation_id=_simulation(given[-1]),
        page_size=ASKED,
    )
    what = f"two simulations, {ASKED} questions × {len(small.personas)} individuals"
    asker.show(what, "CompareResponses", request, ASKED)


def _simulation(batch: bytes) -> str:
    return RecordResponsesRequest.FromString(batch).simulation_id


def main() -> None:
    """Record, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--many", type=int, default=MANY, help="individuals of one simulation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, service(Path(name)) as (server, address, token):
        client = Client(address, token)
        recorder = Recorder(server, address, token, Path(name))
        record_all(recorder, client, "ids of the server", without_ids, (5, 6))
        record_all(recorder, client, "random ids", list, (1, 2))
        asker = Asker(server, client, options.rounds)
        summarize(asker, recorder, people(client, options.many))
        compare(asker, recorder, people(client, ANSWERERS))


if __name__ == "__main__":
    main()
