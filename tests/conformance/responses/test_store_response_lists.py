"""Lists of answers by any filters and in any order: what a reader who looks at all would find."""

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from conformance.library.test_store_library import put, shelve

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import ListResponsesResponse
from persona_server.storage.keys import id_bytes, id_text, position
from persona_server.storage.repositories.response_lists import Order, Pages, WantedResponses
from persona_server.storage.store import Store
from support.answering.recorded import record
from support.answers import answer
from support.data import at, micros, persona, uid
from support.probe import Probe
from support.stored import StoredGroup, read

TENANT = "lists"
CHANCE = random.Random(10)
ORDERS = [Order(recorded, descending) for recorded in (False, True) for descending in (False, True)]
Filter = tuple[str, Any, Callable[[Response], bool]]


class Answers(NamedTuple):
    """All answers of a tenant, its library persona, and that one's origin."""

    store: Store
    everything: list[Response]
    library: bytes
    origin: bytes


@pytest.fixture(scope="module")
def answers(shared_store: Store) -> Answers:
    """Two projects, three groups, and an individual that answers as itself and as a copy."""
    first, second = StoredGroup(shared_store, TENANT), StoredGroup(shared_store, TENANT)
    (library,) = shelve(first, [0.9])
    origin = read(shared_store, TENANT).library.origin(library)
    assert origin is not None
    homes = {
        first: [origin, *first.add(persona(), persona())],
        second: [*put(second, [library]), *second.add(persona())],
    }
    simulations = {home: [uid(), uid()] for home in homes}
    for _ in range(25):
        home = CHANCE.choice(list(homes))
        given = [_said(CHANCE.choice(homes[home])) for _ in range(CHANCE.randint(1, 4))]
        record(home, CHANCE.choice(simulations[home]), *given)
    ids = Probe(shared_store).rows("response", "id", tenant_id=shared_store.tenants.key(TENANT))
    framed = read(shared_store, TENANT).responses.known([one for (one,) in ids])
    return Answers(shared_store, parsed(b"".join(framed.values())), library, origin)


def _said(who: bytes) -> Response:
    key = CHANCE.choice(("price", "taste"))
    return answer(id_text(who), question_key=key, occurred_at=at(CHANCE.randint(1, 40)))


def parsed(framed: bytes) -> list[Response]:
    return list(ListResponsesResponse.FromString(framed).responses)


def filters_of(found: Answers, like: Response) -> list[Filter]:
    """Return every filter that a response passes, and who else does."""
    occurred, recorded = micros(like.occurred_at), micros(like.recorded_at)
    of_library = {"library": found.library, "origin": found.origin}
    origin = id_text(found.origin)
    columns: list[Filter] = [
        (name, id_bytes(getattr(like, f"{name}_id")), _equal(f"{name}_id", like))
        for name in ("persona", "simulation", "group", "project")
    ]
    return [
        *columns,
        ("question", like.question_key, _equal("question_key", like)),
        ("occurred_from", position(occurred, b""), lambda r: micros(r.occurred_at) >= occurred),
        (
            "occurred_before",
            position(occurred + 9, b""),
            lambda r: micros(r.occurred_at) < occurred + 9,
        ),
        ("recorded_after", position(recorded, b""), lambda r: micros(r.recorded_at) >= recorded),
        (
            "library",
            of_library,
            lambda r: r.persona_id == origin or r.HasField("library_persona_id"),
        ),
    ]


def _equal(field: str, like: Response) -> Callable[[Response], bool]:
    return lambda one: bool(getattr(one, field) == getattr(like, field))


def walked(pages: Pages, limit: int) -> Iterator[Response]:
    after, more = pages.start, True
    while more:
        assert pages.longest(after, limit) < 1000
        page = pages.page(after, limit)
        yield from parsed(page.framed)
        after, more = page.last, page.more


def assert_complete(found: Answers, chosen: list[Filter], order: Order, limit: int) -> None:
    values: dict[str, Any] = {}
    for name, value, _ in chosen:
        values |= value if name == "library" else {name: value}
    expected = [r for r in found.everything if all(passes(r) for _, _, passes in chosen)]
    name = "recorded_at" if order.recorded else "occurred_at"
    expected.sort(key=lambda r: (micros(getattr(r, name)), r.id), reverse=order.descending)
    pages = read(found.store, TENANT).responses.pages(WantedResponses(**values), order)
    assert list(walked(pages, limit)) == expected, (values, order)


@pytest.mark.parametrize("order", ORDERS, ids=lambda o: f"{o.recorded}-{o.descending}")
def test_every_filter_alone_and_many_together(answers: Answers, order: Order) -> None:
    chance = random.Random(3)
    bounds = ("occurred_from", "occurred_before", "recorded_after")
    for like in chance.sample(answers.everything, 12):
        filters = filters_of(answers, like)
        keys = [one for one in filters if one[0] not in bounds]
        for one in keys:
            assert_complete(answers, [one], order, chance.choice((1, 3, 100)))
        for _ in range(20):
            chosen = chance.sample(filters, chance.randint(2, len(filters)))
            if order.recorded or any(one in keys for one in chosen):
                assert_complete(answers, chosen, order, chance.choice((2, 100)))


def test_recording_is_later_each_time_whatever_the_clock_says(answers: Answers) -> None:
    times = {micros(one.recorded_at) for one in answers.everything}
    assert len(times) == 25
    repository = read(answers.store, TENANT).responses
    assert repository.next_recorded_at(max(times) - 5) == max(times) + 1
    assert repository.next_recorded_at(max(times) + 5) == max(times) + 5
    assert read(answers.store, "nobody").responses.next_recorded_at(7) == 7
