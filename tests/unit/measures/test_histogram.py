"""Everybody's answers as counts and moments."""

from collections import Counter
from fractions import Fraction
from random import Random

import pytest

from persona_server.measures.answers import Kind, Value, distance, set_value
from persona_server.measures.histogram import (
    Histogram,
    Moment,
    Moments,
    increments,
    moment_increments,
)

VALUES: dict[Kind, list[Value]] = {
    Kind.CHOICE: list("ABCD"),
    Kind.RATING: [-2, -1, 0, 1, 2],
    Kind.SENTIMENT: [-1_000_000, -1, 0, 333_333, 1_000_000],
    Kind.CHOICES: [set_value(s) for s in ("", "a", "ab", "abc", "cd")],
    Kind.THEMES: [set_value(s) for s in ("x", "xy", "yz", "z")],
}


def individuals(kind: Kind, seed: int, n: int = 20) -> list[Counter[Value]]:
    random = Random(seed)
    return [Counter(random.choices(VALUES[kind], k=random.randint(1, 7))) for _ in range(n)]


def mean_distance(kind: Kind, value: Value, others: list[Counter[Value]]) -> Fraction:
    """Mean over individuals of the mean over each one's answers, as it is defined."""
    means = [
        Fraction(sum(n * distance(kind, value, other) for other, n in given.items()))
        / sum(given.values())
        for given in others
    ]
    return sum(means, Fraction(0)) / len(means)


@pytest.mark.parametrize("kind", Kind)
def test_every_individual_weighs_alike(kind: Kind) -> None:
    others = individuals(kind, 1)
    stores: list[Histogram | Moments] = [Histogram.of(others)]
    if kind.numeric:
        stores.append(Moments.of(others))
    for store in stores:
        peers = store.peers(kind)
        assert peers.individuals == len(others)
        for value in VALUES[kind]:
            exact = Fraction(peers.population.distance(value), peers.population.total)
            assert exact == mean_distance(kind, value, others)


def test_an_individual_moves_between_rows() -> None:
    assert increments({}, {"A": 1}) == {("A", 1): 1}
    assert increments({"A": 1}, {"A": 1, "B": 1}) == {("A", 1): -1, ("A", 2): 1, ("B", 2): 1}
    assert increments({"A": 1}, {"B": 1}) == {("A", 1): -1, ("B", 1): 1}
    assert increments({"A": 2}, {"A": 2}) == {}
    assert moment_increments({3: 1}, {3: 1, -2: 1}) == {1: Moment(-1, -3, -9), 2: Moment(2, 1, 13)}
    assert moment_increments({3: 1}, {2: 1}) == {1: Moment(0, -1, -5)}
    assert moment_increments({3: 1}, {3: 1}) == {}


def test_increments_in_any_order_equal_a_rebuild() -> None:
    random = Random(2)
    final = individuals(Kind.RATING, 3)
    steps = [(who, value) for who, given in enumerate(final) for value in given.elements()]
    random.shuffle(steps)
    so_far: list[Counter[Value]] = [Counter() for _ in final]
    histogram, moments = Histogram(), Moments()
    for who, value in steps:
        before, after = Counter(so_far[who]), so_far[who] + Counter([value])
        histogram = histogram.plus(increments(before, after))
        moments = moments.plus(moment_increments(before, after))
        so_far[who] = after
    assert {row: n for row, n in histogram.counts.items() if n} == Histogram.of(final).counts
    assert {m: row for m, row in moments.rows.items() if any(row)} == Moments.of(final).rows


def test_the_own_individual_is_taken_out() -> None:
    given = individuals(Kind.RATING, 4)
    for store in (Histogram, Moments):
        rest = store.of(given).without(given[0]).peers(Kind.RATING)
        assert rest.individuals == len(given) - 1
        peers = store.of(given[1:]).peers(Kind.RATING)
        for value in range(-2, 3):
            assert Fraction(rest.population.distance(value), rest.population.total) == Fraction(
                peers.population.distance(value), peers.population.total
            )


def test_whom_it_does_not_hold_it_cannot_lose() -> None:
    histogram = Histogram.of([{"A": 1}, {"B": 2}])
    missing: list[dict[Value, int]] = [{"B": 1}, {"A": 2}, {"C": 1}]
    for foreign in missing:
        with pytest.raises(ValueError, match="whole individuals"):
            histogram.without(foreign)
    with pytest.raises(ValueError, match="whole individuals"):
        Moments.of([{1: 1}]).without({1: 2})
    with pytest.raises(ValueError, match="whole individuals"):
        Histogram({("A", 2): 3}).peers(Kind.CHOICE)
    with pytest.raises(ValueError, match="choice"):
        Moments().peers(Kind.CHOICE)


def test_nobody() -> None:
    assert Histogram().peers(Kind.THEMES).individuals == 0
    assert Moments().peers(Kind.SENTIMENT).individuals == 0
    assert Histogram.of([{"A": 2}]).without({"A": 2}).peers(Kind.CHOICE).individuals == 0
