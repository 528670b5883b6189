"""Reliability: what is undefined, what is said of it, and the limits."""

import tracemalloc
from collections import Counter
from math import nextafter

import pytest

from persona_server.measures.answers import Question, set_value
from persona_server.measures.individual.crowds import crowd
from persona_server.measures.individual.explanation import explanation, told_apart
from persona_server.measures.individual.policy import Figures, Policy, Status, decide
from persona_server.measures.individual.reliability import Basis, reliability
from persona_server.measures.individual.styles import Styles
from persona_server.measures.reasons import Reason
from support.answering.individuals import (
    ANY_STYLE,
    crowds,
    estimated,
    measured,
    rated,
    recorded,
    six,
)

Q1, Q2 = Question.choice("q1", "ABC"), Question.choice("q2", "ABC")
STYLES = Styles(None, None, None)
ANSWERS = [2, 3, 3, 4, 5]


def test_no_repeated_question() -> None:
    found = measured({Q1: "A"}, {Q1: "ABCBA"})
    assert (found.estimate, found.reason) == (None, Reason.NO_REPEATED_QUESTION)
    assert (found.contradictions.rate, found.contradictions.reason) == (
        None,
        Reason.NO_COMPARABLE_PAIR,
    )
    assert (found.status, found.unseen_share) == (Status.INSUFFICIENT_DATA, None)
    assert [rule.name for rule in found.rules if not rule.holds] == [
        "simulations",
        "questions",
        "attainable",
        "lower_bound",
    ]
    assert explanation(found, Policy()) == (
        "No question was answered in two simulations: ask the same questions again."
    )


@pytest.mark.parametrize(
    ("others", "most", "said"),
    [("", 1, "One individual answered"), ("ABC", 4, "At most 4 individuals answered")],
)
def test_too_few_individuals(others: str, most: int, said: str) -> None:
    found = measured({Q1: "AAA"}, {Q1: others})
    assert (found.estimate, found.reason) == (None, Reason.TOO_FEW_INDIVIDUALS)
    assert (found.questions, found.simulations, found.crowd) == ((), (), (0, 0))
    assert found.most_individuals == most
    text = f"{said} in each of these simulations; five are needed."
    assert explanation(found, Policy()) == text


def test_five_individuals_are_enough_and_this_one_is_among_them() -> None:
    found = measured({Q1: "AAA"}, {Q1: "ABCB"})
    assert (len(found.questions), found.crowd) == (1, (5, 5))


def test_one_simulation_with_others_makes_a_question_comparable() -> None:
    own = {Q1: "AAA"}
    alone = {s: crowd(Q1, Counter("A")) for s in ("s0", "s1")}
    found = reliability(recorded(own), {Q1: {**alone, "s2": crowd(Q1, Counter("AABBC"))}})
    ((weight, own_, chance, _),) = [one.term for one in found.questions]
    assert (weight, own_, chance) == (2, 0, 1.2)
    assert len(found.simulations) == 3


def test_everybody_alike_is_undefined() -> None:
    found = measured(dict.fromkeys((Q1, Q2), "AAA"), dict.fromkeys((Q1, Q2), "AAAAA"))
    assert (found.estimate, found.reason) == (None, Reason.EVERYBODY_ALIKE)
    assert len(found.questions) == 2
    assert found.status is Status.INSUFFICIENT_DATA
    assert "divide people" in explanation(found, Policy())


def test_two_simulations_have_a_bound_over_questions_alone() -> None:
    own, others = rated(60, [4] * 2, ANSWERS)
    found = measured(own, others, ANY_STYLE)
    assert estimated(found).basis is Basis.QUESTIONS
    assert found.status is Status.INSUFFICIENT_DATA
    assert explanation(found, ANY_STYLE) == (
        "2 simulations can be compared, 3 are needed: ask the same questions in more simulations."
    )
    two = Policy(min_simulations=2, max_straight_lining=1, max_acquiescence=1)
    assert measured(own, others, two).status is Status.ELIGIBLE


def test_a_simulation_without_which_nothing_is_left_says_so() -> None:
    """Each question in the first simulation and one other: without the first no pair is left."""
    questions = [Question.rating(f"q{i:02}", 1, 5) for i in range(60)]
    own = {q: [4, *(4 if i % 2 == s else None for s in range(2))] for i, q in enumerate(questions)}
    found = measured(own, dict.fromkeys(questions, (1, 1, 5, 5)), ANY_STYLE)
    assert estimated(found).basis is Basis.QUESTIONS
    assert found.status is Status.INSUFFICIENT_DATA
    assert explanation(found, ANY_STYLE).startswith("Without one of the simulations")


