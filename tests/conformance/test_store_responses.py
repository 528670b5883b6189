"""Responses in the store: pages, ranges, the flag that is computed, and what a purge must keep."""

import random
import uuid
from typing import Any

import apsw
import peewee
import pytest

from persona.v1.response_service_pb2 import ListResponsesResponse, Response
from persona_server.services.responses.recording import Recorded, record_responses
from persona_server.storage.keys import id_bytes, id_text, position
from persona_server.storage.repositories.pages import EMPTY_PAGE, START
from persona_server.storage.repositories.responses import Range, ResponseRow
from persona_server.storage.store import Store, Transaction
from persona_server.storage.sweeper import CHUNK
from support.answers import answer
from support.data import at, persona, uid
from support.stored import StoredGroup, read, rolled_back, rows

RETENTION, HIDDEN = 60_000_000, 1_000
DUE = HIDDEN + RETENTION
ALL = Range(START)


def record(group: StoredGroup, simulation: str, *answers: Response) -> Recorded:
    with group.store.writing(group.tenant, None) as repositories:
        return record_responses(repositories, simulation, answers)


def one_each(group: StoredGroup, personas: list[bytes], simulation: str = "") -> Recorded:
    """Record an answer of each persona."""
    return record(group, simulation or uid(), *[answer(id_text(one)) for one in personas])


def parsed(framed: bytes) -> list[Response]:
    return list(ListResponsesResponse.FromString(framed).responses)


def stored(store: Store) -> set[bytes]:
    return {row[0] for row in rows(store, "SELECT id FROM persona")}


def listed(store: Store) -> int:
    """Return how long the sweeper's work list is."""
    sets = "SELECT count(*) FROM persona_set WHERE purge_after IS NOT NULL"
    single = "SELECT count(*) FROM persona WHERE purge_after IS NOT NULL"
    return int(rows(store, sets)[0][0] + rows(store, single)[0][0])


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
        responses.of_simulation(id_bytes(simulation)),
        responses.of_project(group.project),
        responses.of_persona(one),
    ):
        found, where, more = [], Range(START, question=question), True
        while more:
            page = pages.page(where, limit)
            assert page.size == len(parsed(page.framed)) <= limit
            found += parsed(page.framed)
            assert page.last > where.after or not page.more
            where, more = where._replace(after=page.last), page.more
        assert found == expected


def record_all(group: StoredGroup, simulation: str) -> list[bytes]:
    """Return every framed response of a simulation, read one by one."""
    responses = read(group.store).responses
    found = rows(group.store, "SELECT id FROM response")
    assert responses.simulation(id_bytes(simulation)) == group.project
    return list(responses.known([row[0] for row in found]).values())


def test_empty_lists(group: StoredGroup) -> None:
    pages = read(group.store).responses.of_simulation(uuid.uuid4().bytes)
    assert pages.page(ALL, 10) == EMPTY_PAGE
    assert pages.longest(ALL, 10) == 0


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
    pages = read(group.store).responses.of_persona(one)
    first, second = pages.page(ALL, 1), pages.page(ALL, 2)
    assert pages.longest(ALL, 1) == len(first.framed)
    assert pages.longest(ALL, 2) == pages.longest(ALL, 9) == len(second.framed) - len(first.framed)
    assert pages.longest(Range(second.last), 9) == len(first.framed)


def test_flag_follows_the_persona_and_nothing_else_changes(group: StoredGroup) -> None:
    given = [persona(id=uid()) for _ in range(3)]
    one, two, three = group.add(*given)
    one_each(group, [one, two, three])
    pages = read(group.store).responses.of_project(group.project)

    def flags() -> list[bool]:
        page = pages.page(ALL, 9)
        assert page.framed[:-1] != b""
        return [{r.persona_id: r.persona_deleted for r in parsed(page.framed)}[p.id] for p in given]

    first = parsed(pages.page(ALL, 9).framed)
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
    for response in (after := parsed(pages.page(ALL, 9).framed)):
        response.persona_deleted = False
    assert after == first


def test_any_bytes_come_back_exactly(group: StoredGroup) -> None:
    """NUL and invalid UTF-8 too: SQLite joins the pieces as text, and hands out a blob."""
    (one,) = group.add(persona())
    chance, simulation = random.Random(5), uuid.uuid4().bytes
    contents = [chance.randbytes(n) for n in (0, 1, 2, 255, 4096)] + [bytes(9), b"\xff\xfe\x00"]
    with group.store.writing("acme", None) as repositories:
        repositories.responses.insert_simulation(simulation, group.project, 1)
        for i, content in enumerate(contents):
            repositories.responses.insert([row(repositories, group, simulation, one, i, content)])
    page = read(group.store).responses.of_simulation(simulation).page(ALL, 100)
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
    keys = (one, simulation, group.project, group.group, persona_id, position(at_micros, one))
    return ResponseRow(repositories.tenant, *keys, "q", len(content) + 1, content, None)


