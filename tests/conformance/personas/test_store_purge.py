"""A delete hides, a purge reclaims: marks, retention, chunks, and what is never touched."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from persona_server.storage import pace
from persona_server.storage.pace import FIRST, MOST
from persona_server.storage.store import Store
from support.answering.looks import in_another_thread
from support.data import persona, uid
from support.probe import Probe
from support.stored import StoredGroup, UndoneError, raw, rows
from support.waiting import eventually

RETENTION = 60_000_000
HIDDEN = 1_000  # when things were deleted
DUE = HIDDEN + RETENTION


@pytest.fixture(autouse=True)
def without_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out what the sweeper leaves to others, who are not there; what it does is the same."""
    monkeypatch.setattr(pace, "LONGEST_REST", 0.0)


def stored(store: Store) -> int:
    return Probe(store).count("persona")


@pytest.mark.parametrize("how", ["hide", "drop"])
@pytest.mark.parametrize(("now", "left"), [(DUE - 1, 1), (DUE, 0), (DUE + 1, 0)])
def test_retention_is_kept_to_the_microsecond(
    store: Store, group: StoredGroup, how: str, now: int, left: int
) -> None:
    (one,) = group.add(persona())
    if how == "hide":
        group.hide(one, now=HIDDEN)
    else:
        group.drop(now=HIDDEN)
    assert store.sweeper.sweep(now, RETENTION) == 1 - left
    assert stored(store) == left


def test_visible_personas_stay(store: Store, group: StoredGroup) -> None:
    one, two, three = group.add(persona(), persona(), persona())
    group.hide(one, now=HIDDEN)
    assert store.sweeper.sweep(DUE, RETENTION) == 1
    assert group.get(two) is not None
    assert group.get(three) is not None
    assert store.sweeper.sweep(2**62, RETENTION) == 0
    assert group.page(10).size == group.count() == 2


def test_a_sweep_of_nothing_waits_for_no_writer(store: Store, group: StoredGroup) -> None:
    """It only looks: of thousands of tenants at rest most have nothing to remove."""
    group.add(persona())
    removed: list[int] = []
    with store.writing("acme", None):
        in_another_thread(lambda: removed.append(store.sweeper.sweep(DUE, RETENTION)))
    assert removed == [0]


def test_restored_persona_is_off_the_list(store: Store, group: StoredGroup) -> None:
    one, other = persona(id=uid()), persona(id=uid())
    group.add(one, other)
    group.hide(raw(one), now=HIDDEN)
    group.drop(now=HIDDEN)
    group.add(persona(id=one.id), persona(id=other.id))
    assert store.sweeper.sweep(2**62, RETENTION) == 0
    assert {group.get(raw(one)) is None, group.get(raw(other)) is None} == {False}


def waits(store: Store) -> bool:
    """Return whether a writer waits for its turn, or for a row that another one has."""
    if store.database.load().writers:
        return True
    if store.database.engine == "sqlite":
        return False
    return bool(rows(store, "SELECT 1 FROM pg_locks WHERE NOT granted"))


def test_who_is_brought_back_while_the_sweep_waits_for_its_turn_stays(
    store: Store, group: StoredGroup
) -> None:
    """The sweep has found it by then."""
    back, gone = persona(id=uid()), persona(id=uid())
    group.add(back, gone)
    for one in (back, gone):
        group.hide(raw(one), now=HIDDEN)
    removed: list[int] = []
    sweep = threading.Thread(target=lambda: removed.append(store.sweeper.sweep(DUE, RETENTION)))
    with store.writing("acme", None) as repositories:
        sweep.start()
        eventually(lambda: waits(store))
        group.add_in(repositories, persona(id=back.id))
    sweep.join()
    assert removed == [1]
    assert group.get(raw(back)) is not None
    assert group.get(raw(gone)) is None
    assert group.count() == stored(store) == 1


def test_hidden_row_of_a_deleted_group_keeps_its_own_time(store: Store, group: StoredGroup) -> None:
    early, late = group.add(persona(), persona())
    group.hide(early, now=HIDDEN)
    with store.writing("acme", None) as repositories:
        repositories.groups.mark_deleted(group.group, group.set_id, HIDDEN + 500)
    assert store.sweeper.sweep(DUE, RETENTION) == 1
    assert Probe(store).rows("persona", "id") == [(late,)]
    assert store.sweeper.sweep(DUE + 500, RETENTION) == 1
    assert stored(store) == 0


def test_marks_never_overwrite_earlier_ones(store: Store, group: StoredGroup) -> None:
    group.add(persona())
    old = group.drop(now=HIDDEN)
    with store.writing("acme", None) as repositories:
        repositories.groups.mark_deleted(group.group, old, HIDDEN + 1)
        repositories.groups.mark_deleted(group.group, old, HIDDEN + 2)
    marks = Probe(store).rows("persona_set", "dropped_at", "purge_after", id=old)
    assert marks == [(HIDDEN, HIDDEN)]
    deleted = Probe(store).rows("persona_group", "deleted_at")
    assert deleted == [(HIDDEN + 1,)]


