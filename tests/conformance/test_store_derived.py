"""What is derived from answers: equal to the measures of all answers, however these came."""

import random

import pytest

from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer, Response
from persona_server.measures.answers import Question
from persona_server.measures.histogram import Histogram, Moment, Moments
from persona_server.measures.points import Noise
from persona_server.measures.reliability import reliability
from persona_server.services.responses.recording import record_responses
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.store import Store, Transaction
from support.answers import answer
from support.data import persona, uid
from support.measuring import (
    HIGHEST,
    LOWEST,
    Batch,
    image,
    measured,
    random_batches,
    record_all,
    reordered,
    truth,
)
from support.probe import Probe
from support.recorded import say
from support.stored import StoredGroup, rolled_back

NPS = Question.rating("nps", 1, 5)


def one(group: StoredGroup) -> bytes:
    (added,) = group.add(persona())
    return added


def rating(value: int) -> RatingAnswer:
    return RatingAnswer(value=value, min=1, max=5)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("simulations", "answers"), [(4, 120), (25, 16)])
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
    assert {type(one) for one in expected.everyone.values()} == {Histogram, Moments}
    assert len(expected.noise) == 6


@pytest.mark.parametrize("seed", range(6))
def test_order_and_cut_of_batches_make_no_difference(store: Store, seed: int) -> None:
    """To a byte, the ids of questions aside, which say in what order they were first asked."""
    chance, given = random.Random(seed), [persona(id=uid()) for _ in range(3)]
    one, other = StoredGroup(store, "one"), StoredGroup(store, "other")
    personas = one.add(*given)
    other.add(*given)
    batches = random_batches(chance, personas, simulations=5, answers=60)
    record_all(one, batches)
    record_all(other, reordered(chance, batches))
    images = {
        tenant: {
            table: [row[1:] for row in found if row[0] == store.tenants.key(tenant)]
            for table, found in image(store).items()
        }
        for tenant in ("one", "other")
    }
    assert images["one"] == images["other"]
    assert all(images["one"].values())


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


def test_a_late_answer_that_is_earlier_takes_the_place_of_the_counted_one(
    group: StoredGroup,
) -> None:
    who, simulation = one(group), uid()
    later = say(group, who, 20, simulation, rating=rating(5))
    assert measured(group.store).everyone == {NPS: Moments({1: Moment(1, 5, 25)})}
    earlier = say(group, who, 10, simulation, rating=rating(2))
    found = measured(group.store)
    assert found.everyone == {NPS: Moments({1: Moment(1, 2, 4)})}
    series = found.series[id_text(who)][NPS]
    assert [each.response_id for each in series] == [earlier.id, later.id]
    assert [each.value for each in series] == [2, 5]
    # One point a simulation, so there is no difference yet.
    assert found.noise == {NPS: Noise(0, 0, 0)}


def test_a_second_answer_in_a_simulation_counts_in_the_series_alone(group: StoredGroup) -> None:
    who, simulation = one(group), uid()
    for micros, value in ((1, "a"), (2, "b")):
        say(group, who, micros, simulation, choice=ChoiceAnswer(value=value, options=["a", "b"]))
    found, question = measured(group.store), Question.choice("nps", ["a", "b"])
    assert found.everyone == {question: Histogram({("a", 1): 1})}
    assert [each.value for each in found.series[id_text(who)][question]] == ["a", "b"]


def test_rows_that_fall_to_nothing_are_removed(group: StoredGroup) -> None:
    who = one(group)
    for micros, value in enumerate("aba"):
        say(group, who, micros, choice=ChoiceAnswer(value=value, options=["a", "b"]))
        say(group, who, micros, question_key="number", rating=rating(micros + 1))
    assert sorted(Probe(group.store).rows("histogram", "value", "m", "answers")) == [
        ("a", 3, 2),
        ("b", 3, 1),
    ]
    assert Probe(group.store).rows("sums", "moments", "squares", "differences", "individuals") == [
        ("[[3,3,6,14]]", "2000000", 2, 1)
    ]


