"""Void simulations: readers obey at once, and what is counted follows in parts."""

import random
from collections.abc import Callable

import pytest

from persona.v1 import measures_pb2
from persona.v1.measures_pb2 import Reliability
from persona_server.services.responses import voiding
from persona_server.services.responses.voiding import (
    settle_voids,
    void_responses,
    void_simulation,
)
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.store import Store
from support.answering.erasing import erase, everywhere
from support.answering.looks import LENIENT, Served, reliable, say
from support.answering.measuring import (
    Batch,
    image,
    random_batches,
    raw_image,
    record_all,
    reordered,
)
from support.data import persona
from support.library import ratings
from support.probe import Probe
from support.stored import TENANT, StoredGroup, read

BAD = 1  # what an individual answers in a bad run
NOW = 1_900_000_000_000_000


@pytest.fixture
def group(store: Store) -> StoredGroup:
    """An empty group."""
    return StoredGroup(store)


def void(store: Store, simulation: str) -> None:
    with store.writing(TENANT, None) as repositories:
        void_simulation(repositories, simulation, "a bad run")


def settle(store: Store) -> int:
    """Take out all that is still counted of what is void."""
    return settle_voids(store, lambda: False)


def settle_some(store: Store, steps: int) -> None:
    """Do so in this many transactions at most."""
    left = iter(range(steps))
    settle_voids(store, lambda: next(left, None) is None)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_is_that_of_the_others(
    group: StoredGroup, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Also of answers that were void before, and where one is recorded and voided meanwhile."""
    chance, personas = random.Random(seed), group.add(persona(), persona(), persona())
    batches = random_batches(chance, personas, simulations=8, answers=40)
    bad = sorted({simulation for simulation, _ in batches})[:3]
    kept = [batch for batch in batches if batch.simulation not in bad]
    record_all(group, kept)
    before = image(group.store)
    record_all(group, reordered(chance, [b for b in batches if b.simulation in bad]))
    single = [r.id for s, given in batches if s in bad for r in given if chance.random() < 0.2]
    with group.store.writing(TENANT, None) as repositories:
        void_responses(repositories, single, "bad")
    monkeypatch.setattr(voiding, "CHUNK", 7)
    for simulation in bad:
        void(group.store, simulation)
    extra = [Batch(kept[0].simulation, random_batches(chance, personas, 1, 10)[0].responses)]
    for _ in range(3):
        settle_some(group.store, 2)
        record_all(group, extra)
        ids = [response.id for response in extra[0].responses]
        with group.store.writing(TENANT, None) as repositories:
            void_responses(repositories, ids, "never")
    assert Probe(group.store).count("voiding") > 0
    settle(group.store)
    assert Probe(group.store).count("voiding") == 0
    assert image(group.store) == before
    after = raw_image(group.store)
    list(group.store.rebuild.run(NOW))
    assert raw_image(group.store) == after


def test_a_rebuild_settles(group: StoredGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, personas = random.Random(7), group.add(persona(), persona())
    batches = random_batches(chance, personas, simulations=4, answers=30)
    record_all(group, batches)
    monkeypatch.setattr(voiding, "CHUNK", 5)
    void(group.store, batches[0].simulation)
    settle_some(group.store, 2)
    list(group.store.rebuild.run(NOW))
    after = raw_image(group.store)
    assert settle(group.store) == 0
    assert raw_image(group.store) == after
    assert id_bytes(batches[0].simulation) not in {row[1] for row in after["asked"]}


def test_an_erasure_meanwhile_takes_nothing_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = everywhere(store)
    monkeypatch.setattr(voiding, "CHUNK", 5)
    for raw in Probe(store).values("simulation", "id"):
        void(store, id_text(raw))
        settle_some(store, 1)
        break
    erase(store, person.origin, TENANT)
    settle(store)
    after = raw_image(store)
    list(store.rebuild.run(NOW))
    assert raw_image(store) == after


def without_noise(found: Reliability) -> Reliability:
    """Return a reliability without what is told of others' changes."""
    found.ClearField("reliable_change_count")
    return found


def test_measures_obey_at_once(group: StoredGroup) -> None:
    """The same before and after what is counted has followed, but for noise."""
    one, tag = reliable(group)
    served = Served(group.store, group, LENIENT)
    library = served.promote(one).id
    before = served.reliability(one)
    good = served.timeline(library)
    simulation = "0190b5a4-0000-7000-8000-000000000001"
    say(group, *ratings(id_text(one), tag, BAD, 9), simulation=simulation)
    assert served.reliability(one) != before
    void(group.store, simulation)
    assert without_noise(served.reliability(one)) == without_noise(before)
    found = served.timeline(library)
    told = {t.numeric_shift.reliable_change_reason for t in found.timelines}
    assert told == {measures_pb2.UNDEFINED_REASON_VOIDING}
    assert [list(t.points) for t in found.timelines] == [list(t.points) for t in good.timelines]
    settle(group.store)
    assert served.reliability(one) == before
    assert served.timeline(library) == good


@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize("promoted", ["before", "meanwhile"])
def test_the_library_counts_what_stands(
    group: StoredGroup, monkeypatch: pytest.MonkeyPatch, promoted: str, rebuilt: bool
) -> None:
    """Also of who was promoted before all was taken out, and where a rebuild takes the rest."""
    one, tag = reliable(group)
    served, count = Served(group.store, group, LENIENT), read(group.store).responses.count(one)
    if promoted == "before":
        served.promote(one)
    simulation = "0190b5a4-0000-7000-8000-000000000001"
    say(group, *ratings(id_text(one), tag, BAD, 9), simulation=simulation)
    void(group.store, simulation)
    if promoted == "meanwhile":
        served.promote(one)
    if rebuilt:
        monkeypatch.setattr(voiding, "CHUNK", 5)
        settle_some(group.store, 1)
        list(group.store.rebuild.run(NOW))
    settle(group.store)
    assert Probe(group.store).values("library_persona", "response_count") == [count.recorded]


def test_whoever_answered_waits_for_promotion(group: StoredGroup) -> None:
    one, tag = reliable(group)
    simulation = "0190b5a4-0000-7000-8000-000000000001"
    say(group, *ratings(id_text(one), tag, BAD, 9), simulation=simulation)
    waits: Callable[[], bool] = lambda: read(group.store).promotions.waiting(one)  # noqa: E731
    for queued in read(group.store).promotions.next(b"", 1000):
        with group.store.writing(TENANT, None) as repositories:
            repositories.promotions.done(queued)
    void(group.store, simulation)
    settle_voids(group.store, lambda: False)
    assert waits()