def test_the_database_wants_persona_and_simulation(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    simulation = uuid.uuid4().bytes

    def insert(transaction: Transaction, parent: bytes, who: bytes) -> None:
        transaction.responses.insert_simulation(simulation, group.project, 1)
        transaction.responses.insert([row(transaction, group, parent, who, 1, b"x")])

    rolled_back(group.store, lambda new: insert(new, simulation, one))
    for parents in ((uuid.uuid4().bytes, one), (simulation, uuid.uuid4().bytes)):
        with (
            pytest.raises((apsw.ConstraintError, peewee.IntegrityError)),
            group.store.writing("acme", None) as transaction,
        ):
            insert(transaction, parents[0], parents[1])
    assert rows(group.store, "SELECT count(*) FROM response") == [(0,)]


def test_the_database_refuses_to_remove_a_persona_that_answered(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    one_each(group, [one])
    with pytest.raises((apsw.ConstraintError, peewee.IntegrityError)):
        group.store.database.execute_sql("DELETE FROM persona")
    assert stored(group.store) == {one}


@pytest.mark.parametrize("how", ["hide", "drop", "group", "project"])
def test_a_purge_keeps_those_that_answered_and_looks_at_them_once(
    store: Store, group: StoredGroup, how: str
) -> None:
    silent, talker, other = group.add(persona(), persona(), persona())
    one_each(group, [talker])
    delete(group, how, [silent, talker, other])
    assert store.sweeper.sweep(DUE - 1, RETENTION) == 0
    assert listed(store) > 0
    assert store.sweeper.sweep(DUE, RETENTION) == 2
    assert stored(store) == {talker}
    assert listed(store) == 0
    assert store.sweeper.sweep(2**62, RETENTION) == 0
    assert read(store).personas.recorded(talker) is not None
    assert read(store).personas.recorded(silent) is None


def delete(group: StoredGroup, how: str, personas: list[bytes]) -> None:
    if how == "hide":
        for one in personas:
            group.hide(one, now=HIDDEN)
    elif how == "drop":
        group.drop(now=HIDDEN)
    else:
        with group.store.writing("acme", None) as repositories:
            if how == "group":
                repositories.groups.mark_deleted(group.group, group.set_id, HIDDEN)
            else:
                repositories.projects.mark_deleted(group.project, HIDDEN)
                repositories.groups.mark_all_deleted(group.project, HIDDEN)


@pytest.mark.parametrize("how", ["hide", "drop"])
def test_kept_rows_don_t_end_a_sweep_early(store: Store, group: StoredGroup, how: str) -> None:
    """Chunks in which everything, or a part, is kept are followed by the next."""
    given = group.add(*[persona(created_at=at(i)) for i in range(2 * CHUNK + 10)])
    kept = [*given[:1000], *given[CHUNK : CHUNK + 7], given[-1]]
    for start in range(0, len(kept), 1000):
        one_each(group, kept[start : start + 1000])
    if how == "drop":
        group.drop(now=HIDDEN)
    else:
        with store.writing("acme", None) as repositories:
            locked = group.locked(repositories)
            for one in given:
                repositories.personas.hide(one, locked.set_id, locked.hidden_set_id, HIDDEN)
    assert store.sweeper.sweep(DUE, RETENTION) == len(given) - len(kept)
    assert stored(store) == set(kept)
    assert listed(store) == 0


def test_an_answer_to_a_hidden_persona_keeps_it(store: Store, group: StoredGroup) -> None:
    early, late = group.add(persona(), persona())
    group.hide(early, now=HIDDEN)
    group.drop(now=HIDDEN)
    one_each(group, [early, late])
    assert store.sweeper.sweep(DUE, RETENTION) == 0
    assert stored(store) == {early, late}
    assert listed(store) == 0


def test_a_kept_persona_can_come_back_and_be_deleted_again(
    store: Store, group: StoredGroup
) -> None:
    given = persona(id=uid())
    (one,) = group.add(given)
    one_each(group, [one])
    for _ in range(2):
        group.hide(one, now=HIDDEN)
        assert store.sweeper.sweep(DUE, RETENTION) == 0
        group.add(persona(id=given.id))
        assert group.get(one) is not None
    assert (group.count(), listed(store)) == (1, 0)


def test_tenants_do_not_see_each_others_answers(store: Store) -> None:
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    (theirs,) = other.add(persona())
    simulation = uid()
    (recorded,) = one_each(other, [theirs], simulation).ids
    mine = read(store, "one")
    assert mine.responses.simulation(id_bytes(simulation)) is None
    assert mine.responses.known([recorded]) == {}
    assert mine.responses.persona(recorded) is None
    assert mine.personas.ancestry([theirs]) == {}
    assert mine.personas.recorded(theirs) is None
    lists: list[Any] = [
        mine.responses.of_simulation(id_bytes(simulation)),
        mine.responses.of_project(other.project),
        mine.responses.of_persona(theirs),
    ]
    assert [pages.page(ALL, 9) for pages in lists] == [EMPTY_PAGE] * 3
    # Every id is free in another tenant, and its answers keep no persona of ours.
    (same,) = one.add(persona(id=id_text(theirs)))
    record(one, simulation, answer(id_text(same), id=id_text(recorded)))
    assert mine.responses.simulation(id_bytes(simulation)) == one.project


def test_an_answer_of_another_tenant_keeps_nothing_here(store: Store) -> None:
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    shared = uid()
    one.add(persona(id=shared))
    one_each(other, other.add(persona(id=shared)))
    one.drop(now=HIDDEN)
    other.drop(now=HIDDEN)
    assert store.sweeper.sweep(DUE, RETENTION) == 1
    assert len(rows(store, "SELECT id FROM persona")) == 1
