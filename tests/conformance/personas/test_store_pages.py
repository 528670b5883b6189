"""Pages: complete, in order, bounded, and coherent with the set that the group shows."""

import uuid

import pytest

from persona_server.storage.repositories.filters import Filters
from persona_server.storage.repositories.pages import EMPTY_PAGE, START
from persona_server.storage.store import Store
from support.data import at, persona
from support.stored import StoredGroup, read, unframe


def walk(group: StoredGroup, limit: int, filters: Filters) -> list[str]:
    """Return the names of a walk, after checking every page's own figures."""
    names, after, more = [], START, True
    while more:
        page = group.page(limit, after, filters)
        found = unframe(page.framed)
        assert len(found) == page.size <= limit
        names += [one.full_name for one in found]
        assert page.last > after or not page.more, "a walk that stands still never ends"
        after, more = page.last, page.more
    return names


@pytest.mark.parametrize("filters", [Filters(), Filters(gender="yes")])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_a_walk_is_complete_in_order_and_ends_where_it_should(
    shared_store: Store, count: int, limit: int, filters: Filters
) -> None:
    group = StoredGroup(shared_store)
    expected = [f"{i}" for i in range(count)]
    group.add(
        *[
            persona(full_name=name, gender="Yes", created_at=at(i))
            for i, name in enumerate(expected)
        ],
        *[persona(full_name="no", gender="No", created_at=at(100)) for _ in range(2)],
    )
    found = walk(group, limit, filters)
    assert found == (expected if filters.get("gender") else [*expected, "no", "no"])


@pytest.mark.parametrize(
    ("limit", "filters", "more"),
    [
        (2, Filters(), False),
        (1, Filters(), True),
        (3, Filters(), False),
        (1, Filters(gender="a"), False),
        (1, Filters(gender="none"), False),
    ],
)
def test_more_says_whether_anything_follows_that_matches(
    group: StoredGroup, limit: int, filters: Filters, more: bool
) -> None:
    group.add(persona(gender="a", created_at=at(1)), persona(gender="b", created_at=at(2)))
    assert group.page(limit, filters=filters).more is more


def test_page_of_an_empty_set_is_empty(group: StoredGroup) -> None:
    assert group.page(10) == EMPTY_PAGE
    assert group.page(10, filters=Filters(gender="x")) == EMPTY_PAGE


@pytest.mark.parametrize("filters", [Filters(), Filters(gender="")])
def test_page_of_a_set_that_was_swapped_out_is_empty(
    store: Store, group: StoredGroup, filters: Filters
) -> None:
    """The set may be dropped between head and page; restoring moves rows out of it."""
    group.add(persona())
    old = group.drop()
    repositories = read(store)
    assert repositories.personas.page(group.group, old, START, 10, filters) == EMPTY_PAGE
    other = uuid.uuid4().bytes
    page = repositories.personas.page(other, group.set_id, START, 10, filters)
    assert page == EMPTY_PAGE


def test_longest_row_is_kept_and_forgotten_with_the_set(group: StoredGroup) -> None:
    assert group.head().max_framed == 0
    group.add(persona(psychographic_notes="x" * 3000), persona())
    longest = len(group.page(1).framed)
    assert group.head().max_framed == longest > 3000
    group.add(persona())
    assert group.head().max_framed == longest
    group.drop()
    assert group.head().max_framed == 0


def test_longest_row_counts_one_that_is_restored(group: StoredGroup) -> None:
    fat = persona(id=str(uuid.uuid4()), psychographic_notes="x" * 3000)
    group.add(fat)
    longest = group.head().max_framed
    group.drop()
    group.add(persona(id=fat.id, psychographic_notes=fat.psychographic_notes))
    assert group.head().max_framed == longest


def test_every_change_raises_the_version_and_nothing_else_does(group: StoredGroup) -> None:
    store, seen = group.store, [group.head().version]

    def step(raised: bool) -> None:
        seen.append(group.head().version)
        assert (seen[-1] > seen[-2]) is raised

    again = persona(id=str(uuid.uuid4()))
    one, _ = group.add(again, persona())
    step(True)
    with store.writing("acme", None) as transaction:
        group.add_in(transaction, persona(id=again.id))
    step(False)
    group.hide(one)
    step(True)
    group.hide(one)
    step(False)
    group.drop()
    step(True)
    with store.writing("acme", None) as repositories:
        repositories.groups.update(group.group, b"", repositories.now, "")
    step(True)
    group.page(10)
    step(False)


def test_count_is_the_number_of_visible_rows(group: StoredGroup) -> None:
    one, _, _ = group.add(persona(), persona(), persona())
    assert group.count() == 3
    group.hide(one)
    assert group.count() == 2
    group.drop()
    assert group.count() == 0
    group.add(persona())
    assert group.count() == 1
