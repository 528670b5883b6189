"""The worked cases of comparison and fidelity, to the six decimals that they are stated with."""

from collections import Counter
from math import atan, pi
from random import Random

import pytest
from scipy import stats

from persona_server.measures.answers import Value
from persona_server.measures.comparison.distance_law import law
from persona_server.measures.comparison.fidelity import AskedTwice, accuracy, normalised
from persona_server.measures.comparison.moments import (
    Spread,
    exact,
    mean_interval,
    moments,
    spread,
    spread_of_sample,
    spread_of_sums,
    variance_ratio,
    welch,
)
from persona_server.measures.comparison.pairs import (
    agreement,
    agreement_of_numbers,
    are_paired,
    distance_of_pairs,
    mean_of_moves,
)
from persona_server.measures.comparison.shares import share, shares
from persona_server.measures.comparison.steps import Steps
from persona_server.measures.comparison.targets import against_target


def six(*values: float) -> object:
    return pytest.approx(values, abs=5.1e-7)


CHOICES, RATINGS = Steps(cumulated=False, positions=3), Steps(cumulated=True, positions=5)
TARGET = [0.4, 0.4, 0.2]


def test_shares_of_three_options() -> None:
    found = shares([30, 45, 25])
    assert [s.value for s in found] == [0.3, 0.45, 0.25]
    ends = [end for s in found for end in (s.low, s.high)]
    assert ends == six(0.195771, 0.421483, 0.330220, 0.574076, 0.153788, 0.367843)


def test_choices_against_an_exact_target() -> None:
    found = against_target(CHOICES, [30, 45, 25], TARGET)
    assert found == six(0.1, 0.0, 0.189900, 0.055046, 0.078987)
    by_chance = law(CHOICES.covariance(TARGET, 1 / 100), CHOICES.weight)
    assert (by_chance.freedom, by_chance.scale) == six(1.921129, 0.045022)


def test_choices_against_a_sample() -> None:
    found = against_target(CHOICES, [30, 45, 25], TARGET, sample=400)
    assert found == six(0.1, 0.0, 0.201911, 0.061754, 0.131385)


def test_ratings_against_an_exact_target() -> None:
    counts, target = [5, 20, 40, 25, 10], [0.1, 0.2, 0.4, 0.2, 0.1]
    found = against_target(RATINGS, counts, target)
    assert found == six(0.0375, 0.0, 0.088299, 0.030250, 0.280880)
    ratio = variance_ratio(spread(counts, range(1, 6)), exact(target, range(1, 6)))
    assert ratio == six(0.864899, 0.669889, 1.116678)


def test_a_sample_of_weighted_shares_keeps_their_variance() -> None:
    """Of 0 to 100: so many positions that most shares are less than one of the sample."""
    raw = [1.45 if 30 < i < 70 else 0.55 for i in range(101)]
    target, values = [share / sum(raw) for share in raw], range(101)
    known = exact(target, values).variance
    for n in (3, 50, 80, 100, 1000):
        assert spread_of_sample(target, n, values).variance == pytest.approx(known * n / (n - 1))
    group, wide = spread([1] * 101, values), exact(target, values)
    ends = [
        variance_ratio(group, spread_of_sample(target, n, values)) for n in (40, 400, 4000, 40_000)
    ]
    widths = [ratio.high / ratio.low for ratio in [*ends, variance_ratio(group, wide)] if ratio]
    assert len(widths) == 5
    assert widths == sorted(widths, reverse=True)
    assert spread_of_sample([0.25, 0.75], 2, [1, 2]).log_variance is None
    assert spread_of_sample([0.25, 0.75], 1, [1, 2]).log_variance is None


def test_a_sample_of_whole_numbers_is_taken_as_its_counts() -> None:
    counts = [7, 3, 12, 1]
    shares_of_them = [count / 23 for count in counts]
    assert spread_of_sample(shares_of_them, 23, range(4)) == spread(counts, range(4))


def test_without_one_number_all_may_be_equal() -> None:
    for n in range(3, 200):
        assert spread([n - 1, 1], [0, 1]).log_variance is None
        assert spread([n + 1, 2], [0, 1]).log_variance is not None


