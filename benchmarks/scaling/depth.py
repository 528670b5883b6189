"""What it costs to read from a large group: a page far in it, and one persona among very many.

Two services, of a group of 10,000 personas and of one of 10,000,000, serve in turn. The same 2,000
personas of each, spread over all of it, are asked for again and again, so that what is measured is
the walk through larger indexes, and not the disk. Personas are written as an import would write
them, but without the index of whole values (names, attributes), which neither call reads: the large
file takes some 15 GB, and some minutes. `--engine postgresql` measures it there.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from data import make_persona
from library_data import TENANT, make_place
from loading import LOAD_CORE, built_load, framed, load
from processes import SERVICE, Client, Process, service
from scaling.clusters import durable_cluster

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup
from persona_server.services.framing import ELEMENT, frame
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.personas import PersonaRow
from persona_server.storage.store import Store, Transaction, open_store
from persona_server.validation.filters import search_keys

FEW, MANY, FAR = 10_000, 10_000_000, 1_000_000
CHUNK = 20_000  # personas of a transaction
ASKED = 2_000
GOAL = 1.2


class Profile(NamedTuple):
    """A persona without id and time, as it is written again and again."""

    age: int
    keys: tuple[str, ...]
    encoded: bytes


class Filled(NamedTuple):
    """A group, and some of its personas."""

    project: str
    group: str
    asked: list[str]


def profiles() -> list[Profile]:
    """Return some, of which all personas are made."""
    random_ = random.Random(1)
    made = [make_persona(random_) for _ in range(1000)]
    return [Profile(one.age.value, search_keys(one), one.SerializeToString()) for one in made]


def fill(store: Store, count: int) -> Filled:
    """Write so many personas into a new group; return it with those to ask for."""
    project, group = make_place(store, PersonaGroup(name="deep"))
    made, asked = profiles(), list[str]()
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        with store.writing(TENANT, None) as repositories:
            ids = repositories.new_ids(size)
            _write(repositories, (project, group), ids, made)
        asked += ids[:: max(count // ASKED, 1)]
    random.Random(2).shuffle(asked)
    return Filled(project, group, asked[:ASKED])


def _write(
    repositories: Transaction, place: tuple[str, str], ids: list[str], made: list[Profile]
) -> None:
    project, group = place
    locked = repositories.groups.lock(id_bytes(project), id_bytes(group))
    assert locked is not None
    rows: list[PersonaRow] = []
    longest = 0
    for i, text in enumerate(ids):
        profile, raw, at = made[i % len(made)], id_bytes(text), repositories.now + i
        own = Persona(id=text, project_id=project, group_id=group)
        own.created_at.FromMicroseconds(at)
        # Encoded messages that stand behind each other are one message.
        framed_ = frame(ELEMENT, profile.encoded + own.SerializeToString())
        where = (repositories.tenant, locked.set_id, profile.age, keys.position(at, raw), raw)
        rows.append((*where, *profile.keys, framed_, None))
        longest = max(longest, len(framed_))
    repositories.personas.insert(rows)
    repositories.groups.changed(id_bytes(group), len(rows), longest)


class Side(NamedTuple):
    """A service, and the group that it has."""

    server: Process
    client: Client
    address: str
    token: str
    filled: Filled


@contextmanager
def serving(folder: Path, count: int, database: str) -> Iterator[Side]:
    """Run a service with a group of so many personas."""
    folder.mkdir()
    store = open_store(database or folder / "data")
    try:
        filled = fill(store, count)
    finally:
        store.close()
    print(f"{count:,} personas are written", flush=True)
    with service(folder, database=database) as (server, address, token):
        yield Side(server, Client(address, token), address, token, filled)


class Bench:
    """Calls one method with the same requests, over and over."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._program = built_load(folder)
        self._seconds = str(seconds)

    def cost(self, side: Side, method: str, requests: list[bytes]) -> float:
        """Return the µs of the server's CPU that a call takes."""
        path = self._folder / "requests"
        path.write_bytes(framed(requests))
        where = (side.address, f"{SERVICE}/{method}", side.token, path)
        before = side.server.cpu()
        options = ("-seconds", self._seconds, "-in-flight", "8")
        report = load(self._program, *where, *options, cores=LOAD_CORE)
        return float((side.server.cpu() - before) * 1e6 / report["requests"])


def gets(side: Side) -> list[bytes]:
    """Return a request for each of the personas to ask for."""
    project, group, asked = side.filled
    named: dict[str, Any] = {"project_id": project, "group_id": group}
    return [pb.GetPersonaRequest(**named, persona_id=one).SerializeToString() for one in asked]


def pages(side: Side) -> tuple[list[bytes], list[bytes]]:
    """Return the request of the first page of 100, and of the one after row 1,000,000."""
    project, group, _ = side.filled
    listing = pb.ListPersonasRequest(project_id=project, group_id=group, page_size=1000)
    for _ in range(FAR // 1000):
        page = side.client.call("ListPersonas", listing.SerializeToString())
        listing.page_token = pb.ListPersonasResponse.FromString(page).next_page_token
        assert listing.page_token
    listing.page_size = 100
    first = pb.ListPersonasRequest(project_id=project, group_id=group, page_size=100)
    return [first.SerializeToString()], [listing.SerializeToString()]


def compare(name: str, rounds: int, near: Callable[[], float], far: Callable[[], float]) -> None:
    """Measure two costs in turn, and print them with their ratio."""
    found = [(near(), far()) for _ in range(rounds + 1)][1:]  # the first warms up
    ratio = median(b / a for a, b in found)
    costs = [median(side) for side in zip(*found, strict=True)]
    verdict = "met" if ratio <= GOAL else "MISSED"
    print(
        f"{name:<52}{costs[0]:>7.0f} → {costs[1]:>5.0f} µs CPU: {ratio:.2f} (goal ≤ {GOAL}: "
        f"{verdict})",
        flush=True,
    )


def measure(bench: Bench, few: Side, many: Side, rounds: int, count: int) -> None:
    """Compare pages of the large group, and Gets in both."""
    first, far = pages(many)
    compare(
        f"List 100, page at row {FAR:,} to page 1",
        rounds,
        lambda: bench.cost(many, "ListPersonas", first),
        lambda: bench.cost(many, "ListPersonas", far),
    )
    near, among = gets(few), gets(many)
    compare(
        f"GetPersona among {FEW:,} to among {count:,}",
        rounds,
        lambda: bench.cost(few, "GetPersona", near),
        lambda: bench.cost(many, "GetPersona", among),
    )


def main() -> None:
    """Fill two databases, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--personas", type=int, default=MANY, help="of the large group")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rounds", type=int, default=7, help="counted rounds after the warm-up")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load")
    given = parser.parse_args()
    assert given.personas > FAR, "else there is no page so far"
    on_postgresql = given.engine == "postgresql"
    running = durable_cluster(LOAD_CORE) if on_postgresql else nullcontext()
    with tempfile.TemporaryDirectory() as name, running as cluster, ExitStack() as stack:
        folder = Path(name)
        few, many = (
            stack.enter_context(
                serving(folder / str(count), count, cluster.database() if cluster else "")
            )
            for count in (FEW, given.personas)
        )
        measure(Bench(folder, given.seconds), few, many, given.rounds, given.personas)


if __name__ == "__main__":
    main()
