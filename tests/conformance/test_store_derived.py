"""What is derived from answers: equal to the measures of all answers, however these came."""

import random
from typing import Any

import pytest

from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer, Response
from persona_server.measures.answers import Question, set_value
from persona_server.measures.individual.points import Differences
from persona_server.measures.individual.policy import Policy
from persona_server.measures.populations import Numbers
from persona_server.services.library.individuals import measure
from persona_server.services.responses.recording import record_responses
from persona_server.storage.derived.counts import PAIR, unpacked
from persona_server.storage.derived.series import PIECE, RECORD
from persona_server.storage.derived.texts import set_text
from persona_server.storage.keys import dashed, id_bytes, id_text
from persona_server.storage.store import Store, Transaction
from support.answers import answer
from support.data import at, persona, uid
from support.measuring import (
    HIGHEST,
    LOWEST,
    PARTICIPATION,
    Batch,
    image,
    measured,
    random_batches,
    record_all,
    reordered,
    truth,
)
from support.probe import Probe
from support.recorded import DAY, say
from support.stored import StoredGroup, rolled_back

NPS = Question.rating("nps", 1, 5)


def one(group: StoredGroup) -> bytes:
    (added,) = group.add(persona())
    return added


def rating(value: int) -> RatingAnswer:
    return RatingAnswer(value=value, min=1, max=5)


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


def test_a_late_answer_that_is_earlier_takes_the_place_of_the_counted_one(
    group: StoredGroup,
) -> None:
    who, simulation = one(group), uid()
    later = say(group, who, 20, simulation, rating=rating(5))
    assert measured(group.store).tallies == {NPS: {simulation: {5: 1}}}
    earlier = say(group, who, 10, simulation, rating=rating(2))
    found = measured(group.store)
    assert found.tallies == {NPS: {simulation: {2: 1}}}
    series = found.series[id_text(who)][NPS]
    assert [dashed(each.response_id) for each in series] == [earlier.id, later.id]
    assert [each.value for each in series] == [2, 5]
    # One point a simulation, so there is no difference yet.
    assert found.differences == {}


def test_a_late_answer_moves_the_two_differences_beside_its_point(group: StoredGroup) -> None:
    who, first, second, last = one(group), uid(), uid(), uid()
    say(group, who, 10, first, rating=rating(1))
    say(group, who, 30, last, rating=rating(5))
    assert measured(group.store).differences == {NPS: {last: Differences(1, 16 * 10**6, 2 * 10**6)}}
    say(group, who, 20, second, rating=rating(2))
    assert measured(group.store).differences == {
        NPS: {
            second: Differences(1, 1 * 10**6, 2 * 10**6),
            last: Differences(1, 9 * 10**6, 2 * 10**6),
        }
    }


def test_a_second_answer_in_a_simulation_counts_in_the_series_alone(group: StoredGroup) -> None:
    who, simulation = one(group), uid()
    for micros, value in ((1, "a"), (2, "b")):
        say(group, who, micros, simulation, choice=ChoiceAnswer(value=value, options=["a", "b"]))
    found, question = measured(group.store), Question.choice("nps", ["a", "b"])
    assert found.tallies == {question: {simulation: {"a": 1}}}
    assert [each.value for each in found.series[id_text(who)][question]] == ["a", "b"]


def test_rows_that_fall_to_nothing_are_removed(group: StoredGroup) -> None:
    """Of a choice and of a sentiment, whose first answers come after their second ones."""
    who, simulation = one(group), uid()
    for micros, value in ((2, "a"), (1, "b")):
        choice = ChoiceAnswer(value=value, options=["a", "b"])
        say(group, who, micros, simulation, choice=choice)
    (counts,) = Probe(group.store).values("tally", "counts")
    assert list(unpacked(counts)) == [(1, 1)]
    for micros, feeling in ((1, 0.5), (3, 0.1), (2, -1.0)):
        say(group, who, micros, question_key="feeling", sentiment=feeling)
    assert sorted(Probe(group.store).rows("sums", "moments", "differences", "squares")) == [
        (
            "[1,-1000000,1000000000000,-1000000000000000000,1000000000000000000000000]",
            1,
            "2250000000000",
        ),
        ("[1,100000,10000000000,1000000000000000,100000000000000000000]", 1, "1210000000000"),
        ("[1,500000,250000000000,125000000000000000,62500000000000000000000]", 0, "0"),
    ]


