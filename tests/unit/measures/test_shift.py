"""Attitude shift: worked case 3, scipy and statsmodels, brute force, and what is undefined."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from random import Random

import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from persona_server.measures.answers import Answer, Exact, Kind, Question, sentiment_value
from persona_server.measures.points import Noise, Point, mean, noise, points
from persona_server.measures.policy import Policy
from persona_server.measures.reasons import Reason
from persona_server.measures.shift import adjusted, choice_shift, numeric_shift
from persona_server.measures.trend import (
    benjamini_hochberg,
    inversion_counts,
    least_squares_slope,
    mann_kendall,
)

DAY = 24 * 60 * 60 * 10**6
RATING = Question.rating("r", 1, 5)
SENTIMENT = Question.sentiment("s")
CASE_3 = [Point(day * DAY, x) for day, x in zip((0, 30, 60, 90, 150), (2, 2, 3, 4, 4), strict=True)]
PEERS_3 = [(3, 3, 4), (2, 2, 2), (5, 4, 4), (1, 1, 2), (3, 4, 3)]


def series(values: Sequence[Exact]) -> list[Point]:
    return [Point(i * DAY, value) for i, value in enumerate(values)]


def noise_3() -> Noise:
    total = Noise()
    for values in PEERS_3:
        total = total.plus(noise(Kind.RATING, series(values)))
    return total


def six(value: float) -> object:
    return pytest.approx(value, abs=5.1e-7)


def test_case_3() -> None:
    others = noise_3()
    assert others == Noise(5 * 10**6, 10, 5)
    shift = numeric_shift(RATING, CASE_3, others)
    assert (shift.n, shift.first, shift.last, shift.mean, shift.change) == (5, 2, 4, 3, 2)
    assert shift.reliable is not None
    assert shift.reliable.noise_variance == 0.25
    assert shift.reliable.rci == six(2.828427)
    assert shift.reliable.p == six(0.017900)
    assert shift.reliable.quantile == six(2.228139)
    assert shift.reliable.reliable_change
    assert shift.slope is not None
    assert shift.slope == (six(0.472973), six(0.076477), six(0.869469))
    assert shift.trend == (8, 8, 2 / 30)
    assert inversion_counts((2, 1, 2)) == (1, 2, 4, 5, 6, 5, 4, 2, 1)
    assert shift.missing == {}


def test_sentiment_is_reported_in_its_own_unit() -> None:
    values = [sentiment_value(x) for x in (0.1, 0.3)]
    peers = [noise(Kind.SENTIMENT, series([0, 200_000, 0])) for _ in range(5)]
    others = Noise()
    for one in peers:
        others = others.plus(one)
    shift = numeric_shift(SENTIMENT, series(values), others)
    assert (shift.first, shift.last, shift.mean, shift.change) == (0.1, 0.3, 0.2, 0.2)
    assert shift.reliable is not None
    assert shift.reliable.noise_variance == 0.02
    assert shift.reliable.rci == pytest.approx(1)
    assert not shift.reliable.reliable_change


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        (Noise(), Reason.TOO_FEW_DIFFERENCES),
        (Noise(5, 9, 5), Reason.TOO_FEW_DIFFERENCES),
        (Noise(5, 10, 4), Reason.TOO_FEW_DIFFERENCES),
        (Noise(0, 10, 5), Reason.NO_NOISE),
    ],
)
def test_no_change_index_without_noise(others: Noise, reason: Reason) -> None:
    shift = numeric_shift(RATING, CASE_3, others)
    assert (shift.reliable, shift.missing) == (None, {"reliable": reason})


def test_each_figure_needs_its_points() -> None:
    few = Reason.TOO_FEW_POINTS
    missing = {"change": few, "reliable": few, "slope": few, "interval": few, "trend": few}
    one = numeric_shift(RATING, CASE_3[:1], noise_3())
    assert (one.first, one.last, one.mean) == (2, 2, 2)
    assert one.missing == missing
    assert (one.change, one.reliable, one.slope, one.trend) == (None, None, None, None)
    gained = {2: ["change", "reliable"], 3: ["slope", "interval"], 4: [], 5: ["trend"]}
    for n, fields in gained.items():
        missing = {field: few for field in missing if field not in fields}
        assert numeric_shift(RATING, CASE_3[:n], noise_3()).missing == missing
    short = Policy(max_trend_points=4)
    capped = numeric_shift(RATING, CASE_3, noise_3(), short)
    assert (capped.trend, capped.missing) == (None, {"trend": Reason.TOO_MANY_POINTS})


@pytest.mark.parametrize("values", [[2, 2, 2], [1, 2, 3], [Fraction(1, 3), 1, Fraction(5, 3)]])
def test_without_residuals_there_is_no_interval(values: list[Exact]) -> None:
    shift = numeric_shift(RATING, series(values), noise_3())
    assert shift.slope is not None
    assert shift.slope.per_30_days == pytest.approx(30 * float(values[1] - values[0]))
    assert (shift.slope.low, shift.slope.high) == (None, None)
    assert shift.missing == {
        "interval": Reason.NO_RESIDUALS,
        "trend": Reason.TOO_FEW_POINTS,
    }


def answer(simulation: str, at: int, value: int) -> Answer:
    return Answer(RATING, simulation, f"{simulation}-{at}-{value}", at, value)


def test_one_point_per_simulation_and_time() -> None:
    answers = [
        answer("late", 30, 5),
        answer("twice", 20, 1),
        answer("twice", 10, 4),
        answer("thrice", 10, 1),
        answer("thrice", 11, 1),
        answer("thrice", 12, 2),
    ]
    expected = (Point(10, (Fraction(5, 2) + Fraction(4, 3)) / 2), Point(30, 5))
    assert points(answers) == points(reversed(answers)) == expected
    assert points([]) == ()
    assert mean([1, 2, 3]) == 2
    assert isinstance(mean([1, 2, 3]), int)


def test_noise_of_means_is_rounded_once() -> None:
    thirds = series([0, Fraction(1, 3), 1])
    assert noise(Kind.RATING, thirds) == Noise(555_556, 2, 1)
    assert noise(Kind.RATING, thirds[:1]) == Noise()
    assert noise_3().minus(noise(Kind.RATING, series(PEERS_3[0]))) == Noise(4 * 10**6, 8, 4)
    with pytest.raises(ValueError, match="individuals"):
        Noise(1, 1, 1).minus(Noise(2, 1, 1))


def test_choice() -> None:
    question = Question.choice("c", "ABC")
    given = [Answer(question, f"s{i}", f"r{i}", i, value) for i, value in enumerate("ABBA")]
    assert choice_shift(given) == (question, 4, "A", "A", False, 2)
    assert choice_shift(given[:2]) == (question, 2, "A", "B", True, 1)
    assert choice_shift(given[:1]) == (question, 1, "A", "A", False, 0)


def test_only_the_change_index_is_adjusted() -> None:
    ends = (2, 5, 3)
    shifts = [numeric_shift(RATING, series([2, end]), noise_3()) for end in ends]
    unmeasured = numeric_shift(RATING, series([2]), noise_3())
    result = adjusted([shifts[0], unmeasured, *shifts[1:]])
    p_values = [s.reliable.p for s in shifts if s.reliable]
    found = [s.reliable.adjusted_p for s in result if s.reliable]
    assert found == pytest.approx(multipletests(p_values, method="fdr_bh")[1])
    assert result[1] == unmeasured
    assert adjusted([]) == ()


@pytest.mark.parametrize("seed", range(20))
def test_benjamini_hochberg(seed: int) -> None:
    random = Random(seed)
    p_values = [random.choice([random.random() ** 3, 0.04, 1.0]) for _ in range(1 + seed)]
    expected = multipletests(p_values, method="fdr_bh")[1]
    assert benjamini_hochberg(p_values) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_slope_is_scipys(seed: int) -> None:
    random = Random(seed)
    times = sorted(random.sample(range(2 * 10**15), 3 + seed))
    values = [random.randint(-(10**6), 10**6) for _ in times]
    slope = least_squares_slope(list(map(Point, times, values)), 10**6)
    months = [time / (30 * DAY) for time in times]
    line = stats.linregress(months, [value / 10**6 for value in values])
    margin = stats.t.ppf(0.975, len(times) - 2) * line.stderr
    expected = (line.slope, line.slope - margin, line.slope + margin)
    assert tuple(slope) == pytest.approx(expected, rel=1e-9)


def brute_force_p(values: Sequence[int]) -> float:
    def statistic(order: Sequence[int]) -> int:
        return sum((b > a) - (b < a) for a, b in combinations(order, 2))

    observed = abs(statistic(values))
    extreme = [abs(statistic(order)) >= observed for order in permutations(values)]
    return sum(extreme) / len(extreme)


@pytest.mark.parametrize("seed", range(30))
def test_mann_kendall_by_all_permutations(seed: int) -> None:
    random = Random(seed)
    values = random.choices(range(random.randint(1, 6)), k=random.randint(5, 7))
    result = mann_kendall(values)
    assert result.p == pytest.approx(brute_force_p(values), rel=1e-12)
    ties = Counter(values).values()
    assert result.untied_pairs == (len(values) ** 2 - sum(t * t for t in ties)) // 2


@pytest.mark.parametrize("n", [5, 6, 10, 25, 60])
def test_mann_kendall_untied_is_kendalls_tau(n: int) -> None:
    random = Random(n)
    for _ in range(10):
        values = random.sample(range(1000), n)
        values = sorted(values[: n // 2]) + values[n // 2 :]
        expected = stats.kendalltau(range(n), values, method="exact").pvalue
        assert mann_kendall(values).p == pytest.approx(expected, rel=1e-9)


def test_mann_kendall_needs_five_points_to_say_anything() -> None:
    assert mann_kendall([1, 2, 3, 4]).p > 0.05
    assert mann_kendall([1, 2, 3, 4, 5]).p < 0.05
    assert mann_kendall([3, 3, 3, 3, 3]) == (0, 0, 1.0)
    assert mann_kendall([5, 4, 3, 2, 1]) == (-10, 10, mann_kendall([1, 2, 3, 4, 5]).p)
