"""Reliability: worked cases, what is undefined, and a naive reference."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import permutations
from math import sqrt
from random import Random
from statistics import fmean

import pytest
from scipy import stats

from persona_server.measures.answers import (
    Answer,
    Kind,
    Question,
    Value,
    disagreement,
    set_value,
)
from persona_server.measures.histogram import Histogram, Moments, increments
from persona_server.measures.policy import Policy, Status
from persona_server.measures.reasons import Reason
from persona_server.measures.reliability import Reliability, reliability

Given = Mapping[Question, Sequence[Value | None]]  # one value per simulation, None: no answer
Crowd = Mapping[Question, Sequence[Sequence[Value]]]  # other individuals, each with its answers


def recorded(own: Given) -> list[Answer]:
    return [
        Answer(question, f"s{i}", f"{question.key}-{i}", i, value)
        for question, values in own.items()
        for i, value in enumerate(values)
        if value is not None
    ]


def histograms(own: Given, peers: Crowd) -> dict[Question, Histogram]:
    stored = {}
    for question, values in own.items():
        mine = Counter(value for value in values if value is not None)
        stored[question] = Histogram.of([mine, *map(Counter, peers.get(question, ()))])
    return stored


def measured(own: Given, peers: Crowd) -> Reliability:
    return reliability(recorded(own), histograms(own, peers))


def six(value: float) -> object:
    return pytest.approx(value, abs=5.1e-7)


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
    assert estimate.bound == -1
    assert (estimate.reason, estimate.bound_reason) == (None, None)
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


def ratings(n: int, *last: int | None) -> tuple[Given, Crowd]:
    questions = [Question.rating(f"q{i:02}", 1, 5) for i in range(n)]
    own: dict[Question, Sequence[Value | None]] = {q: [4, 4, 4, 4] for q in questions}
    own[questions[-1]] = last or [4, 4, 4, 4]
    return own, {q: [[2], [3], [3], [4], [5]] for q in questions}


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
    assert result.estimate.bound == result.estimate.attainable == six(bound)
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
    assert estimate.bound == six(0.600617)
    assert result.contradictions.rate == 3 / 96
    assert result.status is Status.NOT_ELIGIBLE
    holds = {rule.name: (rule.figure, rule.limit, rule.holds) for rule in result.rules}
    assert holds == {
        "simulations": (4, 3, True),
        "questions": (16, 15, True),
        "attainable": (estimate.attainable, 0.7, True),
        "bound": (estimate.bound, 0.7, False),
        "contradiction_rate": (3 / 96, 0.2, True),
    }


def test_no_repeated_question() -> None:
    result = measured({Q1: "A"}, PEERS_1)
    assert result.estimate == (estimate := measured({}, {}).estimate)
    assert (estimate.coefficient, estimate.reason) == (None, Reason.NO_REPEATED_QUESTION)
    assert (estimate.bound, estimate.bound_reason) == (None, Reason.NO_REPEATED_QUESTION)
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
    assert result.estimate.bound_reason is Reason.EVERYBODY_ALIKE
    assert len(result.agreements) == 2
    assert result.status is Status.INSUFFICIENT_DATA


def test_two_simulations_give_no_bound() -> None:
    result = measured({Q1: "AB"}, {Q1: "ABCAB"})
    assert result.estimate.coefficient is not None
    assert result.estimate.bound is None
    assert result.estimate.bound_reason is Reason.UNDEFINED_WITHOUT_A_SIMULATION
    assert result.status is Status.INSUFFICIENT_DATA


def test_many_questions_in_two_simulations_are_insufficient() -> None:
    questions = [Question.choice(f"q{i:02}", "ABC") for i in range(40)]
    result = measured(dict.fromkeys(questions, "AA"), dict.fromkeys(questions, "ABCAB"))
    assert (result.status, result.estimate.bound) == (Status.INSUFFICIENT_DATA, None)


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
    lenient = Policy(min_questions=14, min_attainable=0.6, min_bound=0.6)
    assert reliability(given, everyone, lenient).status is Status.ELIGIBLE
    strict = Policy(min_questions=14, min_attainable=0.6, min_bound=0.9)
    assert reliability(given, everyone, strict).status is Status.NOT_ELIGIBLE
    contradicting = ratings(16, 4, 4, 4, 2)
    rated = Policy(min_bound=0.5, max_contradiction_rate=0.03)
    result = reliability(recorded(contradicting[0]), histograms(*contradicting), rated)
    assert result.status is Status.NOT_ELIGIBLE
    assert [rule.name for rule in result.rules if not rule.holds] == ["contradiction_rate"]
    peers = Policy(min_peers=6)
    assert reliability(given, everyone, peers).estimate.reason is Reason.TOO_FEW_PEERS


VALUES: dict[Kind, Sequence[Value]] = {
    Kind.CHOICE: "ABCD",
    Kind.RATING: range(1, 8),
    Kind.SENTIMENT: range(-(10**6), 10**6, 123_457),
    Kind.CHOICES: [set_value(s) for s in ("", "a", "ab", "abc", "bcd", "d")],
    Kind.THEMES: [set_value(s) for s in ("x", "xy", "yz", "xyz", "uvw")],
}


def mixed(
    seed: int,
) -> tuple[dict[Question, list[Value | None]], dict[Question, list[list[Value]]]]:
    """Answer 20 questions in 5 simulations with gaps, as one individual and as eight others."""
    random = Random(seed)
    makers = [
        lambda key: Question.choice(key, "ABCD"),
        lambda key: Question.rating(key, 1, 7),
        Question.sentiment,
        lambda key: Question.choices(key, "abcd"),
        Question.themes,
    ]
    questions = [makers[i % 5](f"q{i:02}") for i in range(20)]
    own, peers = {}, {}
    for question in questions:
        values = VALUES[question.kind]
        steady = random.choice(values)
        own[question] = [
            None
            if random.random() < 0.1
            else random.choice([steady, steady, random.choice(values)])
            for _ in range(5)
        ]
        peers[question] = [random.choices(values, k=random.randint(1, 5)) for _ in range(8)]
    return own, peers


def naive_coefficient(own: Given, peers: Crowd) -> tuple[float, list[tuple[float, float, float]]]:
    """C and its terms, by the definition."""
    terms = []
    for question, values in own.items():
        given = [value for value in values if value is not None]
        m = len(given)
        if m < 2:
            continue
        d = fmean(disagreement(question, a, b) for a, b in permutations(given, 2))
        e = fmean(
            fmean(fmean(disagreement(question, a, b) for b in other) for other in peers[question])
            for a in given
        )
        terms.append((m - 1.0, d, e))
    return 1 - sum(w * d for w, d, _ in terms) / sum(w * e for w, _, e in terms), terms


def naive_bound(own: Given, peers: Crowd, simulations: int) -> float:
    _, terms = naive_coefficient(own, peers)
    n = len(terms)
    prior = max(1.5, sum(w for w, _, _ in terms) / (2 * n))
    terms.append((prior, 1.0, 1.0))
    e = sum(w * e for w, _, e in terms)
    ratio = sum(w * d for w, d, _ in terms) / e
    v_q = (n + 1) / n * sum((w * (d - ratio * e)) ** 2 for w, d, e in terms) / e**2
    without = [
        naive_coefficient(
            {q: [v for i, v in enumerate(values) if i != s] for q, values in own.items()}, peers
        )[0]
        for s in range(simulations)
    ]
    v_s = (simulations - 1) * fmean((c - fmean(without)) ** 2 for c in without)
    t = stats.t.ppf(0.95, n)
    return float(max(-1, 1 - (sqrt(ratio) + t * sqrt(max(v_q, v_s)) / (2 * sqrt(ratio))) ** 2))


@pytest.mark.parametrize("seed", range(8))
def test_equals_the_naive_reference(seed: int) -> None:
    own, peers = mixed(seed)
    estimate = measured(own, peers).estimate
    assert estimate.coefficient == pytest.approx(naive_coefficient(own, peers)[0], abs=1e-12)
    assert estimate.bound == pytest.approx(naive_bound(own, peers, 5), abs=1e-10)


@pytest.mark.parametrize("seed", range(4))
def test_order_changes_no_bit(seed: int) -> None:
    own, peers = mixed(seed)
    answers, everyone = recorded(own), histograms(own, peers)
    expected = reliability(answers, everyone)
    random = Random(seed)
    for _ in range(5):
        shuffled = random.sample(answers, len(answers))
        rows = {
            q: Histogram(dict(random.sample(list(h.counts.items()), len(h.counts))))
            for q, h in random.sample(list(everyone.items()), len(everyone))
        }
        assert reliability(shuffled, rows) == expected


def test_moments_and_histograms_change_no_bit() -> None:
    own, peers = mixed(1)
    everyone: dict[Question, Histogram | Moments] = dict(histograms(own, peers))
    expected = measured(own, peers)
    for question, values in own.items():
        if question.kind.numeric:
            mine = Counter(value for value in values if value is not None)
            everyone[question] = Moments.of([mine, *map(Counter, peers[question])])
    assert reliability(recorded(own), everyone) == expected


def test_a_thousand_times_the_peers_give_the_same_figures() -> None:
    own, peers = mixed(2)
    answers = recorded(own)
    everyone = {}
    for question, histogram in histograms(own, peers).items():
        mine = Counter(a.value for a in answers if a.question == question)
        others = histogram.without(mine).counts
        many = Histogram({row: 1000 * count for row, count in others.items()})
        everyone[question] = many.plus(increments({}, mine))
    assert reliability(answers, everyone).estimate == measured(own, peers).estimate


def test_more_agreement_never_lowers_the_coefficient() -> None:
    own, peers = ratings(16)
    coefficients = []
    for lapses in range(5):
        given = {**own, **{q: [4, 4, 4, 3] for q in list(own)[:lapses]}}
        coefficients.append(measured(given, peers).estimate.coefficient or 0.0)
    assert coefficients == sorted(coefficients, reverse=True)
    assert len(set(coefficients)) == 5


def test_peers_that_differ_more_raise_the_coefficient() -> None:
    own, _ = ratings(16, 4, 4, 4, 2)
    near, far = (dict.fromkeys(own, peers) for peers in (tuple("34445"), tuple("11455")))
    by_near, by_far = (
        measured(own, {q: [[int(v)] for v in values] for q, values in peers.items()}).estimate
        for peers in (near, far)
    )
    assert by_near.coefficient is not None
    assert by_far.coefficient is not None
    assert by_near.coefficient < by_far.coefficient