def test_project_deleted_later_leaves_the_marks_of_its_groups(
    store: Store, group: StoredGroup
) -> None:
    set_id = group.set_id
    with store.writing("acme", None) as repositories:
        repositories.groups.mark_deleted(group.group, set_id, HIDDEN)
        repositories.projects.mark_deleted(group.project, HIDDEN + 1)
        repositories.groups.mark_all_deleted(group.project, HIDDEN + 1)
    assert Probe(store).rows("persona_group", "deleted_at") == [(HIDDEN,)]
    marks = Probe(store).rows("persona_set", "dropped_at", id=set_id)
    assert marks == [(HIDDEN,)]


def test_purged_set_goes_and_groups_and_projects_stay(store: Store, group: StoredGroup) -> None:
    group.add(persona())
    with store.writing("acme", None) as repositories:
        repositories.projects.mark_deleted(group.project, HIDDEN)
        repositories.groups.mark_all_deleted(group.project, HIDDEN)
    store.sweeper.sweep(DUE, RETENTION)
    assert stored(store) == 0
    assert set(Probe(store).values("persona_set", "dropped_at")) <= {None}
    assert Probe(store).count("persona_group") == 1
    assert Probe(store).count("project") == 1


def test_every_tenant_is_swept(store: Store) -> None:
    for tenant in ("one", "two", "three"):
        group = StoredGroup(store, tenant)
        group.add(persona(), persona())
        group.drop(now=HIDDEN)
    assert store.sweeper.sweep(DUE, RETENTION) == 6
    assert stored(store) == 0


@pytest.mark.parametrize("how", ["hide", "drop"])
def test_a_transaction_never_holds_more_than_a_chunk(
    store: Store, group: StoredGroup, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left is read between the chunks; readers and writers get their turn there."""
    total = MOST + 1001
    given = group.add(*[persona() for _ in range(total)])
    if how == "drop":
        group.drop(now=HIDDEN)
    else:
        with store.writing("acme", None) as repositories:
            locked = group.locked(repositories)
            for one in given:
                repositories.personas.hide(one, locked.set_id, locked.hidden_set_id, HIDDEN)
    write, left = store.database.write, [total]

    @contextmanager
    def watched(timeout: float) -> Iterator[None]:
        with write(timeout):
            yield
        left.append(stored(store))

    monkeypatch.setattr(store.database, "write", watched)
    assert store.sweeper.sweep(DUE, RETENTION) == total
    assert left[-1] == 0
    taken = [a - b for a, b in pairwise(left) if a > b]
    assert taken[0] == FIRST
    assert max(taken) <= MOST


def test_what_a_failed_sweep_leaves_is_still_on_the_list(
    store: Store, group: StoredGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    total = FIRST + 10
    group.add(*[persona() for _ in range(total)])
    group.drop(now=HIDDEN)
    write, calls = store.database.write, iter([True, False])

    @contextmanager
    def breaking(timeout: float) -> Iterator[None]:
        if not next(calls):
            raise UndoneError
        with write(timeout):
            yield

    with monkeypatch.context() as patch:
        patch.setattr(store.database, "write", breaking)
        with pytest.raises(UndoneError):
            store.sweeper.sweep(DUE, RETENTION)
    assert stored(store) == 10
    assert store.sweeper.sweep(DUE, RETENTION) == 10
    assert stored(store) == 0


def test_the_fault_of_one_tenant_keeps_no_other_from_being_swept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told when all have had their turn, and what is left is swept when it is over."""
    tenants = ["first", "second", "third"]
    for tenant in tenants:
        group = StoredGroup(store, tenant)
        group.add(persona())
        group.drop(now=HIDDEN)
    broken, hold = store.tenants.key("second"), store.tenants.hold

    def holding(tenant: int) -> None:
        if tenant == broken:
            raise UndoneError
        hold(tenant)

    with monkeypatch.context() as patch:
        patch.setattr(store.tenants, "hold", holding)
        with pytest.raises(UndoneError):
            store.sweeper.sweep(DUE, RETENTION)
    assert stored(store) == 1
    assert store.sweeper.sweep(DUE, RETENTION) == 1
    assert stored(store) == 0


def test_a_sweep_that_is_told_to_stop_leaves_the_rest_on_the_list(
    store: Store, group: StoredGroup
) -> None:
    total = FIRST + 10
    group.add(*(persona() for _ in range(total)))
    group.drop(now=HIDDEN)
    assert store.sweeper.sweep(DUE, RETENTION, lambda: True) == FIRST
    assert stored(store) == 10
    assert store.sweeper.sweep(DUE, RETENTION) == 10