def test_what_would_help_is_said_in_numbers() -> None:
    found = measured(*rated(30, [4] * 3, [4, 4, 4, 4, 5]))
    assert explanation(found, Policy()) == (
        "These questions divide people little (mean e 0.08): 84 such questions are needed, 30 are "
        "there; 57 would do if each were answered in more simulations."
    )
    found = measured(*rated(30, [4] * 10, [4, 4, 4, 4, 5]))
    assert explanation(found, Policy()).endswith("30 are there; more simulations do not help.")


@pytest.mark.parametrize("there", [5, 7, 9, 14])
def test_questions_that_divide_people_are_too_few_and_nothing_else(there: int) -> None:
    """However few of them would let perfect agreement pass: all the rest asks for as many."""
    questions = [Question.choice(f"q{i:02}", "ABCDE") for i in range(there)]
    found = measured(dict.fromkeys(questions, "AAA"), dict.fromkeys(questions, "ABCDE"))
    assert (found.shortfall is not None) == (there < 9)
    assert explanation(found, Policy()) == f"{there} questions can be compared, 15 are needed."


def test_what_would_do_in_more_simulations_is_no_fewer_than_are_needed_at_all() -> None:
    questions = [Question.choice(f"q{i:02}", "AB") for i in range(12)]
    found = measured(dict.fromkeys(questions, "AAA"), dict.fromkeys(questions, "AAAAB"))
    assert found.shortfall is not None
    assert found.shortfall.questions_needed_with_more_simulations == 9
    assert explanation(found, Policy()) == (
        "These questions divide people little (mean e 0.67): 18 such questions are needed, 12 are "
        "there; 15 would do if each were answered in more simulations."
    )


def test_what_is_unreliable_is_said() -> None:
    found = measured(*rated(16, [4] * 4, ANSWERS))
    assert explanation(found, Policy()) == (
        "It gives one position of a scale more often than others do, by 0.80; at most 0.40 is "
        "allowed."
    )
    assert explanation(measured(*rated(16, [4] * 4, ANSWERS), ANY_STYLE), ANY_STYLE) == ""
    found = measured(*rated(30, [1, 5, 3, 1], ANSWERS))
    assert explanation(found, Policy()).startswith("Its answers agree too little: C is above -")


def test_a_figure_that_misses_its_limit_by_little_is_told_apart_from_it() -> None:
    assert told_apart(0.6996, 0.7) == ("0.6996", "0.7000")
    assert told_apart(0.402, 0.4) == ("0.402", "0.400")
    assert told_apart(0.63, 0.7) == ("0.63", "0.70")
    assert told_apart(0.7, 0.7) == ("0.70", "0.70")
    just_below = nextafter(0.7, 0)
    figure, limit = told_apart(just_below, 0.7)
    assert float(figure) == just_below
    assert float(limit) == 0.7


def test_rating_low_is_a_style_as_rating_high_is() -> None:
    """Its figure is negative where the limit is not."""
    found = measured(*rated(16, [2, 1, 2, 1], [1, 4, 5, 2]))
    rule = next(rule for rule in found.rules if rule.name == "acquiescence")
    assert rule.figure is not None
    assert rule.figure < 0
    assert explanation(found, Policy(max_straight_lining=1)) == (
        "It rates above the midpoint more or less often than others do, by 0.50; at most 0.45 is "
        "allowed."
    )


@pytest.mark.parametrize("simulations", [1000, 3000])
def test_memory_grows_with_simulations_and_not_with_their_square(simulations: int) -> None:
    tracemalloc.start()
    try:
        found = measured(*rated(1, [4] * simulations, ANSWERS))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.simulations) == simulations
    assert most < simulations * 2_000  # bytes


def test_a_single_option_is_not_scored() -> None:
    single = Question.choice("single", "A")
    both = measured({single: "AAA", Q1: "AAA"}, {single: "AAAAA", Q1: "ABCAB"})
    assert both.questions == measured({Q1: "AAA"}, {Q1: "ABCAB"}).questions


