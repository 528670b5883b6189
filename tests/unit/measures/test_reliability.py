"""Reliability: worked cases, and what is undefined."""

import pytest

from persona_server.measures.answers import (
    Question,
    set_value,
)
from persona_server.measures.policy import Policy, Status
from persona_server.measures.reasons import Reason
from persona_server.measures.reliability import reliability
from support.individuals import Crowd, Given, histograms, measured, ratings, recorded, six

Q1, Q2 = Question.choice("q1", "ABC"), Question.choice("q2", "ABC")
Q3 = Question.choice("q3", "yn")
CASE_1: Given = {Q1: "AAA", Q2: "ABA", Q3: ["y", "y", None]}
PEERS_1: Crowd = {Q1: "ABCBA", Q2: "AABCC", Q3: "ynnny"}


def test_case_1() -> None:
    result = measured(CASE_1, PEERS_1)
    terms = [(a.term.own, a.term.chance, a.term.weight) for a in result.agreements]
    assert terms == [(0, 0.9, 2), (1, 1, 2), (0, 1.2, 1)]
    estimate = result.estimate
    assert estimate.coefficient == six(0.6)
    assert estimate.question_variance == six(0.084837)
    assert estimate.simulation_variance == six(0.200966)
    assert estimate.lower_bound == -1
    assert (estimate.reason, estimate.lower_bound_reason) == (None, None)
    assert result.simulations == 3
    found = result.contradictions
    assert (found.contradicting_pairs, found.pairs) == (2, 7)
    assert found.rate == six(0.285714)
    assert result.status is Status.INSUFFICIENT_DATA


def test_case_1_without_each_simulation() -> None:
    for left_out, expected in ((0, 0.230769), (1, 1), (2, 0.523810)):
        own = {
            q: [v for i, v in enumerate(values) if i != left_out] for q, values in CASE_1.items()
        }
        assert measured(own, PEERS_1).estimate.coefficient == six(expected)


@pytest.mark.parametrize(
    ("n", "bound", "status"),
    [
        (16, 0.719019, Status.ELIGIBLE),
        (15, 0.701213, Status.ELIGIBLE),
        (14, 0.680977, Status.INSUFFICIENT_DATA),
    ],
)
def test_case_2(n: int, bound: float, status: Status) -> None:
    result = measured(*ratings(n))
    assert {a.term for a in result.agreements} == {(3, 0.0, 0.35)}
    assert result.estimate.coefficient == 1
    assert result.estimate.lower_bound == result.estimate.attainable == six(bound)
    assert result.estimate.simulation_variance == 0
    assert result.status is status
    if n == 16:
        assert result.estimate.question_variance == six(0.006392)


def test_case_2b() -> None:
    result = measured(*ratings(16, 4, 4, 4, 2))
    estimate = result.estimate
    assert result.agreements[-1].term == (3, 0.5, 0.45)
    assert estimate.coefficient == six(0.912281)
    assert estimate.question_variance == six(0.011232)
    assert estimate.simulation_variance == six(0.007605)
    assert estimate.lower_bound == six(0.600617)
    assert result.contradictions.rate == 3 / 96
    assert result.status is Status.NOT_ELIGIBLE
    holds = {rule.name: (rule.figure, rule.limit, rule.holds) for rule in result.rules}
    assert holds == {
        "simulations": (4, 3, True),
        "questions": (16, 15, True),
        "attainable": (estimate.attainable, 0.7, True),
        "lower_bound": (estimate.lower_bound, 0.7, False),
        "contradiction_rate": (3 / 96, 0.2, True),
    }


def test_no_repeated_question() -> None:
    result = measured({Q1: "A"}, PEERS_1)
    assert result.estimate == (estimate := measured({}, {}).estimate)
    assert (estimate.coefficient, estimate.reason) == (None, Reason.NO_REPEATED_QUESTION)
    assert (estimate.lower_bound, estimate.lower_bound_reason) == (
        None,
        Reason.NO_REPEATED_QUESTION,
    )
    assert estimate.attainable is None
    assert (result.contradictions.rate, result.contradictions.reason) == (
        None,
        Reason.NO_COMPARABLE_PAIR,
    )
    assert result.status is Status.INSUFFICIENT_DATA
    assert [rule.holds for rule in result.rules] == [False, False, False, False, True]


@pytest.mark.parametrize("peers", ["", "ABCA"])
def test_too_few_peers(peers: str) -> None:
    result = measured({Q1: "AAA"}, {Q1: peers})
    assert result.estimate.coefficient is None
    assert result.estimate.reason is Reason.TOO_FEW_PEERS
    assert (result.agreements, result.simulations) == ((), 0)