@pytest.mark.parametrize("each", [2, 3, 50, 1000])
def test_two_numbers_equally_often_do_not_make_their_variance_certain(each: int) -> None:
    """No number is nearer to the mean than another, so that to leave one out changes nothing."""
    found = spread([0, each, 0, each, 0], range(1, 6))
    assert found == Spread(2 * each, 2 * each / (2 * each - 1), None)
    assert variance_ratio(found, exact([0.2] * 5, range(1, 6))) is None
    sums = [sum(each * x**power for x in (-70, 30)) for power in range(5)]
    assert spread_of_sums(sums, 100).log_variance is None
    assert spread_of_sample([0.5, 0.5], 2 * each + 1, [1, 2]).log_variance is None
    assert spread([0, each, 1, each, 0], range(1, 6)).log_variance is not None


def test_two_means_of_which_the_smaller_group_varies_most() -> None:
    """Its degrees of freedom are what counts then; rounding must not make it less than one."""
    lone = moments([28], [0.896549])
    random = Random(1)
    for _ in range(5000):
        pair = [random.uniform(-1, 1), random.uniform(-1, 1)]
        found = welch(moments([1, 1], pair), lone)
        assert found is not None
        t = (pair[0] + pair[1] - 2 * 0.896549) / abs(pair[0] - pair[1])
        assert abs(found.p - (1 - 2 * atan(abs(t)) / pi)) < 1e-9


def test_the_distance_of_two_is_the_same_whichever_is_named_first() -> None:
    """Also where the shares cumulated to a position are equal, but for rounding."""
    random = Random(7)
    for _ in range(300):
        drawn = [[random.randint(0, 6) for _ in range(3)] for _ in range(3)]
        if sum(map(sum, drawn)) < 2:
            continue
        turned = [list(column) for column in zip(*drawn, strict=True)]
        mirrored = [row[::-1] for row in drawn[::-1]]
        for steps in (CHOICES, Steps(cumulated=True, positions=3)):
            found = distance_of_pairs(steps, drawn)
            assert distance_of_pairs(steps, turned) == pytest.approx(found, abs=1e-9)
            assert distance_of_pairs(steps, mirrored) == pytest.approx(found, abs=1e-9)


TABLE = [[30, 5, 5], [2, 28, 5], [1, 4, 20]]


def moves(table: list[list[int]]) -> Counter[Value]:
    """Return how many of a table moved by so many positions."""
    moved = Counter[Value]()
    for a, row in enumerate(table):
        for b, count in enumerate(row):
            moved[b - a] += count
    return moved


def test_choices_in_two_simulations() -> None:
    delta = [[0.0 if a == b else 1.5 for b in range(3)] for a in range(3)]
    assert agreement(TABLE, delta, 1.5) == six(0.670649, 0.525027, 0.780791)
    found = distance_of_pairs(CHOICES, TABLE)
    assert found == six(0.07, 0.0, 0.139672, 0.045793, 0.161260)


def test_ratings_in_two_simulations() -> None:
    delta = [[6 * (a - b) ** 2 / 8 for b in range(3)] for a in range(3)]
    assert agreement(TABLE, delta, 1.0) == six(0.687451, 0.510420, 0.816984)
    found = distance_of_pairs(Steps(cumulated=True, positions=3), TABLE)
    assert found == six(0.06, 0.0, 0.121160, 0.029835, 0.057757)
    assert mean_of_moves(moves(TABLE), 1) == six(0.12, -0.003834, 0.243834, 0.057381)
    assert mean_of_moves(moves(TABLE), 2) == six(0.06, -0.001917, 0.121917, 0.057381)


def test_fidelity() -> None:
    found = accuracy(28, 40)
    assert (found.value, found.low, found.high) == six(0.7, 0.534684, 0.834373)
    assert normalised(AskedTwice(25, 3, 9, 3)) == six(0.823529, 0.634952, 1.012107)


def test_two_means() -> None:
    one, other = [1.0] * 5 + [2.0] * 9 + [4.0] * 3, [2.0] * 7 + [3.0] * 8
    found = welch(moments([5, 9, 3], [1, 2, 4]), moments([7, 8], [2, 3]))
    wanted = stats.ttest_ind(other, one, equal_var=False)
    assert found is not None
    ends = wanted.confidence_interval()
    assert found == pytest.approx((sum(other) / 15 - sum(one) / 17, *ends, wanted.pvalue), rel=1e-9)
    assert mean_interval(*moments([5, 9, 3], [1, 2, 4])) == pytest.approx(
        (35 / 17, *stats.t.interval(0.95, 16, 35 / 17, stats.sem(one))), rel=1e-9
    )


