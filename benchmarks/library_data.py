"""Fill a database for the library's benchmark: answers, a large library, an individual used often.

Through the services' own functions, in the process of the benchmark: what is measured afterwards
is a server on the same file.
"""

import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data import make_persona

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup
from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer, Response
from persona_server.measures.individual.policy import Policy
from persona_server.services.library.promoting import look_at, promote
from persona_server.services.personas.adding import Group, add_personas
from persona_server.services.responses.recording import record_responses
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.library import LibraryRow
from persona_server.storage.repositories.links import LinkRow
from persona_server.storage.repositories.personas import ORIGIN, REUSE
from persona_server.storage.store import Store, Transaction, open_store
from persona_server.validation.filters import search_keys

TENANT = "local"
BATCH = 1000
LISTED_QUESTIONS, LISTED_SIMULATIONS = 30, 4
_START = 1_700_000_000  # seconds since 1970
_OPTIONS = ("never", "seldom", "sometimes", "often", "always")


class Sizes(NamedTuple):
    """How much of everything."""

    peers: int = 5_000
    questions: int = 200
    simulations: int = 10
    library: int = 100_000
    links: int = 1_000_000
    projects: int = 1_000
    listed: int = 1_000  # personas of a group that answers 30 questions in 4 simulations


class Filled(NamedTuple):
    """What the benchmark asks for."""

    project: str
    group: str
    persona: str
    individual: str
    often_used: str
    listed: str  # group


def fill(folder: Path, sizes: Sizes) -> Filled:
    """Make the database of a service in a folder."""
    store = open_store(folder)
    try:
        project, group = make_place(store, PersonaGroup(name="bench", age_min=20, age_max=80))
        people = [add_people(store, project, group, [Persona(full_name="One")])[0]]
        for start in range(0, sizes.peers, BATCH):
            count = min(BATCH, sizes.peers - start)
            people += add_people(
                store, project, group, [Persona(full_name="Peer") for _ in range(count)]
            )
        _answer(store, people, sizes)
        individual = _promote(store, people[0])
        _shelve(store, project, group, sizes.library)
        often_used = _use_often(store, sizes)
        listed = _list(store, project, sizes)
    finally:
        store.close()
    return Filled(project, group, id_text(people[0]), individual, often_used, listed)


def make_place(store: Store, definition: PersonaGroup) -> tuple[str, str]:
    """Make a project with one group; return their ids."""
    project, group = uuid.uuid4().bytes, uuid.uuid4().bytes
    with store.writing(TENANT, None) as repositories:
        repositories.projects.insert(project, "bench", "", repositories.now)
        encoded = definition.SerializeToString()
        repositories.groups.insert(group, project, encoded, repositories.now)
    return id_text(project), id_text(group)


def add_people(store: Store, project: str, group: str, personas: list[Persona]) -> list[bytes]:
    """Add personas to a group; return their keys."""
    with store.writing(TENANT, None) as repositories:
        return _add_in(repositories, project, group, personas)


def _add_in(
    repositories: Transaction, project: str, group: str, personas: list[Persona]
) -> list[bytes]:
    locked = repositories.groups.lock(id_bytes(project), id_bytes(group))
    assert locked is not None
    return add_personas(repositories, Group(project, group, locked), personas, "personas[{}]").ids


_FEW = 6  # of whom chance is known


def _answer(store: Store, people: list[bytes], sizes: Sizes) -> None:
    """Let everybody answer all questions once, and the first few in every simulation."""
    source = random.Random(3)
    for number in range(sizes.simulations):
        simulation = str(uuid.UUID(int=source.getrandbits(128)))
        for batch in answer_batches(
            source, people if number == 0 else people[:_FEW], number, sizes
        ):
            with store.writing(TENANT, None) as repositories:
                record_responses(repositories, simulation, batch)


