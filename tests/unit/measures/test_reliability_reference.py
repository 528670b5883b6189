"""Reliability against a naive reference, and what must not change a bit of it."""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from math import sqrt
from random import Random
from statistics import fmean

import pytest
from scipy import stats

from persona_server.measures.answers import Kind, Question, Value, disagreement, set_value
from persona_server.measures.histogram import Histogram, Moments, increments
from persona_server.measures.reliability import reliability
from support.individuals import Crowd, Given, histograms, measured, ratings, recorded

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
    assert estimate.lower_bound == pytest.approx(naive_bound(own, peers, 5), abs=1e-10)


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
