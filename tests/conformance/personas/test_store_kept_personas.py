"""Personas that answered: deleted like others, but never purged."""

import pytest

from persona_server.storage.pace import MOST
from persona_server.storage.store import Store
from support.answering.recorded import one_each
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import StoredGroup, read

RETENTION, HIDDEN = 60_000_000, 1_000
DUE = HIDDEN + RETENTION


def stored(store: Store) -> set[bytes]:
    return set(Probe(store).values("persona", "id"))


def listed(store: Store) -> int:
    """Return how long the sweeper's work list is."""
    probe = Probe(store)
    marks = probe.values("persona_set", "purge_after") + probe.values("persona", "purge_after")
    return sum(mark is not None for mark in marks)


def test_the_database_refuses_to_remove_a_persona_that_answered(group: StoredGroup) -> None:
    (one,) = group.add(persona())
    one_each(group, [one])
    assert Probe(group.store).refuses("DELETE FROM persona")
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
    given = group.add(*[persona(created_at=at(i)) for i in range(2 * MOST + 10)])
    kept = [*given[:1000], *given[MOST : MOST + 7], given[-1]]
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


def test_an_answer_of_another_tenant_keeps_nothing_here(store: Store) -> None:
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    shared = uid()
    one.add(persona(id=shared))
    one_each(other, other.add(persona(id=shared)))
    one.drop(now=HIDDEN)
    other.drop(now=HIDDEN)
    assert store.sweeper.sweep(DUE, RETENTION) == 1
    assert Probe(store).count("persona") == 1