def answer_batches(
    source: random.Random, people: list[bytes], number: int, sizes: Sizes
) -> Iterator[list[Response]]:
    """Yield what people answer in a simulation, mostly the same only the first of them."""
    batch = []
    for place, person in enumerate(people):
        for question in range(sizes.questions):
            steady = place == 0 and source.random() < 0.9
            batch.append(_response(source, person, question, number, steady=steady))
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _response(
    source: random.Random, person: bytes, question: int, number: int, *, steady: bool
) -> Response:
    at = (question if steady else source.randrange(5)) % 5
    response = Response(persona_id=id_text(person), question_key=f"q{question:03d}")
    if question % 2:
        response.rating.CopyFrom(RatingAnswer(value=at + 1, min=1, max=5))
    else:
        response.choice.CopyFrom(ChoiceAnswer(value=_OPTIONS[at], options=_OPTIONS))
    response.occurred_at.seconds = _START + number * 2_592_000 + question
    return response


def _list(store: Store, project: str, sizes: Sizes) -> str:
    """Make a group of which everybody answers everything in every simulation."""
    group = uuid.uuid4().bytes
    with store.writing(TENANT, None) as repositories:
        encoded = PersonaGroup(name="listed").SerializeToString()
        repositories.groups.insert(group, id_bytes(project), encoded, repositories.now)
    personas = [Persona(full_name="Listed") for _ in range(sizes.listed)]
    people, source = add_people(store, project, id_text(group), personas), random.Random(5)
    few = sizes._replace(questions=LISTED_QUESTIONS)
    for number in range(LISTED_SIMULATIONS):
        simulation = str(uuid.UUID(int=source.getrandbits(128)))
        for batch in answer_batches(source, people, number, few):
            with store.writing(TENANT, None) as repositories:
                record_responses(repositories, simulation, batch)
    return id_text(group)


def _promote(store: Store, persona: bytes) -> str:
    look = look_at(store, TENANT, persona, Policy())
    with store.writing(TENANT, None) as repositories:
        entry, made = promote(repositories, persona, look)
    assert made
    return id_text(entry.id)


def _shelve(store: Store, project: str, group: str, count: int) -> None:
    """Put personas of the usual size into the library, without answers of their own."""
    source = random.Random(4)
    for start in range(0, count, BATCH):
        personas = [make_persona(source) for _ in range(min(BATCH, count - start))]
        with store.writing(TENANT, None) as repositories:
            for one in personas:
                one.id = str(uuid.UUID(int=source.getrandbits(128)))
            ids = _add_in(repositories, project, group, personas)
            for origin, one in zip(ids, personas, strict=True):
                _library_row(repositories, project, origin, one, source.uniform(0.7, 1))


def _library_row(
    repositories: Transaction, project: str, origin: bytes, one: Persona, bound: float
) -> bytes:
    library = LibraryPersona(id=str(uuid.uuid4()), profile=one, origin_project_id=project)
    library.origin_persona_id = id_text(origin)
    library.reliability.lower_bound.value = bound
    row = LibraryRow(
        repositories.tenant,
        id_bytes(library.id),
        id_bytes(project),
        origin,
        one.age.value,
        search_keys(one),
        bound,
        repositories.now,
        library.SerializeToString(),
        1,
        0,
    )
    repositories.library.insert(row)
    return row.id


def _use_often(store: Store, sizes: Sizes) -> str:
    """Link personas of many projects with one individual."""
    library = b""
    for number in range(sizes.projects):
        project, group = make_place(store, PersonaGroup(name=f"group {number}"))
        left = sizes.links // sizes.projects
        while left:
            personas = [Persona(full_name="Copy") for _ in range(min(BATCH, left))]
            with store.writing(TENANT, None) as repositories:
                ids = _add_in(repositories, project, group, personas)
                relation = REUSE
                if not library:
                    library, relation = (
                        _library_row(repositories, project, ids[0], personas[0], 0.7),
                        ORIGIN,
                    )
                _link(repositories, (project, group), library, ids, relation)
            left -= len(ids)
    return id_text(library)


def _link(
    repositories: Transaction,
    place: tuple[str, str],
    library: bytes,
    ids: list[bytes],
    relation: int,
) -> None:
    now = repositories.now
    repositories.links.insert(
        [
            LinkRow(
                repositories.tenant,
                member,
                repositories.links.next_id(now),
                library,
                id_bytes(place[0]),
                id_bytes(place[1]),
                "bench",
                "group",
                relation if i == 0 else REUSE,
                None,
                now,
            )
            for i, member in enumerate(ids)
        ]
    )
