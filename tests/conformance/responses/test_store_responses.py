"""Responses in the store: pages, ranges, the flag that is computed, and what the database wants."""

import random
import uuid
from typing import Any

import pytest

from persona.v1.response_pb2 import Response
from persona.v1.response_service_pb2 import ListResponsesResponse
from persona_server.storage.keys import id_bytes, id_text, position
from persona_server.storage.repositories.pages import EMPTY_PAGE, START
from persona_server.storage.repositories.response_lists import WantedResponses
from persona_server.storage.repositories.responses import ResponseRow
from persona_server.storage.repositories.simulations import About
from persona_server.storage.store import Store, Transaction
from support.answering.recorded import one_each, record
from support.answers import answer
from support.data import at, persona, uid
from support.probe import REFUSALS, Probe
from support.stored import StoredGroup, read, rolled_back


def parsed(framed: bytes) -> list[Response]:
    return list(ListResponsesResponse.FromString(framed).responses)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("question", [None, "even"])
def test_a_walk_is_complete_in_order_and_ends_where_it_should(
    group: StoredGroup, limit: int, question: str | None
) -> None:
    (one,) = group.add(persona())
    simulation = uid()
    given = [
        answer(
            id_text(one),
            question_key="odd" if i % 2 else "even",
            occurred_at=at(7 - i // 2),
            model=f"{i}",
        )
        for i in range(7)
    ]
    record(group, simulation, *given)
    expected = sorted(
        (r for r in parsed(b"".join(record_all(group, simulation)))),
        key=lambda r: (r.occurred_at.seconds, r.occurred_at.nanos, r.id),
    )
    expected = [r for r in expected if question in (None, r.question_key)]
    responses = read(group.store).responses
    for pages in (
        responses.pages(WantedResponses(simulation=id_bytes(simulation), question=question)),
        responses.pages(WantedResponses(project=group.project, question=question)),
        responses.pages(WantedResponses(persona=one, question=question)),
    ):
        found, after, more = [], START, True
        while more:
            page = pages.page(after, limit)
            assert page.size == len(parsed(page.framed)) <= limit
            found += parsed(page.framed)
            assert page.last > after or not page.more
            after, more = page.last, page.more
        assert found == expected


def record_all(group: StoredGroup, simulation: str) -> list[bytes]:
    """Return every framed response of a simulation, read one by one."""
    mine = read(group.store)
    found = Probe(group.store).values("response", "id")
    assert mine.simulations.project(id_bytes(simulation)) == group.project
    return list(mine.responses.known(found).values())


@pytest.mark.parametrize("count", [1, 9, 10, 11, 99, 100, 101, 234])
def test_every_answer_of_a_batch_is_kept_whatever_its_size(group: StoredGroup, count: int) -> None:
    (one,) = group.add(persona())
    simulation = uid()
    given = [answer(id_text(one), id=uid(), question_key=f"q{i}") for i in range(count)]
    record(group, simulation, *given)
    found = {r.id: r.question_key for r in parsed(b"".join(record_all(group, simulation)))}
    assert found == {r.id: r.question_key for r in given}


def test_empty_lists(group: StoredGroup) -> None:
    pages = read(group.store).responses.pages(WantedResponses(simulation=uuid.uuid4().bytes))
    assert pages.page(START, 10) == EMPTY_PAGE
    assert pages.longest(START, 10) == 0


def test_longest_is_that_of_the_page_to_come(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    texts = (10, 3000, 10)
    record(
        group,
        uid(),
        *[
            answer(id_text(one), text="x" * n, occurred_at=at(1_000_000 * (i + 1)))
            for i, n in enumerate(texts)
        ],
    )
    pages = read(group.store).responses.pages(WantedResponses(persona=one))
    first, second = pages.page(START, 1), pages.page(START, 2)
    assert pages.longest(START, 1) == len(first.framed)
    assert (
        pages.longest(START, 2) == pages.longest(START, 9) == len(second.framed) - len(first.framed)
    )
    assert pages.longest(second.last, 9) == len(first.framed)


def test_flag_follows_the_persona_and_nothing_else_changes(group: StoredGroup) -> None:
    given = [persona(id=uid()) for _ in range(3)]
    one, two, three = group.add(*given)
    one_each(group, [one, two, three])
    pages = read(group.store).responses.pages(WantedResponses(project=group.project))

    def flags() -> list[bool]:
        page = pages.page(START, 9)
        assert page.framed[:-1] != b""
        return [{r.persona_id: r.persona_deleted for r in parsed(page.framed)}[p.id] for p in given]

    first = parsed(pages.page(START, 9).framed)
    assert flags() == [False, False, False]
    group.hide(two)
    assert flags() == [False, True, False]
    group.drop()
    assert flags() == [True, True, True]
    group.add(given[0])
    assert flags() == [False, True, True]
    with group.store.writing("acme", None) as repositories:
        repositories.groups.mark_all_deleted(group.project, repositories.now)
    assert flags() == [True, True, True]
    for response in (after := parsed(pages.page(START, 9).framed)):
        response.persona_deleted = False
    assert after == first


def test_any_bytes_come_back_exactly(group: StoredGroup) -> None:
    """NUL and invalid UTF-8 too: SQLite joins the pieces as text, and hands out a blob."""
    (one,) = group.add(persona())
    chance, simulation = random.Random(5), uuid.uuid4().bytes
    contents = [chance.randbytes(n) for n in (0, 1, 2, 255, 4096)] + [bytes(9), b"\xff\xfe\x00"]
    with group.store.writing("acme", None) as repositories:
        repositories.simulations.insert(simulation, group.project, About(), 1)
        for i, content in enumerate(contents):
            repositories.responses.insert([row(repositories, group, simulation, one, i, content)])
    page = (
        read(group.store).responses.pages(WantedResponses(simulation=simulation)).page(START, 100)
    )
    assert page.framed == b"".join(content + b"\0" for content in contents)


def row(
    repositories: Transaction,
    group: StoredGroup,
    simulation: bytes,
    persona_id: bytes,
    at_micros: int,
    content: bytes,
) -> ResponseRow:
    one = uuid.uuid4().bytes
    place = position(at_micros, one)
    keys = (one, simulation, group.project, group.group, persona_id, place)
    return ResponseRow(repositories.tenant, *keys, "q", len(content) + 1, content, None, place)


def test_the_database_wants_persona_and_simulation(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    simulation = uuid.uuid4().bytes

    def insert(transaction: Transaction, parent: bytes, who: bytes) -> None:
        transaction.simulations.insert(simulation, group.project, About(), 1)
        transaction.responses.insert([row(transaction, group, parent, who, 1, b"x")])

    rolled_back(group.store, lambda new: insert(new, simulation, one))
    for parents in ((uuid.uuid4().bytes, one), (simulation, uuid.uuid4().bytes)):
        with (
            pytest.raises(REFUSALS),
            group.store.writing("acme", None) as transaction,
        ):
            insert(transaction, parents[0], parents[1])
    assert Probe(group.store).count("response") == 0


def test_tenants_do_not_see_each_others_answers(store: Store) -> None:
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    (theirs,) = other.add(persona())
    simulation = uid()
    (recorded,) = one_each(other, [theirs], simulation).ids
    mine = read(store, "one")
    assert mine.simulations.project(id_bytes(simulation)) is None
    assert mine.responses.known([recorded]) == {}
    assert mine.responses.persona(recorded) is None
    assert mine.personas.ancestry([theirs]) == {}
    assert mine.personas.recorded(theirs) is None
    lists: list[Any] = [
        mine.responses.pages(WantedResponses(simulation=id_bytes(simulation))),
        mine.responses.pages(WantedResponses(project=other.project)),
        mine.responses.pages(WantedResponses(persona=theirs)),
    ]
    assert [pages.page(START, 9) for pages in lists] == [EMPTY_PAGE] * 3
    # Every id is free in another tenant, and its answers keep no persona of ours.
    (same,) = one.add(persona(id=id_text(theirs)))
    record(one, simulation, answer(id_text(same), id=id_text(recorded)))
    assert mine.simulations.project(id_bytes(simulation)) == one.project
