"""Terms: written with a persona, gone with it, and pages in the order of the list."""

from collections.abc import Callable

import pytest

from persona.v1.persona_pb2 import Persona
from persona_server.storage.pace import MOST
from persona_server.storage.repositories.filters import Filters
from persona_server.storage.repositories.pages import START
from persona_server.storage.store import Store
from persona_server.validation.limits import LONGEST_FOUND
from persona_server.validation.terms import (
    attribute_term,
    external_id_term,
    full_name_term,
    terms_of,
)
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import StoredGroup, raw, rolled_back, unframe

AR = attribute_term("state", "AR")
NE = attribute_term("state", "NE")
LEFT = attribute_term("party", "left")
DUE = 2**62


def one(name: str, **attributes: str) -> Persona:
    return persona(full_name=name, attributes=attributes)


def names(group: StoredGroup, *terms: bytes, **filters: str) -> list[str]:
    """Return the names of those that have all terms, read two at a time."""
    found, after, more = [], START, True
    while more:
        page = group.page(2, after, Filters(**filters), terms)
        found += [each.full_name for each in unframe(page.framed)]
        after, more = page.last, page.more
    return found


def stored_terms(store: Store, set_id: int) -> set[bytes]:
    return set(Probe(store).values("persona_term", "hash", set_id=set_id))


def test_a_persona_has_a_term_for_each_whole_value(store: Store, group: StoredGroup) -> None:
    longest = "x" * LONGEST_FOUND
    given = persona(
        full_name="Ana",
        external_id="crm",
        attributes={"state": "AR", "empty": "", "long": longest, "longer": longest + "x"},
    )
    group.add(given)
    assert stored_terms(store, group.set_id) == {
        full_name_term("ANA"),
        external_id_term("crm"),
        AR,
        attribute_term("empty", ""),
        attribute_term("long", longest),
    }


def test_terms_are_of_their_kind_alone() -> None:
    """Nor do a key and a value run into each other."""
    a = {
        full_name_term("a"),
        external_id_term("a"),
        attribute_term("a", ""),
        attribute_term("", "a"),
    }
    assert len(a | {attribute_term("ab", "c"), attribute_term("a", "bc")}) == 6
    assert full_name_term("Weiße") == full_name_term("ＷEISSE")
    assert external_id_term("a") != external_id_term("A")
    assert {len(term) for term in a} == {16}


@pytest.mark.parametrize("term", [full_name_term, external_id_term])
def test_terms_of_numbered_values_stand_beside_each_other(term: Callable[[str], bytes]) -> None:
    thousand = [term(f"row {number}") for number in range(7000, 8000)]
    between = [term(f"row {number}") for number in (0, 6999, 8000)]
    low, high = min(thousand), max(thousand)
    assert len(set(thousand)) == 1000
    assert not [each for each in between if low <= each <= high]
    assert len({term(text) for text in ("", "1", "12", "123", "1234", "2234")}) == 6


def test_pages_by_terms_come_in_the_order_of_the_list(group: StoredGroup) -> None:
    people = [one(f"{i}", state="AR" if i % 3 else "NE", party="left") for i in range(9)]
    for i, each in enumerate(people):
        each.created_at.CopyFrom(at(1000 - i))  # so the last comes first
    group.add(*people[4:])
    group.add(*people[:4])
    assert names(group, AR) == ["8", "7", "5", "4", "2", "1"]
    assert names(group, NE) == ["6", "3", "0"]
    assert names(group, LEFT, NE) == names(group, NE, LEFT) == ["6", "3", "0"]
    assert names(group, AR, NE) == []
    assert names(group, full_name_term("5")) == ["5"]


def test_other_filters_hold_as_well(group: StoredGroup) -> None:
    for i in range(6):
        group.add(persona(full_name=f"{i}", gender="ab"[i % 2], attributes={"state": "AR"}))
    assert names(group, AR, gender="a") == ["0", "2", "4"]
    assert names(group, AR, gender="c") == []


def test_a_set_is_asked_for_its_own(store: Store, group: StoredGroup) -> None:
    group.add(one("here", state="AR"))
    other, stranger = StoredGroup(store), StoredGroup(store, "stranger")
    for each in (other, stranger):
        each.add(one("there", state="AR"))
    assert names(group, AR) == ["here"]


def test_what_is_hidden_has_no_terms_and_gets_them_back(store: Store, group: StoredGroup) -> None:
    given, stays = one("Ana", state="AR"), one("Bob", state="AR")
    given.id = uid()
    group.add(given, stays)
    all_terms = Probe(store).count("persona_term")
    group.hide(raw(given))
    assert stored_terms(store, group.set_id) == {AR, full_name_term("Bob")}
    assert names(group, AR) == ["Bob"]
    given.ClearField("created_at")
    group.add(given)
    assert names(group, AR) == ["Ana", "Bob"]
    assert Probe(store).count("persona_term") == all_terms


def test_one_that_comes_back_from_a_dropped_set_has_them_in_the_new_one(
    store: Store, group: StoredGroup
) -> None:
    given = one("Ana", state="AR")
    given.id = uid()
    group.add(given, one("Bob", state="AR"))
    old = group.drop(now=1)
    assert names(group, AR) == []
    group.add(given)
    assert names(group, AR) == ["Ana"]
    assert stored_terms(store, old) == set(terms_of(one("Bob", state="AR")))
    store.sweeper.sweep(DUE, 0)
    assert stored_terms(store, old) == set()
    assert names(group, AR) == ["Ana"]
    assert stored_terms(store, group.set_id) == set(terms_of(given))


@pytest.mark.parametrize("many", [1, 3])
def test_a_dropped_set_loses_its_terms_in_chunks(
    store: Store, group: StoredGroup, many: int
) -> None:
    """However few personas have them, and also if it keeps rows."""
    attributes = {f"key {i}": "x" for i in range(100)}
    kept = StoredGroup(store)
    kept.add(one("kept", **attributes))
    for _ in range(many):
        group.add(*[one("one", **attributes) for _ in range(20)])
    assert Probe(store).count("persona_term") == many * 20 * 101 + 101
    assert many * 20 * 101 > MOST
    group.drop(now=1)
    assert store.sweeper.sweep(DUE, 0) == many * 20
    assert Probe(store).count("persona_term") == 101
    assert names(kept, attribute_term("key 7", "x")) == ["kept"]
    assert store.sweeper.sweep(DUE, 0) == 0


def test_terms_are_part_of_the_transaction(store: Store, group: StoredGroup) -> None:
    rolled_back(store, lambda transaction: group.add_in(transaction, one("Ana", state="AR")))
    assert Probe(store).count("persona_term") == 0
