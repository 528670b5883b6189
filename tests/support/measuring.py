"""Random answers of every kind, and what the derived tables must then hold by the measures."""

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import ListResponsesResponse
from persona_server.measures.answering import asked
from persona_server.measures.answers import Answer, Question, first_answers
from persona_server.measures.histogram import Histogram, Moments
from persona_server.measures.points import Noise, noise, points
from persona_server.services.responses.recording import record_responses
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from support.answers import answer
from support.data import at
from support.probe import Probe
from support.stored import TENANT, StoredGroup

DERIVED = ("series", "histogram", "sums")
LOWEST, HIGHEST = -(2**31), 2**31 - 1


class Batch(NamedTuple):
    """Answers to record at once, with their ids."""

    simulation: str
    responses: list[Response]


class Truth(NamedTuple):
    """What the measures make of all answers of a tenant."""

    series: dict[str, dict[Question, list[Answer]]]
    everyone: dict[Question, Histogram | Moments]
    noise: dict[Question, Noise]


def random_answer(chance: random.Random, persona_id: str) -> Response:
    """Return an answer of a random kind to one of few questions, at one of few times."""
    some, themes = chance.randint(0, 3), (" Price", "price", "ÄRGER")
    wide = RatingAnswer(value=chance.choice((LOWEST, HIGHEST)), min=LOWEST, max=HIGHEST)
    kinds: list[dict[str, Any]] = [
        {"rating": RatingAnswer(value=chance.randint(1, 3), min=1, max=3)},
        {"rating": wide},
        {"choice": ChoiceAnswer(value=chance.choice("abc"), options=chance.sample("abc", 3))},
        {"choice": ChoiceAnswer(value="only", options=["only"])},
        {"choices": ChoicesAnswer(values=chance.sample("xyz", some), options="xyz")},
        {"sentiment": chance.choice((-1.0, -0.123456, 0.0, 0.000001, 1.0))},
        {"text": "words", "themes": chance.sample(themes, chance.randint(0, 2))},
    ]
    return answer(
        persona_id,
        id=str(uuid.UUID(int=chance.getrandbits(128))),
        question_key=chance.choice(("q1", "q2")),
        occurred_at=at(1_700_000_000_000_000 + chance.randrange(chance.choice((40, 10**12)))),
        model=chance.choice(("m1", "m1", "m2")),
        prompt_version=chance.choice(("", "v2")),
        **chance.choice(kinds),
    )


def random_batches(
    chance: random.Random, personas: list[bytes], simulations: int, answers: int
) -> list[Batch]:
    """Return batches of all simulations, in random order and size."""
    ids, batches = [id_text(one) for one in personas], []
    for _ in range(simulations):
        simulation = str(uuid.UUID(int=chance.getrandbits(128)))
        given = [random_answer(chance, chance.choice(ids)) for _ in range(answers)]
        batches += [Batch(simulation, part) for part in cut(chance, given)]
    chance.shuffle(batches)
    return batches


def cut(chance: random.Random, given: list[Response]) -> Iterator[list[Response]]:
    """Cut a list into parts of random size."""
    while given:
        size = chance.choice((1, 2, 7, 50))
        yield given[:size]
        given = given[size:]


def reordered(chance: random.Random, batches: list[Batch]) -> list[Batch]:
    """Return the same answers in other batches and another order."""
    by_simulation: dict[str, list[Response]] = defaultdict(list)
    for batch in batches:
        by_simulation[batch.simulation] += batch.responses
    again = []
    for simulation, given in by_simulation.items():
        chance.shuffle(given)
        again += [Batch(simulation, part) for part in cut(chance, given)]
    chance.shuffle(again)
    return again


def record_all(group: StoredGroup, batches: Iterable[Batch]) -> None:
    """Record batches, each in a transaction of its own."""
    for simulation, given in batches:
        copies = [Response.FromString(one.SerializeToString()) for one in given]
        with group.store.writing(group.tenant, None) as repositories:
            record_responses(repositories, simulation, copies)


def truth(store: Store, tenant: str = TENANT) -> Truth:
    """Measure the stored responses of a tenant anew; a persona is an individual of its own."""
    key = store.tenants.key(tenant)
    framed = Probe(store).values("response", "framed", tenant_id=key)
    stored = ListResponsesResponse.FromString(b"".join(bytes(one) + b"\0" for one in framed))
    series: dict[str, dict[Question, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for response in stored.responses:
        if (found := asked(response)) is not None:
            series[response.persona_id][found[0]].append(as_answer(response, *found))
    for questions in series.values():
        for given in questions.values():
            given.sort(key=lambda one: (one.occurred_at, one.response_id))
    return Truth({p: dict(q) for p, q in series.items()}, *over_all(series))


def as_answer(response: Response, question: Question, value: int | str) -> Answer:
    """Return a response as measures take it."""
    micros = response.occurred_at.ToMicroseconds()
    ids = (response.simulation_id, response.id)
    return Answer(question, *ids, micros, value, response.model, response.prompt_version)


def over_all(
    series: dict[str, dict[Question, list[Answer]]],
) -> tuple[dict[Question, Histogram | Moments], dict[Question, Noise]]:
    """Return the sums over all individuals by question."""
    counted: dict[Question, list[Counter[int | str]]] = defaultdict(list)
    noises: dict[Question, Noise] = {}
    for questions in series.values():
        for question, given in questions.items():
            if first := first_answers(given).get(question):
                counted[question].append(Counter(one.value for one in first))
            if question.kind.numeric:
                ours = noise(question.kind, points(given))
                noises[question] = noises.get(question, Noise()).plus(ours)
    everyone: dict[Question, Histogram | Moments] = {
        q: Moments.of(each) if q.kind.numeric else Histogram.of(each) for q, each in counted.items()
    }
    return everyone, noises


def measured(store: Store, tenant: str = TENANT) -> Truth:
    """Read the same from the derived tables, through the repository."""
    key = store.tenants.key(tenant)
    found = set(Probe(store).values("series", "individual_id", tenant_id=key))
    series, everyone, noises = {}, {}, {}
    with store.snapshot(tenant) as repositories:
        for one in found:
            series[id_text(one)] = repositories.derived.series_of(one)
            everyone.update(repositories.derived.everyone(one))
            noises.update(repositories.derived.noise(one))
    return Truth(series, everyone, noises)


def image(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return every byte of the derived tables, with each question's hash in place of its id."""
    probe = Probe(store)
    names = {row[:2]: row[2] for row in probe.rows("question", "tenant_id", "id", "hash")}
    questions = probe.rows("question", "tenant_id", "key", "kind", "scale", "hash")
    kept = {"question": sorted(questions)}
    for table in DERIVED:
        place = probe.columns(table).index("question_id")
        found = probe.rows(table)
        kept[table] = sorted(
            (*row[:place], names[row[0], row[place]], *row[place + 1 :]) for row in found
        )
    return kept


def raw_image(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return every byte of the derived tables, ids of questions too."""
    return {table: sorted(Probe(store).rows(table)) for table in ("question", *DERIVED)}