def test_sums_of_the_widest_scale_are_exact(group: StoredGroup) -> None:
    """Squares of 32 bits pass int64 with the second answer, their differences with the first."""
    personas = group.add(*[persona() for _ in range(3)])
    wide = Question.rating("nps", LOWEST, HIGHEST)
    for micros, value in enumerate((LOWEST, HIGHEST, LOWEST)):
        for who in personas:
            say(group, who, micros, rating=RatingAnswer(value=value, min=LOWEST, max=HIGHEST))
    found = measured(group.store)
    total, squares = 2 * LOWEST + HIGHEST, 2 * LOWEST**2 + HIGHEST**2
    assert found.everyone == {wide: Moments({3: Moment(9, 3 * total, 3 * squares)})}
    assert found.noise == {wide: Noise(6 * (2**32 - 1) ** 2 * 10**6, 6, 3)}
    assert found == truth(group.store)


def test_text_without_themes_is_no_answer(group: StoredGroup) -> None:
    who = one(group)
    say(group, who, 1, text="Nothing to say.")
    assert all(not found for found in image(group.store).values())
    say(group, who, 2, text="Dear.", themes=[" Price", "price "])
    assert measured(group.store).everyone == {
        Question.themes("nps"): Histogram({("price\x1f", 1): 1})
    }


def test_a_single_option_is_kept_but_not_scored(group: StoredGroup) -> None:
    who = one(group)
    say(group, who, 1, choice=ChoiceAnswer(value="yes", options=["yes"]))
    found = measured(group.store)
    assert list(found.series[id_text(who)]) == [Question.choice("nps", ["yes"])]
    assert found.everyone == {}


def test_options_are_a_set_and_another_scale_is_another_question(group: StoredGroup) -> None:
    who = one(group)
    for micros, options in enumerate((["a", "b"], ["b", "a"], ["a", "b", "c"])):
        say(group, who, micros, choice=ChoiceAnswer(value="a", options=options))
    say(group, who, 5, rating=rating(3))
    say(group, who, 6, rating=RatingAnswer(value=3, min=0, max=5))
    series = measured(group.store).series[id_text(who)]
    # In the order in which they were first asked.
    assert [(question, len(given)) for question, given in series.items()] == [
        (Question.choice("nps", "ab"), 2),
        (Question.choice("nps", "abc"), 1),
        (NPS, 1),
        (Question.rating("nps", 0, 5), 1),
    ]


def test_models_and_prompts_are_those_of_each_answer(group: StoredGroup) -> None:
    who = one(group)
    given = [("", ""), ("m", "v1"), ("m", "v2"), ("m", "v1"), ("größe", "\\ \" '")]
    for micros, (model, prompt_version) in enumerate(given):
        say(group, who, micros, model=model, prompt_version=prompt_version)
    found = measured(group.store).series[id_text(who)][NPS]
    assert [(each.model, each.prompt_version) for each in found] == given


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
    assert measured(store, "nobody") == ({}, {}, {})
    with store.snapshot("nobody") as repositories:
        assert repositories.derived.series_of(personas[0]) == {}


def test_reliability_can_be_measured_from_it_alone(group: StoredGroup) -> None:
    """Worked case 2 of the measures: 16 questions, the same answer in 4 simulations."""
    who, *peers = group.add(*[persona() for _ in range(6)])
    questions = [f"q{i}" for i in range(16)]

    def ask(persona_id: bytes, value: int) -> list[Response]:
        return [
            answer(id_text(persona_id), question_key=q, rating=rating(value)) for q in questions
        ]

    values = zip(peers, (2, 3, 3, 4, 5), strict=True)
    record_all(group, [Batch(uid(), [a for one, v in values for a in ask(one, v)])])
    record_all(group, [Batch(uid(), ask(who, 4)) for _ in range(4)])
    with group.store.snapshot(group.tenant) as repositories:
        series = repositories.derived.series_of(who)
        everyone = repositories.derived.everyone(who)
    found = reliability((a for given in series.values() for a in given), everyone)
    assert found.estimate.lower_bound == pytest.approx(0.719019, abs=5e-7)
    assert (found.status, found.simulations) == ("ELIGIBLE", 4)


def test_an_answer_of_who_was_generated_fresh_names_no_library_persona(group: StoredGroup) -> None:
    response = say(group, one(group), 1)
    assert Probe(group.store).rows("response", "id", "library_persona_id") == [
        (id_bytes(response.id), None)
    ]
