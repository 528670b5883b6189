"""Reliability against a naive reference, and what must not change a bit of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from math import sqrt
from random import Random
from statistics import fmean

import pytest
from scipy import stats

from persona_server.measures.answers import Answer, Kind, Question, Value, set_value
from persona_server.measures.individual.crowds import crowd
from persona_server.measures.individual.reliability import Crowds, reliability
from persona_server.measures.populations import Numbers
from support.answering.individuals import disagreement, estimated, measured, rated, recorded

SIMULATIONS = 5
VALUES: dict[Kind, Sequence[Value]] = {
    Kind.CHOICE: "ABCD",
    Kind.RATING: range(1, 8),
    Kind.SENTIMENT: range(-(10**6), 10**6, 123_457),
    Kind.CHOICES: [set_value(s) for s in ("", "a", "ab", "abc", "bcd", "d")],
    Kind.THEMES: [set_value(s) for s in ("x", "xy", "yz", "xyz", "uvw")],
}
Term = tuple[float, float, float, float]  # ω, d, e, u
Given = dict[Question, dict[int, Value]]  # by simulation
Present = dict[Question, dict[int, list[Value]]]  # everybody by simulation, this one included


def mixed(seed: int) -> tuple[Given, Present]:
    """Answer 20 questions in 5 simulations with gaps, as one of up to nine individuals."""
    random = Random(seed)
    makers = [
        lambda key: Question.choice(key, "ABCD"),
        lambda key: Question.rating(key, 1, 7),
        Question.sentiment,
        lambda key: Question.choices(key, "abcd"),
        Question.themes,
    ]
    own: Given = {}
    present: Present = {}
    for i in range(20):
        question = makers[i % 5](f"q{i:02}")
        values = VALUES[question.kind]
        steady = random.choice(values)
        own[question] = {
            s: random.choice([steady, steady, random.choice(values)])
            for s in range(SIMULATIONS)
            if random.random() < 0.9
        }
        present[question] = {
            s: [value, *random.choices(values, k=random.randint(3, 8))]
            for s, value in own[question].items()
        }
    return own, present


def crowded(present: Present) -> Crowds:
    return {
        question: {f"s{s}": crowd(question, Counter(values)) for s, values in simulations.items()}
        for question, simulations in present.items()
    }


def answers_of(own: Given) -> list[Answer]:
    return recorded({q: [given.get(s) for s in range(SIMULATIONS)] for q, given in own.items()})


def pairs(question: Question, values: Sequence[Value]) -> Iterator[float]:
    return (disagreement(question, a, b) for a, b in permutations(values, 2))


def naive_terms(
    own: Given, present: Present, left_out: int = -1
) -> list[tuple[float, float, float, float]]:
    """(ω, d, e, u) of each comparable question, by the definition."""
    terms = []
    for question, by_simulation in own.items():
        given = {s: value for s, value in by_simulation.items() if s != left_out}
        chance = [
            fmean(pairs(question, present[question][s]))
            for s in given
            if len(present[question][s]) >= 5
        ]
        if len(given) >= 2 and chance:
            unit = 4 / 3 if question.kind is Kind.CHOICE else 1.0
            own_d = fmean(pairs(question, list(given.values())))
            terms.append((len(given) - 1.0, own_d, fmean(chance), unit))
    return terms


def naive_coefficient(terms: Sequence[Term]) -> float:
    return 1 - sum(w * d for w, d, _, _ in terms) / sum(w * e for w, _, e, _ in terms)


def naive_interval(own: Given, present: Present) -> tuple[float, float]:
    terms = naive_terms(own, present)
    n, total = len(terms), sum(term[0] for term in terms)
    unit = sum(w * u for w, _, _, u in terms) / total
    prior = max(1.5, 1.125 * unit, total / (2 * n))
    with_prior = [*terms, (prior, 1.0, 1.0, 1.0)]
    e = sum(w * e for w, _, e, _ in with_prior)
    ratio = sum(w * d for w, d, _, _ in with_prior) / e
    v_q = (n + 1) / n * sum((w * (d - ratio * e)) ** 2 for w, d, e, _ in with_prior) / e**2
    without = [naive_coefficient(naive_terms(own, present, left_out=s)) for s in range(SIMULATIONS)]
    v_s = (SIMULATIONS - 1) * fmean((c - fmean(without)) ** 2 for c in without)
    margin = stats.t.ppf(0.95, n) * sqrt(max(v_q, v_s)) / (2 * sqrt(ratio))
    plain = sqrt(1 - naive_coefficient(terms))
    low, high = 1 - (sqrt(ratio) + margin) ** 2, 1 - max(0, plain - margin) ** 2
    return float(max(-1, low)), float(max(-1, high))


@pytest.mark.parametrize("seed", range(8))
def test_equals_the_naive_reference(seed: int) -> None:
    own, present = mixed(seed)
    estimate = estimated(reliability(answers_of(own), crowded(present)))
    terms = naive_terms(own, present)
    assert estimate.coefficient == pytest.approx(naive_coefficient(terms), abs=1e-12)
    assert (estimate.low, estimate.high) == pytest.approx(naive_interval(own, present), abs=1e-10)
    total = sum(term[0] for term in terms)
    assert estimate.mean_chance == pytest.approx(sum(w * e for w, _, e, _ in terms) / total)


@pytest.mark.parametrize("seed", range(4))
def test_order_changes_no_bit(seed: int) -> None:
    own, present = mixed(seed)
    answers, expected = answers_of(own), reliability(answers_of(own), crowded(present))
    random = Random(seed)
    for _ in range(5):
        shuffled = {
            q: dict(random.sample([(s, shuffle(random, v)) for s, v in by.items()], len(by)))
            for q, by in random.sample(list(present.items()), len(present))
        }
        found = reliability(random.sample(answers, len(answers)), crowded(shuffled))
        assert (found.estimate, found.status) == (expected.estimate, expected.status)


@pytest.mark.parametrize("seed", range(4))
def test_styles_equal_the_naive_reference_in_crowds_of_any_size(seed: int) -> None:
    random = Random(seed)
    questions = [Question.rating(f"q{i:02}", 1, 5) for i in range(16)]
    own: Given = {q: {s: random.randint(2, 5) for s in range(3)} for q in questions}
    present: Present = {
        q: {s: [v, *random.choices(range(1, 6), k=random.randint(3, 9))] for s, v in by.items()}
        for q, by in own.items()
    }
    expected = [naive_style(own, present, {position}) for position in range(1, 6)]
    found = reliability(answers_of(own), crowded(present)).styles
    assert found.straight_lining == pytest.approx(max(expected), abs=1e-12)
    assert found.acquiescence == pytest.approx(naive_style(own, present, {4, 5}), abs=1e-12)
    backwards = {q: dict(reversed(by.items())) for q, by in reversed(present.items())}
    assert reliability(answers_of(own)[::-1], crowded(backwards)).styles == found


def naive_style(own: Given, present: Present, values: set[Value]) -> float:
    """Return own - others' mean share of some values, where at least five answered."""
    more = []
    for question, by_simulation in own.items():
        for simulation, value in by_simulation.items():
            others = list(present[question][simulation])
            if len(others) >= 5:
                others.remove(value)
                more.append((value in values) - fmean(other in values for other in others))
    return fmean(more)


