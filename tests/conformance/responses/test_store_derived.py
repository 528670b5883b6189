"""What is derived from answers: equal to the measures of all answers, however these came."""

import random

import pytest

from persona.v1.response_pb2 import Response
from persona_server.measures.individual.policy import Policy
from persona_server.measures.populations import Numbers
from persona_server.services.library.individuals import Individual, measure
from persona_server.services.responses.recording import record_responses
from persona_server.storage.derived.series import PIECE
from persona_server.storage.keys import id_text
from persona_server.storage.store import Store, Transaction
from support.answering.measuring import (
    PARTICIPATION,
    Batch,
    image,
    measured,
    random_batches,
    record_all,
    reordered,
    truth,
)
from support.answering.recorded import DAY, one, rating, say
from support.answers import answer
from support.data import at, persona, uid
from support.probe import Probe
from support.stored import StoredGroup, rolled_back


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("simulations", "answers"), [(4, 120), (25, 16), (40, 40)])
def test_derived_tables_are_what_the_measures_make_of_all_answers(
    group: StoredGroup, simulations: int, answers: int, seed: int
) -> None:
    """With many answers of an individual in a simulation, and with mostly one, in any order."""
    chance = random.Random(seed)
    personas = group.add(*[persona() for _ in range(4)])
    for batch in random_batches(chance, personas, simulations, answers):
        record_all(group, [batch])
    expected = truth(group.store)
    assert measured(group.store) == expected
    kinds = {type(tally) for each in expected.tallies.values() for tally in each.values()}
    assert kinds == {dict, Numbers}
    assert len(expected.differences) == 6


@pytest.mark.parametrize("seed", range(4))
def test_order_and_cut_of_batches_make_no_difference(store: Store, seed: int) -> None:
    """To a byte, the ids of questions aside, which say in what order they were first asked."""
    chance, given = random.Random(seed), [persona(id=uid()) for _ in range(2)]
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    personas = one.add(*given)
    other.add(*given)
    batches = random_batches(chance, personas, simulations=10, answers=80)
    record_all(one, batches)
    record_all(other, reordered(chance, batches))
    images = {
        tenant: {
            table: [row[1:] for row in found if row[0] == store.tenants.key(tenant)]
            for table, found in image(store).items()
            if table not in PARTICIPATION
        }
        for tenant in ("one", "other")
    }
    assert images["one"] == images["other"]
    assert all(images["one"].values())


def test_answers_in_order_of_time_are_what_they_are_in_any_other(store: Store) -> None:
    """One answer of each individual a simulation, as studies go: across the ends of pieces."""
    given = [persona(id=uid()) for _ in range(2)]
    groups = [StoredGroup(store, name) for name in ("forwards", "backwards")]
    personas, _ = (group.add(*given) for group in groups)
    batches = [
        Batch(uid(), [rated_at(id_text(who), 100 * day + i) for i, who in enumerate(personas)])
        for day in range(2 * PIECE + 2)
    ]
    record_all(groups[0], batches)
    record_all(groups[1], reversed(batches))
    one, other = (measured(store, group.tenant) for group in groups)
    assert one == other == truth(store, "forwards")
    assert len(Probe(store).rows("piece", "number")) == 2 * 2 * 2


def rated_at(who: str, micros: int) -> Response:
    given = {"rating": rating(micros % 7 % 5 + 1), "occurred_at": at(DAY + micros)}
    return answer(who, id=uid(), question_key="nps", **given)


def test_one_at_a_time_and_all_at_once_are_the_same(store: Store) -> None:
    chance, given = random.Random(9), [persona(id=uid())]
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    personas = one.add(*given)
    other.add(*given)
    batches = random_batches(chance, personas, simulations=3, answers=50)
    for simulation, responses in batches:
        record_all(one, [Batch(simulation, [each]) for each in responses])
    record_all(other, batches)
    assert measured(store, "one") == measured(store, "other")


def test_recording_again_counts_nothing_twice(group: StoredGroup) -> None:
    chance, personas = random.Random(3), group.add(persona(), persona())
    batches = random_batches(chance, personas, simulations=2, answers=40)
    record_all(group, batches)
    before = image(group.store)
    record_all(group, batches)
    assert image(group.store) == before


def test_what_is_rolled_back_leaves_nothing(group: StoredGroup) -> None:
    who = one(group)
    say(group, who, 1)
    before = image(group.store)

    def record(repositories: Transaction) -> None:
        new = answer(id_text(who), question_key="other")
        record_responses(repositories, uid(), [new])

    rolled_back(group.store, record)
    assert image(group.store) == before
    say(group, who, 2, question_key="other")
    assert measured(group.store) == truth(group.store)


def test_deleting_personas_changes_nothing(group: StoredGroup) -> None:
    chance, personas = random.Random(4), group.add(persona(), persona())
    record_all(group, random_batches(chance, personas, simulations=2, answers=40))
    before = image(group.store)
    group.hide(personas[0])
    group.drop()
    group.store.sweeper.sweep(2**62, 0)
    assert image(group.store) == before


def test_tenants_are_apart(store: Store) -> None:
    """The same persona ids, the same questions, other answers."""
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    given = [persona(id=uid()) for _ in range(2)]
    personas = one.add(*given)
    other.add(*given)
    record_all(one, random_batches(random.Random(1), personas, simulations=2, answers=60))
    before = measured(store, "one")
    record_all(other, random_batches(random.Random(2), personas, simulations=3, answers=60))
    assert measured(store, "one") == before == truth(store, "one")
    assert measured(store, "other") == truth(store, "other") != before
    assert measured(store, "nobody") == ({}, {}, {}, {})
    with store.snapshot("nobody") as repositories:
        assert repositories.derived.series_of(personas[0]) == {}


def test_reliability_can_be_measured_from_it_alone(group: StoredGroup) -> None:
    """Worked case 2 of the measures: 16 questions, the same answer in 4 simulations."""
    people = group.add(*[persona() for _ in range(6)])
    questions = [f"q{i}" for i in range(16)]
    for _ in range(4):
        given = zip(people, (4, 2, 3, 3, 4, 5), strict=True)
        answers = [
            answer(id_text(who), question_key=q, rating=rating(value))
            for who, value in given
            for q in questions
        ]
        record_all(group, [Batch(uid(), answers)])
    with group.store.snapshot(group.tenant) as repositories:
        found = measure(repositories, Individual(people[0], None), Policy()).reliability
    assert found.estimate is not None
    assert found.estimate.low == pytest.approx(0.810456, abs=5e-7)
    assert len(found.simulations) == 4
