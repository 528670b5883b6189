"""Random answers of every kind, and what the derived tables must then hold by the measures."""

import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import ListResponsesResponse
from persona_server.measures.answering import Asked, asked
from persona_server.measures.answers import Answer, Kind, Question, first_answers
from persona_server.measures.individual.crowds import Tally
from persona_server.measures.individual.points import Differences, differences, points
from persona_server.measures.populations import Numbers
from persona_server.services.responses.recording import record_responses
from persona_server.storage.derived.counts import by_value
from persona_server.storage.derived.texts import set_ids, set_text
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store
from support.answers import answer
from support.data import at
from support.probe import Probe
from support.stored import TENANT, StoredGroup

PARTICIPATION = ("asked", "answered")  # who, where and when, beside what measures read
DERIVED = ("series", "piece", "tally", "sums", *PARTICIPATION)
TEXTS = ("answer_set", "answer_model")
LOWEST, HIGHEST = -(2**31), 2**31 - 1


class Batch(NamedTuple):
    """Answers to record at once, with their ids."""

    simulation: str
    responses: list[Response]


class Truth(NamedTuple):
    """What the measures make of all answers of a tenant, sums by question and simulation."""

    series: dict[str, dict[Question, list[Answer]]]
    tallies: dict[Question, dict[str, Tally]]
    differences: dict[Question, dict[str, Differences]]
    declared: dict[Question, list[str]]


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
    """Measure the responses of a tenant that stand anew; a persona is an individual of its own."""
    key, probe = store.tenants.key(tenant), Probe(store)
    void = set(probe.values("response_void", "response_id", tenant_id=key))
    rows = probe.rows("response", "id", "framed", tenant_id=key)
    framed = b"".join(bytes(one) + b"\0" for raw, one in rows if raw not in void)
    stored = ListResponsesResponse.FromString(framed)
    series: dict[str, dict[Question, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    declared: dict[Question, list[str]] = {}
    for response in sorted(stored.responses, key=lambda r: (r.occurred_at.ToMicroseconds(), r.id)):
        if (found := asked(response)) is not None:
            declared.setdefault(found.question, list(found.declared))
            series[response.persona_id][found.question].append(as_answer(response, found))
    return Truth({p: dict(q) for p, q in series.items()}, *over_all(series), declared)


def as_answer(response: Response, found: Asked) -> Answer:
    """Return a response as measures take it from the derived tables: sets as sets of tokens."""
    question, value, declared = found
    if question.kind in (Kind.CHOICES, Kind.THEMES):
        value = set_text(str(value)).tokens
    return Answer(
        question,
        response.simulation_id,
        response.id.replace("-", ""),
        response.occurred_at.ToMicroseconds(),
        value,
        response.model,
        response.prompt_version,
        declared[0] if question.kind is Kind.CHOICE else "",
    )


def over_all(
    series: dict[str, dict[Question, list[Answer]]],
) -> tuple[dict[Question, dict[str, Tally]], dict[Question, dict[str, Differences]]]:
    """Return the sums over all individuals by question and simulation."""
    counted: dict[Question, dict[str, Counter[int | str]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    moved: dict[Question, dict[str, Differences]] = defaultdict(dict)
    for questions in series.values():
        for question, given in questions.items():
            for one in first_answers(given).get(question, ()):
                counted[question][one.simulation_id][one.value] += 1
            if question.kind.numeric:
                for simulation, found in differences(question.kind, points(given)):
                    old = moved[question].get(simulation, Differences())
                    moved[question][simulation] = Differences.total([old, found])
    tallies = {
        question: {s: _tally(question, tally) for s, tally in simulations.items()}
        for question, simulations in counted.items()
    }
    return tallies, dict(moved)


def _tally(question: Question, counts: Counter[int | str]) -> Tally:
    if question.kind in (Kind.CHOICES, Kind.THEMES):  # counted by what stands for each
        return dict(zip(set_ids(map(str, counts)), counts.values(), strict=True))
    return dict(counts) if by_value(question) else Numbers.of(counts)


def measured(store: Store, tenant: str = TENANT) -> Truth:
    """Read the same from the derived tables, through the repository."""
    key = store.tenants.key(tenant)
    series: dict[str, dict[Question, list[Answer]]] = {}
    tallies: dict[Question, dict[str, Tally]] = defaultdict(dict)
    moved: dict[Question, dict[str, Differences]] = defaultdict(dict)
    with store.snapshot(tenant) as repositories:
        derived = repositories.derived
        for one in set(Probe(store).values("series", "individual_id", tenant_id=key)):
            found = derived.series_of(one)
            series[id_text(one)] = found
            asked = {q: {a.simulation_id for a in given} for q, given in found.items()}
            for question, crowds in derived.crowds(found.ids, asked).items():
                tallies[question] |= {s: crowd.tally for s, crowd in crowds.items()}
            for question, differing in derived.differences(found.ids, asked).items():
                moved[question] |= differing
        declared = derived.declared({q for questions in series.values() for q in questions})
    return Truth(
        series,
        {question: each for question, each in tallies.items() if each},
        {
            question: kept
            for question, each in moved.items()
            if (kept := {s: found for s, found in each.items() if found.number})
        },
        declared,
    )


def image(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return every byte of the derived tables, with each question's hash in place of its id."""
    probe = Probe(store)
    names = {row[:2]: row[2] for row in probe.rows("question", "tenant_id", "id", "hash")}
    names |= {(tenant, 0): b"all questions" for tenant in probe.values("tenant", "id")}
    columns = ("tenant_id", "key", "kind", "scale", "hash", "declared", "declared_at")
    kept = {"question": sorted(probe.rows("question", *columns))}
    kept |= {table: sorted(probe.rows(table)) for table in TEXTS}
    for table in DERIVED:
        place = probe.columns(table).index("question_id")
        found = probe.rows(table)
        kept[table] = sorted(
            (*row[:place], names[row[0], row[place]], *row[place + 1 :]) for row in found
        )
    return kept


def raw_image(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return every byte of the derived tables, ids of questions too."""
    return {table: sorted(Probe(store).rows(table)) for table in ("question", *DERIVED, *TEXTS)}
