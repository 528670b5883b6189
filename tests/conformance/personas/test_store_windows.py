"""Where a page stops looking, the next one goes on: with the very next entry, in every list."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conformance.library.test_store_library import EVERYTHING, put, shelve

from persona.v1.response_service_pb2 import ListResponsesResponse
from persona_server.storage.keys import id_text
from persona_server.storage.repositories.filters import Filters
from persona_server.storage.repositories.library import ORDERS, ListKey
from persona_server.storage.repositories.pages import AHEAD, MOST_VISITED, START, VISITED, Page
from persona_server.storage.repositories.response_lists import WantedResponses
from persona_server.storage.store import Store
from support.answering.recorded import record
from support.answers import answer
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import StoredGroup, read, unframe

BATCH = 1000
ENTRIES = 2 * MOST_VISITED + 3
# Those that match: the first and the last, those around every place where a page or a look ahead
# may stop, and the last but one where a look ahead sees all but the last.
EDGES = {
    edge + near
    for edge in (2, AHEAD, VISITED, VISITED + AHEAD, 2 * VISITED)
    for near in (-2, -1, 0, 1, 2)
} | {ENTRIES - AHEAD - 2, ENTRIES - 1}
LIMITS = (1, 2, 5, BATCH)
LIBRARY = MOST_VISITED + 3
LIBRARY_EDGES = (0, 1, MOST_VISITED - 1, MOST_VISITED, MOST_VISITED + 1, LIBRARY - 1)
ORIGIN = 1_700_000_000_000_000


def walked(read_page: Callable[[bytes, int], Page], limit: int) -> Iterator[bytes]:
    """Yield what the pages of a walk hold; it must always get ahead."""
    page = Page(b"", START, 0, more=True)
    while page.more:
        after = page.last
        page = read_page(after, limit)
        assert page.last > after or not page.more
        assert page.size <= limit
        yield page.framed


def batches(number: int) -> Iterator[range]:
    for start in range(0, number, BATCH):
        yield range(start, min(start + BATCH, number))


def test_bounds_of_a_call() -> None:
    assert VISITED + AHEAD == MOST_VISITED == 10_000


@pytest.fixture(scope="module")
def crowd(shared_store: Store) -> StoredGroup:
    """A group whose personas are named by their places; those at EDGES match."""
    group = StoredGroup(shared_store)
    for places in batches(ENTRIES):
        group.add(
            *[
                persona(
                    full_name=f"{place}",
                    gender="yes" if place in EDGES else "no",
                    created_at=at(ORIGIN + place),
                )
                for place in places
            ]
        )
    return group


@pytest.mark.parametrize("limit", LIMITS)
def test_personas(crowd: StoredGroup, limit: int) -> None:
    found = walked(lambda after, n: crowd.page(n, after, Filters(gender="yes")), limit)
    names = [one.full_name for page in found for one in unframe(page)]
    assert names == [f"{place}" for place in sorted(EDGES)]


@pytest.fixture(scope="module")
def interview(shared_store: Store) -> tuple[StoredGroup, bytes, bytes]:
    """A group, its library persona, and the origin: it and its copy answer in turn."""
    group = StoredGroup(shared_store, "interviews")
    (library_persona,) = shelve(group, [0.9])
    origin = read(shared_store, group.tenant).library.origin(library_persona)
    assert origin is not None
    copies = StoredGroup(shared_store, group.tenant)
    (copy,) = put(copies, [library_persona])
    for places in batches(ENTRIES):
        for who, where, parity in ((origin, group, 0), (copy, copies, 1)):
            record(where, uid(), *[said(who, p) for p in places if p % 2 == parity])
    return group, library_persona, origin


def said(who: bytes, place: int) -> Any:
    question = "yes" if place in EDGES else "no"
    time = at(ORIGIN + place)
    return answer(id_text(who), question_key=question, text="t", model=f"{place}", occurred_at=time)


@pytest.mark.parametrize("limit", LIMITS)
def test_answers_of_an_individual(interview: tuple[StoredGroup, bytes, bytes], limit: int) -> None:
    group, library_persona, origin = interview
    answers = read(group.store, group.tenant).responses
    lists = (
        (WantedResponses(library=library_persona, origin=origin), EDGES),
        (WantedResponses(persona=origin), {place for place in EDGES if place % 2 == 0}),
    )
    for wanted, expected in lists:
        pages = answers.pages(wanted._replace(question="yes"))
        found = b"".join(walked(pages.page, limit))
        models = [one.model for one in ListResponsesResponse.FromString(found).responses]
        assert models == [f"{place}" for place in sorted(expected)]


@pytest.fixture(scope="module")
def library(shared_store: Store) -> Store:
    """A library of which all are retired but those at the edges, in one of the orders."""
    group = StoredGroup(shared_store, "library")
    for places in batches(LIBRARY):
        shelve(group, [place / LIBRARY for place in places])
    everybody = {id_ for order in in_order(shared_store).values() for id_ in order}
    active = {order[edge] for order in in_order(shared_store).values() for edge in LIBRARY_EDGES}
    with shared_store.writing(group.tenant, None) as repositories:
        for one in everybody - active:
            repositories.library.retire(one, 5)
    return shared_store


def in_order(store: Store) -> dict[str, list[bytes]]:
    """Return the ids of the library in each order."""
    key = store.tenants.key("library")
    found = Probe(store).rows("library_persona", *ORDERS, "id", tenant_id=key)
    return {
        order: [row[-1] for row in sorted(found, key=lambda row: (row[i], row[-1]))]
        for i, order in enumerate(ORDERS)
    }


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", ORDERS)
def test_library_personas(library: Store, order: str, descending: bool) -> None:
    wanted = EVERYTHING._replace(include_retired=False, order=order, descending=descending)
    key = library.tenants.key("library")
    rows = Probe(library).rows("library_persona", "id", "retired_at", tenant_id=key)
    active = {one for one, retired_at in rows if retired_at is None}
    expected = [one for one in in_order(library)[order] if one in active]
    expected = expected[::-1] if descending else expected
    assert len(expected) >= len(LIBRARY_EDGES)
    for limit in (1, 1000):
        after: ListKey | None = ListKey(float("inf"), b"\xff" * 17)
        after = after if descending else ListKey(float("-inf"), b"")
        seen = []
        while after is not None:
            found, after = read(library, "library").library.keys(wanted, after, limit)
            seen += [key.id for key in found]
            after = after or (found[-1] if len(found) == limit else None)
        assert seen == expected


def test_a_bound_of_reliability_ends_the_list(library: Store) -> None:
    """In its own order those below are not even looked at: no empty page behind the last."""
    wanted = EVERYTHING._replace(lower_bound_min=0.9)
    for descending, start in ((True, (float("inf"), b"\xff" * 17)), (False, (-1.0, b""))):
        found, stopped = read(library, "library").library.keys(
            wanted._replace(descending=descending), start, LIBRARY
        )
        assert len(found) == sum(place / LIBRARY >= 0.9 for place in range(LIBRARY))
        assert stopped is None