def test_sums_of_the_widest_scale_are_exact(group: StoredGroup) -> None:
    """Squares of 32 bits pass int64 with the second answer, their differences with the first."""
    personas, waves = group.add(*[persona() for _ in range(3)]), [uid() for _ in range(3)]
    wide = Question.rating("nps", LOWEST, HIGHEST)
    for micros, (wave, value) in enumerate(zip(waves, (LOWEST, HIGHEST, LOWEST), strict=True)):
        for who in personas:
            given = RatingAnswer(value=value, min=LOWEST, max=HIGHEST)
            say(group, who, micros, wave, rating=given)
    found = measured(group.store)
    low, high = Numbers(3, 3 * LOWEST, 3 * LOWEST**2), Numbers(3, 3 * HIGHEST, 3 * HIGHEST**2)
    assert found.tallies == {wide: dict(zip(waves, (low, high, low), strict=True))}
    moved = Differences(3, 3 * (2**32 - 1) ** 2 * 10**6, 6 * 10**6)
    assert found.differences == {wide: {waves[1]: moved, waves[2]: moved}}
    assert found == truth(group.store)


def test_text_without_themes_is_no_answer(group: StoredGroup) -> None:
    who, simulation = one(group), uid()
    say(group, who, 1, simulation, text="Nothing to say.")
    found = image(group.store)
    assert not any(found[table] for table in ("series", "tally", "sums", "answer_model"))
    say(group, who, 2, simulation, text="Dear.", themes=[" Price", "price "])
    number, tokens, _ = set_text(set_value(["price"]))
    assert measured(group.store).tallies == {Question.themes("nps"): {simulation: {number: 1}}}
    with group.store.snapshot(group.tenant) as repositories:
        assert repositories.derived.items([tokens]) == {tokens: ["price"]}


def test_a_single_option_is_kept_but_not_scored(group: StoredGroup) -> None:
    who = one(group)
    say(group, who, 1, choice=ChoiceAnswer(value="yes", options=["yes"]))
    found = measured(group.store)
    assert list(found.series[id_text(who)]) == [Question.choice("nps", ["yes"])]
    assert found.tallies == {}


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
        found = measure(repositories, people[0], Policy()).reliability
    assert found.estimate is not None
    assert found.estimate.low == pytest.approx(0.810456, abs=5e-7)
    assert len(found.simulations) == 4


def test_no_row_can_pass_its_bound(group: StoredGroup) -> None:
    """A row of a table WITHOUT ROWID that is longer takes pages of its own."""
    who = one(group)
    options, positions = [f"o{i:03}" for i in range(500)], range(1, 102)
    for value in options:
        choice = ChoiceAnswer(value=value, options=options)
        say(group, who, 1 + int(value[1:]), question_key="many", choice=choice)
    simulation = uid()
    for value in (*options, *positions):
        for each in group.add(persona()):
            given: dict[str, Any]
            if isinstance(value, str):
                given = {"choice": ChoiceAnswer(value=value, options=options)}
            else:
                given = {"rating": RatingAnswer(value=value, min=1, max=101)}
            say(group, each, 1, simulation, **given)
    assert max(map(len, Probe(group.store).values("tally", "counts"))) == 101 * PAIR.size
    assert max(map(len, Probe(group.store).values("series", "records"))) <= PIECE * RECORD.size
    assert max(map(len, Probe(group.store).values("piece", "records"))) == PIECE * RECORD.size
    assert max(101 * PAIR.size, PIECE * RECORD.size) + 100 < 2030  # with their keys and lengths
    assert measured(group.store) == truth(group.store)


def test_an_answer_of_who_was_generated_fresh_names_no_library_persona(group: StoredGroup) -> None:
    response = say(group, one(group), 1)
    assert Probe(group.store).rows("response", "id", "library_persona_id") == [
        (id_bytes(response.id), None)
    ]