def test_empty_sets_agree() -> None:
    sets = Question.choices("sets", "abc")
    empty, full = set_value(""), set_value("abc")
    found = measured({sets: [empty] * 3}, {sets: [full] * 4})
    assert found.questions[0].term[:3] == (2, 0.0, six(0.6))
    alike = measured({sets: [empty] * 3}, {sets: [empty] * 5})
    assert alike.reason is Reason.EVERYBODY_ALIKE


def test_only_sets_cannot_contradict() -> None:
    questions = [Question.themes(f"q{i:02}") for i in range(30)]
    others = [set_value(theme) for theme in "abcdef"]
    found = measured(
        dict.fromkeys(questions, [set_value("a")] * 4), dict.fromkeys(questions, others)
    )
    assert found.contradictions.rate is None
    assert found.status is Status.ELIGIBLE


def test_mixed_models_are_named() -> None:
    own, others = rated(2, [4] * 4, ANSWERS)
    plain = recorded(own)
    last = plain[-1]._replace(model="m2", prompt_version="p1")
    found = reliability([*plain[:-1], last], crowds(own, others))
    assert found.mixed_models
    assert found.models == (("", ""), ("m2", "p1"))
    apart = [a._replace(model=a.question.key) for a in plain]
    found = reliability(apart, crowds(own, others))
    assert (found.mixed_models, found.models) == (False, (("q00", ""), ("q01", "")))


def test_limits_are_settings() -> None:
    given = rated(14, [4] * 4, ANSWERS)
    lenient = ANY_STYLE
    assert measured(*given, lenient).status is Status.INSUFFICIENT_DATA
    lenient = Policy(min_questions=14, max_straight_lining=1, max_acquiescence=1)
    assert measured(*given, lenient).status is Status.ELIGIBLE
    for style, strict in (
        ("straight_lining", Policy(max_straight_lining=0.1, max_acquiescence=1)),
        ("acquiescence", Policy(max_straight_lining=1, max_acquiescence=0.1)),
    ):
        found = measured(*rated(15, [4] * 4, ANSWERS), strict)
        assert found.status is Status.NOT_ELIGIBLE
        assert [rule.name for rule in found.rules if not rule.holds] == [style]


GOOD = Figures(3, 15, 0.7, 0.7, True, Styles(0.4, -0.45, 0.35))


@pytest.mark.parametrize(
    ("figures", "status", "failing"),
    [
        (GOOD, Status.ELIGIBLE, []),
        (GOOD._replace(styles=STYLES), Status.ELIGIBLE, []),
        (GOOD._replace(simulations=2), Status.INSUFFICIENT_DATA, ["simulations"]),
        (GOOD._replace(questions=14), Status.INSUFFICIENT_DATA, ["questions"]),
        (GOOD._replace(attainable=0.69), Status.INSUFFICIENT_DATA, ["attainable"]),
        (GOOD._replace(attainable=None), Status.INSUFFICIENT_DATA, ["attainable"]),
        (GOOD._replace(lower_bound=None), Status.INSUFFICIENT_DATA, ["lower_bound"]),
        (GOOD._replace(over_simulations=False), Status.INSUFFICIENT_DATA, []),
        (GOOD._replace(lower_bound=0.69), Status.NOT_ELIGIBLE, ["lower_bound"]),
        (GOOD._replace(styles=Styles(0.41, 0, 0)), Status.NOT_ELIGIBLE, ["straight_lining"]),
        (GOOD._replace(styles=Styles(0, -0.46, 0)), Status.NOT_ELIGIBLE, ["acquiescence"]),
        (GOOD._replace(styles=Styles(0, 0.46, 0)), Status.NOT_ELIGIBLE, ["acquiescence"]),
        (GOOD._replace(styles=Styles(0, 0, 0.36)), Status.NOT_ELIGIBLE, ["first_option"]),
        (
            GOOD._replace(simulations=2, lower_bound=-1, styles=Styles(1, None, None)),
            Status.INSUFFICIENT_DATA,
            ["simulations", "lower_bound", "straight_lining"],
        ),
    ],
)
def test_decision(figures: Figures, status: Status, failing: list[str]) -> None:
    decision = decide(figures, Policy())
    assert decision.status is status
    assert [rule.name for rule in decision.rules if not rule.holds] == failing
    assert [rule.name for rule in decision.rules] == [
        "simulations", "questions", "attainable", "lower_bound", *Styles._fields,
    ]  # fmt: skip
    assert [rule.figure for rule in decision.rules] == [*figures[:4], *figures.styles]