def test_five_peers_are_enough_and_the_own_individual_is_none() -> None:
    assert len(measured({Q1: "AAA"}, {Q1: "ABCAB"}).agreements) == 1
    assert measured({Q1: "AAAAAA"}, {Q1: "ABCA"}).agreements == ()


def test_everybody_alike_is_undefined() -> None:
    result = measured(dict.fromkeys((Q1, Q2), "AAA"), dict.fromkeys((Q1, Q2), "AAAAA"))
    assert result.estimate.coefficient is None
    assert result.estimate.reason is Reason.EVERYBODY_ALIKE
    assert result.estimate.lower_bound_reason is Reason.EVERYBODY_ALIKE
    assert len(result.agreements) == 2
    assert result.status is Status.INSUFFICIENT_DATA


def test_two_simulations_give_no_bound() -> None:
    result = measured({Q1: "AB"}, {Q1: "ABCAB"})
    assert result.estimate.coefficient is not None
    assert result.estimate.lower_bound is None
    assert result.estimate.lower_bound_reason is Reason.UNDEFINED_WITHOUT_A_SIMULATION
    assert result.status is Status.INSUFFICIENT_DATA


def test_many_questions_in_two_simulations_are_insufficient() -> None:
    questions = [Question.choice(f"q{i:02}", "ABC") for i in range(40)]
    result = measured(dict.fromkeys(questions, "AA"), dict.fromkeys(questions, "ABCAB"))
    assert (result.status, result.estimate.lower_bound) == (Status.INSUFFICIENT_DATA, None)


def test_a_single_option_is_not_scored() -> None:
    single = Question.choice("single", "A")
    assert measured({single: "AAA", Q1: "AAA"}, {single: "AAAAA", Q1: "ABCAB"}).agreements == (
        measured({Q1: "AAA"}, {Q1: "ABCAB"}).agreements
    )


def test_empty_sets_agree() -> None:
    sets = Question.choices("sets", "abc")
    empty, full = set_value(""), set_value("abc")
    result = measured({sets: [empty] * 3}, {sets: [[empty], [full], [full], [full], [full]]})
    assert result.agreements[0].term == (2, 0.0, 1.2)
    alike = measured({sets: [empty] * 3}, {sets: [[empty]] * 5})
    assert alike.estimate.reason is Reason.EVERYBODY_ALIKE


def test_only_sets_cannot_contradict() -> None:
    questions = [Question.themes(f"q{i:02}") for i in range(30)]
    values = [[set_value(theme)] for theme in "abcdef"]
    result = measured(
        dict.fromkeys(questions, [set_value("a")] * 4), dict.fromkeys(questions, values)
    )
    assert result.contradictions.rate is None
    assert result.status is Status.ELIGIBLE


def test_mixed_models_are_named() -> None:
    own, peers = ratings(2)
    plain = recorded(own)
    last = plain[-1]._replace(model="m2", prompt_version="p1")
    result = reliability([*plain[:-1], last], histograms(own, peers))
    assert result.mixed_models
    assert result.models == (("", ""), ("m2", "p1"))
    apart = [a._replace(model=a.question.key) for a in plain]
    result = reliability(apart, histograms(own, peers))
    assert (result.mixed_models, result.models) == (False, (("q00", ""), ("q01", "")))


def test_limits_are_settings() -> None:
    given = recorded(ratings(14)[0])
    everyone = histograms(*ratings(14))
    assert reliability(given, everyone, Policy(min_questions=14)).status is Status.INSUFFICIENT_DATA
    lenient = Policy(min_questions=14, min_attainable=0.6, min_lower_bound=0.6)
    assert reliability(given, everyone, lenient).status is Status.ELIGIBLE
    strict = Policy(min_questions=14, min_attainable=0.6, min_lower_bound=0.9)
    assert reliability(given, everyone, strict).status is Status.NOT_ELIGIBLE
    contradicting = ratings(16, 4, 4, 4, 2)
    rated = Policy(min_lower_bound=0.5, max_contradiction_rate=0.03)
    result = reliability(recorded(contradicting[0]), histograms(*contradicting), rated)
    assert result.status is Status.NOT_ELIGIBLE
    assert [rule.name for rule in result.rules if not rule.holds] == ["contradiction_rate"]
    peers = Policy(min_peers=6)
    assert reliability(given, everyone, peers).estimate.reason is Reason.TOO_FEW_PEERS