def shuffle(random: Random, values: Sequence[Value]) -> list[Value]:
    return random.sample(values, len(values))


def test_sums_and_counts_change_no_bit() -> None:
    own, present = mixed(1)
    counted = crowded(present)
    summed: dict[Question, Mapping[str, object]] = dict(counted)
    for question, simulations in present.items():
        if question.kind is Kind.SENTIMENT:
            summed[question] = {
                f"s{s}": crowd(question, Numbers.of(Counter(values)))
                for s, values in simulations.items()
            }
    answers = answers_of(own)
    assert reliability(answers, summed).estimate == reliability(answers, counted).estimate  # type: ignore[arg-type]


def test_more_agreement_never_lowers_the_coefficient() -> None:
    own, others = rated(16, [4] * 4, [2, 3, 3, 4, 5])
    coefficients = []
    for lapses in range(5):
        given = {**own, **{q: [4, 4, 4, 3] for q in list(own)[:lapses]}}
        coefficients.append(estimated(measured(given, others)).coefficient)
    assert coefficients == sorted(coefficients, reverse=True)
    assert len(set(coefficients)) == 5


def test_others_that_differ_more_raise_the_coefficient() -> None:
    own, near = rated(16, [4, 4, 4, 2], [3, 4, 4, 4, 5])
    _, far = rated(16, [4], [1, 1, 4, 5, 5])
    assert estimated(measured(own, near)).coefficient < estimated(measured(own, far)).coefficient


def test_who_takes_part_in_the_same_has_the_same_chance() -> None:
    """An eccentric one too, who gives the answer that nobody else does."""
    others = [3, 3, 3, 4, 4]
    own, _ = rated(16, [3] * 3, others)
    eccentric = {q: [1] * 3 for q in own}
    crowds = {q: {f"s{i}": crowd(q, Counter([*others, 1, 3])) for i in range(3)} for q in own}
    chances = [
        estimated(reliability(recorded(given), crowds)).mean_chance for given in (own, eccentric)
    ]
    assert chances[0] == chances[1]
