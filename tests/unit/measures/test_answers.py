"""Canonical values and disagreement."""

from itertools import product
from statistics import fmean

import pytest

from persona_server.measures.answers import (
    Answer,
    Question,
    first_answers,
    sentiment_value,
    set_items,
    set_value,
    themes_value,
)
from support.answering.individuals import disagreement

CHOICES = Question.choices("q", "abc")
THEMES = Question.themes("q")


@pytest.mark.parametrize(
    ("question", "a", "b", "expected"),
    [
        (Question.choice("q", "ABC"), "A", "A", 0),
        (Question.choice("q", "ABC"), "A", "B", 1.5),
        (Question.choice("q", "yn"), "y", "n", 2),
        (Question.rating("q", 1, 5), 2, 4, 1),
        (Question.rating("q", 0, 10), 3, 3, 0),
        (Question.rating("q", -2, 2), -2, 2, 4),
        (Question.sentiment("q"), sentiment_value(-1), sentiment_value(1), 6),
        (Question.sentiment("q"), sentiment_value(0.25), sentiment_value(0.75), 0.375),
        (CHOICES, set_value("ab"), set_value("bc"), 1),
        (CHOICES, set_value(""), set_value(""), 0),
        (CHOICES, set_value(""), set_value("a"), 1.5),
        (THEMES, themes_value([" Price ", "STRASSE"]), themes_value(["straße", "price"]), 0),
    ],
)
def test_disagreement(question: Question, a: int | str, b: int | str, expected: float) -> None:
    assert disagreement(question, a, b) == expected
    assert disagreement(question, b, a) == expected


@pytest.mark.parametrize(
    ("question", "values"),
    [
        (Question.choice("q", "ABCD"), list("ABCD")),
        (Question.choice("q", "yn"), list("yn")),
        (Question.rating("q", 1, 5), list(range(1, 6))),
        (Question.rating("q", 0, 100), list(range(101))),
    ],
)
def test_uniformly_random_answers_disagree_by_one(
    question: Question, values: list[int | str]
) -> None:
    pairs = product(values, repeat=2)
    assert fmean(disagreement(question, a, b) for a, b in pairs) == pytest.approx(1)


def test_sets_have_one_canonical_value() -> None:
    assert set_value(["b", "a", "b"]) == set_value(["a", "b"])
    assert set_items(set_value(["b", "a"])) == {"a", "b"}
    assert set_value([]) != set_value([""])
    assert set_items(set_value([])) == frozenset()
    assert set_items(set_value(["", "a, b"])) == {"", "a, b"}
    with pytest.raises(ValueError, match=r"U\+001F"):
        set_value(["a\x1fb"])


@pytest.mark.parametrize("themes", [[], ["", "  "]])
def test_text_without_themes_is_not_an_answer(themes: list[str]) -> None:
    assert themes_value(themes) is None


def test_sentiment_is_a_whole_number_of_millionths() -> None:
    assert sentiment_value(-0.123457) == -123457
    for refused in (0.1234567, 1.000001, -2.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="sentiment"):
            sentiment_value(refused)
    assert all(sentiment_value(i / 10**6) == i for i in range(-(10**6), 10**6, 997))


def test_another_scale_is_another_question() -> None:
    assert Question.choice("q", ["b", "a"]) == Question.choice("q", ["a", "b", "a"])
    questions = [
        Question.choice("q", "ab"),
        Question.choice("q", "abc"),
        Question.choices("q", "ab"),
        Question.rating("q", 1, 5),
        Question.rating("q", 1, 7),
        Question.sentiment("q"),
        Question.themes("q"),
    ]
    assert len(set(questions)) == len({q.scale for q in questions}) == len(questions)
    assert Question.rating("q", 1, 5).scale == '["rating", 1, 5]'


@pytest.mark.parametrize(
    ("question", "scored"),
    [
        (Question.choice("q", "a"), False),
        (Question.choice("q", "ab"), True),
        (Question.rating("q", 3, 3), False),
        (Question.rating("q", 3, 4), True),
        (Question.sentiment("q"), True),
        (Question.themes("q"), True),
    ],
)
def test_scored(question: Question, scored: bool) -> None:
    assert question.scored is scored


def test_the_first_answer_of_a_simulation_counts() -> None:
    q, other = Question.rating("b", 1, 5), Question.rating("a", 1, 5)
    unscored = Question.choice("c", "x")
    late = Answer(q, "s1", "r1", 20, 1)
    first = Answer(q, "s1", "r3", 10, 2)
    tied = Answer(q, "s1", "r4", 10, 3)
    elsewhere = Answer(q, "s0", "r0", 15, 4)
    another = Answer(other, "s1", "r5", 30, 5)
    single = Answer(unscored, "s1", "r6", 1, "x")
    given = [late, tied, single, first, elsewhere, another]
    expected = {other: (another,), q: (first, elsewhere)}
    assert first_answers(given) == first_answers(reversed(given)) == expected
    assert list(first_answers(given)) == [other, q]
