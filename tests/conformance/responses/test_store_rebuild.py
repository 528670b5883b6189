"""Rebuilding what is derived from answers: to a byte what recording keeps, whatever was damaged."""

import random
from typing import Any, NamedTuple

import pytest

from persona_server.storage.derived import rebuild
from persona_server.storage.store import Store
from support.answering.measuring import (
    image,
    measured,
    random_batches,
    raw_image,
    record_all,
    truth,
)
from support.data import persona, uid
from support.probe import Probe
from support.stored import StoredGroup

NOW = 1_900_000_000_000_000
DAMAGE = (
    ("DELETE FROM series",),
    ("UPDATE series SET pieces = 7",),
    ("UPDATE series SET records = ?", bytes(116)),
    ("DELETE FROM piece",),
    ("UPDATE piece SET number = number + 100",),
    ("UPDATE tally SET counts = ?", bytes(12)),
    ("UPDATE tally SET bucket = bucket + 1",),
    ("DELETE FROM tally",),
    ("UPDATE sums SET moments = '[]', squares = '9'",),
    ("DELETE FROM sums",),
    ("DELETE FROM asked",),
    ("UPDATE asked SET response_count = 7, individual_count = 9",),
    ("DELETE FROM answered",),
    ("UPDATE answered SET earliest = ?", bytes(32)),
    ("DELETE FROM answer_set",),
    ("UPDATE answer_model SET answers = 0",),
    ("UPDATE question SET key = 'x', scale = 'y', declared = '[]'",),
    (
        "INSERT INTO question SELECT id, 1, 'x', 'choice', '[]', ?, '[]', ? FROM tenant",
        bytes(32),
        b"",
    ),
    (
        "INSERT INTO sums SELECT tenant_id, id, (SELECT id FROM simulation LIMIT 1), "
        "'[1,1,1,1,1]', 0, '0', 0 FROM question WHERE kind = 'choice' LIMIT 1",
    ),
)


class Whole(NamedTuple):
    """A store, and what it has from the tests of a module, each of which must leave it so."""

    store: Store
    image: dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def filled(store: Store) -> Store:
    """Answers of two tenants."""
    return fill(store)


@pytest.fixture(scope="module")
def whole(shared_store: Store) -> Whole:
    """The same, of all tests."""
    return Whole(fill(shared_store), raw_image(shared_store))


def fill(store: Store) -> Store:
    """Let two tenants have answers."""
    for seed, tenant in enumerate(("one", "other")):
        group = StoredGroup(store, tenant)
        personas = group.add(*[persona(id=uid()) for _ in range(2)])
        batches = random_batches(random.Random(seed), personas, simulations=12, answers=60)
        record_all(group, batches)
    return store


@pytest.mark.parametrize("chunk", [1, 7, rebuild.CHUNK])
def test_an_intact_state_is_rebuilt_to_the_byte(
    whole: Whole, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "CHUNK", chunk)
    assert all(whole.image.values())
    done = list(whole.store.rebuild.run(NOW))
    assert raw_image(whole.store) == whole.image
    assert [(each.simulations, each.responses) for each in done] == [(12, 720)] * 2
    assert [each.tenant for each in done] == sorted(whole.store.tenants.all())


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_repaired(whole: Whole, damage: tuple[Any, ...]) -> None:
    assert raw_image(whole.store) == whole.image  # as the last test has left it
    Probe(whole.store).change(*damage)
    assert raw_image(whole.store) != whole.image
    list(whole.store.rebuild.run(NOW))
    assert raw_image(whole.store) == whole.image


def test_lost_questions_are_numbered_anew(filled: Store) -> None:
    before = image(filled)
    for table in ("tally", "sums", "question"):
        Probe(filled).change(f"DELETE FROM {table}")  # noqa: S608 (our own names)
    list(filled.rebuild.run(NOW))
    assert image(filled) == before
    for tenant in ("one", "other"):
        assert measured(filled, tenant) == truth(filled, tenant)
    assert min(Probe(filled).values("question", "id")) > NOW // 1000 << 21


def test_recording_goes_on_afterwards(filled: Store) -> None:
    list(filled.rebuild.run(NOW))
    group = StoredGroup(filled, "one")
    personas = group.add(persona())
    record_all(group, random_batches(random.Random(9), personas, simulations=2, answers=40))
    assert measured(filled, "one") == truth(filled, "one")


def test_a_rebuild_that_fails_leaves_everything_as_it_was(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(rebuild, "new_answer", lambda *_response: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(whole.store.rebuild.run(NOW))
    assert raw_image(whole.store) == whole.image