@pytest.mark.parametrize("values", [[1, 2, 2, 5, 9, -4], [0, 1, 1] * 40, [7, 7, 7, 8]])
def test_the_spread_of_numbers_by_their_sums(values: list[int]) -> None:
    """Of Var ln s² = (m₄ / s⁴ - (n - 3) / (n - 1)) / n, each moment as scipy has it."""
    n = len(values)
    found = spread_of_sums([sum(x**power for x in values) for power in range(5)], 10)
    variance = stats.tvar(values)
    wanted = (stats.moment(values, 4) / variance**2 - (n - 3) / (n - 1)) / n
    assert found == pytest.approx((n, variance / 100, wanted), rel=1e-9)
    ratio = variance_ratio(found, spread_of_sums([sum(x**p for x in values) for p in range(5)], 5))
    assert ratio is not None
    assert ratio.value == pytest.approx(0.25)


def test_numbers_agree_as_ratings_do() -> None:
    delta = [[6 * (a - b) ** 2 / 8 for b in range(3)] for a in range(3)]
    pairs = {(7 + a, 7 + b): n for a, row in enumerate(TABLE) for b, n in enumerate(row)}
    assert agreement_of_numbers(pairs, 6 / 8) == pytest.approx(agreement(TABLE, delta, 1.0))
    assert agreement_of_numbers({(3, 3): 20}, 0.5) is None


def test_what_can_not_be_told() -> None:
    alike = moments([3], [2])
    assert mean_interval(*moments([1], [2])) is None
    assert welch(alike, alike) is None
    assert welch(moments([1], [2]), alike) is None
    assert mean_of_moves({0: 12}, 1) is None
    assert all(mean_of_moves({100_000: n}, 1_000_000) is None for n in range(20, 200))
    assert agreement([[9, 0], [0, 0]], [[0, 2], [2, 0]], 2.0) is None
    assert variance_ratio(spread([4, 1], [1, 2]), exact([0.5, 0.5], [1, 2])) is None
    for few in ([3, 5], [4, 4, 4]):
        sums = [sum(x**power for x in few) for power in range(5)]
        assert variance_ratio(spread_of_sums(sums, 1), exact([0.5, 0.5], [1, 2])) is None
    assert normalised(AskedTwice(1, 5, 0, 3)) is None


@pytest.mark.parametrize("steps", [CHOICES, Steps(cumulated=True, positions=3)])
def test_a_target_of_one_point(steps: Steps) -> None:
    """It has no covariance: anything else than the point is not by chance."""
    assert against_target(steps, [0, 50, 0], [0, 1, 0]).p == 1
    found = against_target(steps, [1, 49, 0], [0, 1, 0])
    assert (found.p, found.expected) == (0, 0)
    assert 0 == found.low < found.value < found.high < 1


@pytest.mark.parametrize(
    ("both", "one", "other", "paired"),
    [(20, 40, 90, True), (19, 20, 20, False), (20, 41, 41, False), (500, 500, 9000, True)],
)
def test_who_is_compared_with_oneself(both: int, one: int, other: int, paired: bool) -> None:
    assert are_paired(both, one, other) is paired


@pytest.mark.parametrize("positions", [2, 3, 11])
@pytest.mark.parametrize("cumulated", [True, False])
def test_distances_are_those_of_their_names(positions: int, cumulated: bool) -> None:
    f = [(i + 1) / sum(range(1, positions + 1)) for i in range(positions)]
    steps = Steps(cumulated, positions)
    apart = [x - y for x, y in zip(steps.of(f), steps.of(f[::-1]), strict=True)]
    places = range(positions)
    wanted = (
        stats.wasserstein_distance(places, places, f, f[::-1]) / (positions - 1)
        if cumulated
        else sum(abs(x - y) for x, y in zip(f, f[::-1], strict=True)) / 2
    )
    assert steps.distance(apart) == pytest.approx(wanted)


@pytest.mark.parametrize(("n", "k"), [(1, 0), (1, 1), (20, 3), (2000, 1999), (10_000, 2500)])
def test_exact_intervals(n: int, k: int) -> None:
    wanted = stats.binomtest(k, n).proportion_ci(0.95)
    found = share(k, n)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)
