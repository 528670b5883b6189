"""What each answer does to what is derived: to series, tallies, sums and differences."""

from typing import Any

from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer
from persona_server.measures.answers import Question, set_value
from persona_server.measures.individual.points import Differences
from persona_server.measures.populations import Numbers
from persona_server.storage.derived.counts import PAIR, unpacked
from persona_server.storage.derived.series import PIECE, RECORD
from persona_server.storage.derived.texts import set_text
from persona_server.storage.keys import dashed, id_bytes, id_text
from support.answering.measuring import (
    HIGHEST,
    LOWEST,
    image,
    measured,
    truth,
)
from support.answering.recorded import one, rating, say
from support.data import persona, uid
from support.probe import Probe
from support.stored import StoredGroup

NPS = Question.rating("nps", 1, 5)


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
