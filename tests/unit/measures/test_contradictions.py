"""Contradictions and the decision on an individual."""

from collections.abc import Sequence
from itertools import combinations
from random import Random

import pytest

from persona_server.measures.answers import (
    Answer,
    Question,
    Value,
    sentiment_value,
    set_value,
)
from persona_server.measures.contradictions import contradict, contradictions, side
from persona_server.measures.policy import Figures, Policy, Status, decide
from persona_server.measures.reasons import Reason

CHOICE = Question.choice("c", "ABC")
RATING = Question.rating("r", 1, 5)
SENTIMENT = Question.sentiment("s")


def answered(question: Question, values: Sequence[Value]) -> list[Answer]:
    return [Answer(question, f"s{i}", f"r{i}", i, value) for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("question", "value", "expected"),
    [
        (RATING, 1, -1),
        (RATING, 2, -1),
        (RATING, 3, 0),
        (RATING, 4, 1),
        (Question.rating("r", 0, 10), 4, 0),
        (Question.rating("r", 0, 10), 3, -1),
        (Question.rating("r", 1, 4), 2, -1),
        (Question.rating("r", 0, 1), 0, -1),
        (Question.rating("r", -4, 4), 1, 1),
        (SENTIMENT, sentiment_value(0.25), 1),
        (SENTIMENT, sentiment_value(0.249999), 0),
        (SENTIMENT, sentiment_value(-0.25), -1),
        (SENTIMENT, 0, 0),
    ],
)
def test_side_of_the_midpoint(question: Question, value: int, expected: int) -> None:
    assert side(question, value) == expected


def test_what_contradicts() -> None:
    assert contradict(CHOICE, "A", "B")
    assert not contradict(CHOICE, "A", "A")
    assert contradict(RATING, 2, 4)
    assert not contradict(RATING, 3, 5)
    assert not contradict(RATING, 4, 5)
    assert not contradict(Question.choices("m", "ab"), set_value("a"), set_value("b"))


def test_each_question_is_listed_once_with_its_first_pair() -> None:
    ratings = answered(RATING, [3, 4, 5, 2, 1])
    choices = answered(CHOICE, "BBAB")
    steady = answered(Question.choice("d", "ABC"), "AAA")
    sets = answered(Question.choices("m", "ab"), [set_value("a"), set_value("b")])
    result = contradictions([choices, steady, sets, ratings])
    by_choice, by_rating = result.found
    assert (by_choice.first.response_id, by_choice.second.response_id) == ("r0", "r2")
    assert (by_choice.contradicting_pairs, by_choice.pairs) == (3, 6)
    assert (by_rating.first.response_id, by_rating.second.response_id) == ("r1", "r3")
    assert (by_rating.contradicting_pairs, by_rating.pairs) == (4, 10)
    assert (result.contradicting_pairs, result.pairs, result.rate) == (7, 19, 7 / 19)


def test_no_pair_no_rate() -> None:
    result = contradictions([answered(Question.themes("t"), [set_value("a"), set_value("b")])])
    assert (result.found, result.rate, result.reason) == ((), None, Reason.NO_COMPARABLE_PAIR)


@pytest.mark.parametrize("seed", range(20))
def test_pairs_are_counted_as_defined(seed: int) -> None:
    random = Random(seed)
    scales: list[tuple[Question, Sequence[Value]]] = [
        (CHOICE, "ABC"),
        (RATING, range(1, 6)),
        (SENTIMENT, range(-(10**6), 10**6, 99_991)),
    ]
    for question, values in scales:
        answers = answered(question, random.choices(values, k=random.randint(2, 8)))
        pairs = [
            (a, b) for a, b in combinations(answers, 2) if contradict(question, a.value, b.value)
        ]
        result = contradictions([answers])
        assert result.contradicting_pairs == len(pairs)
        if pairs:
            first = min(pairs, key=lambda pair: (pair[1].occurred_at, pair[0].occurred_at))
            assert (result.found[0].first, result.found[0].second) == first


GOOD = Figures(3, 15, 0.7, 0.7, 0.2)


@pytest.mark.parametrize(
    ("figures", "status", "failing"),
    [
        (GOOD, Status.ELIGIBLE, []),
        (GOOD._replace(simulations=2), Status.INSUFFICIENT_DATA, ["simulations"]),
        (GOOD._replace(questions=14), Status.INSUFFICIENT_DATA, ["questions"]),
        (GOOD._replace(attainable=0.69), Status.INSUFFICIENT_DATA, ["attainable"]),
        (GOOD._replace(attainable=None), Status.INSUFFICIENT_DATA, ["attainable"]),
        (GOOD._replace(lower_bound=None), Status.INSUFFICIENT_DATA, ["lower_bound"]),
        (GOOD._replace(lower_bound=0.69), Status.NOT_ELIGIBLE, ["lower_bound"]),
        (GOOD._replace(contradiction_rate=0.21), Status.NOT_ELIGIBLE, ["contradiction_rate"]),
        (GOOD._replace(contradiction_rate=None), Status.ELIGIBLE, []),
        (
            GOOD._replace(simulations=2, lower_bound=-1, contradiction_rate=1),
            Status.INSUFFICIENT_DATA,
            ["simulations", "lower_bound", "contradiction_rate"],
        ),
    ],
)
def test_decision(figures: Figures, status: Status, failing: list[str]) -> None:
    decision = decide(figures, Policy())
    assert decision.status is status
    assert [rule.name for rule in decision.rules if not rule.holds] == failing
    assert [rule.name for rule in decision.rules] == list(Figures._fields)
    assert [rule.figure for rule in decision.rules] == list(figures)
