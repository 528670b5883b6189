"""Attitude shift: scipy and statsmodels, brute force, and what is undefined."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from random import Random

import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from persona_server.measures.answers import NUMERIC, Answer, Exact, Kind, Question, sentiment_value
from persona_server.measures.individual.change import Noise, noise
from persona_server.measures.individual.points import (
    Differences,
    Point,
    differences,
    mean,
    moved,
    points,
    step,
)
from persona_server.measures.individual.policy import Policy
from persona_server.measures.individual.shift import choice_shift, numeric_shift
from persona_server.measures.individual.trend import (
    benjamini_hochberg,
    inversion_counts,
    least_squares_slope,
    mann_kendall,
)
from persona_server.measures.reasons import Reason

DAY = 24 * 60 * 60 * 10**6
RATING = Question.rating("r", 1, 5)
SENTIMENT = Question.sentiment("s")
OTHERS = Noise(10, 0.25, 1.0)


def series(values: Sequence[Exact], days: Sequence[int] = range(100)) -> list[Point]:
    """Return points of one answer each, one a day."""
    return [
        Point(day * DAY, value, 1, f"s{day:03}") for value, day in zip(values, days, strict=False)
    ]


CASE_5 = series((2, 2, 3, 4, 4), (0, 30, 60, 90, 150))


def six(value: float) -> object:
    return pytest.approx(value, abs=5.1e-7)


def test_case_5() -> None:
    shift = numeric_shift(RATING, CASE_5, OTHERS, 0.5)
    assert (shift.n, shift.first, shift.last, shift.mean, shift.change) == (5, 2, 4, 3, 2)
    assert shift.others_change == 0.5
    assert shift.reliable is not None
    assert shift.reliable.rci == six(2.828427)
    assert shift.reliable.noise == OTHERS
    assert shift.slope is not None
    assert shift.slope == (six(0.472973), six(0.076477), six(0.869469), True)
    assert shift.trend == (8, 8, 2 / 30)
    assert inversion_counts((2, 1, 2)) == (1, 2, 4, 5, 6, 5, 4, 2, 1)
    assert shift.missing == {}


def test_sentiment_is_reported_in_its_own_unit() -> None:
    values = [sentiment_value(x) for x in (0.1, 0.3)]
    shift = numeric_shift(SENTIMENT, series(values), Noise(10, 0.02, 1.0), None)
    assert (shift.first, shift.last, shift.mean, shift.change) == (0.1, 0.3, 0.2, 0.2)
    assert shift.others_change is None
    assert shift.reliable is not None
    assert shift.reliable.rci == pytest.approx(1)
    assert not shift.reliable.reliable(shift.reliable.p)


def everyone(number: int, squares: int, each: int = 1) -> dict[str, Differences]:
    """Return differences that end where the first does; and this individual's own there."""
    own = dict(differences(Kind.RATING, CASE_5))
    others = Differences(number, squares * 10**6, 2 * number * 10**6 // each)
    return own | {"s030": Differences.total([own["s030"], others])}


def test_noise_is_of_the_others_where_this_one_has_a_point() -> None:
    assert noise(Kind.RATING, CASE_5, everyone(10, 5), Policy()) == Noise(10, 0.25, 1)
    assert noise(Kind.RATING, CASE_5, everyone(9, 5), Policy()) is Reason.TOO_FEW_DIFFERENCES
    few = Policy(min_noise_differences=4)
    assert noise(Kind.RATING, CASE_5, everyone(4, 5), few) is Reason.TOO_FEW_DIFFERENCES
    # Ratings move by one step at least: one alone is never reliable.
    assert noise(Kind.RATING, CASE_5, everyone(10, 0), Policy()) == Noise(10, 0.25, 1)
    assert noise(Kind.RATING, CASE_5, everyone(10, 0, each=2), Policy()) == Noise(10, 0.125, 0.5)
    with pytest.raises(ValueError, match="individual"):
        noise(Kind.RATING, CASE_5, everyone(10, 5) | {"s150": Differences()}, Policy())


def test_no_change_index_without_noise() -> None:
    shift = numeric_shift(RATING, CASE_5, Reason.TOO_FEW_DIFFERENCES, None)
    assert (shift.reliable, shift.missing) == (None, {"reliable": Reason.TOO_FEW_DIFFERENCES})
    shift = numeric_shift(SENTIMENT, CASE_5, Noise(10, 0.0, 1.0), None)
    assert (shift.reliable, shift.missing["reliable"]) == (None, Reason.NO_NOISE)


def test_each_figure_needs_its_points() -> None:
    few = Reason.TOO_FEW_POINTS
    missing = {"change": few, "reliable": few, "slope": few, "interval": few, "trend": few}
    one = numeric_shift(RATING, CASE_5[:1], OTHERS, None)
    assert (one.first, one.last, one.mean) == (2, 2, 2)
    assert one.missing == missing
    assert (one.change, one.reliable, one.slope, one.trend) == (None, None, None, None)
    gained = {2: ["change", "reliable"], 3: ["slope", "interval"], 4: [], 5: ["trend"]}
    for n, fields in gained.items():
        missing = {field: few for field in missing if field not in fields}
        assert numeric_shift(RATING, CASE_5[:n], OTHERS, None).missing == missing
    short = Policy(max_trend_points=4)
    capped = numeric_shift(RATING, CASE_5, OTHERS, None, short)
    assert (capped.trend, capped.missing) == (None, {"trend": Reason.TOO_MANY_POINTS})


@pytest.mark.parametrize("values", [[2, 2, 2], [1, 2, 3], [Fraction(1, 3), 1, Fraction(5, 3)]])
def test_without_residuals_there_is_no_interval(values: list[Exact]) -> None:
    shift = numeric_shift(RATING, series(values), OTHERS, None)
    assert shift.slope is not None
    assert shift.slope.value == pytest.approx(float(values[1] - values[0]))
    assert (shift.slope.low, shift.slope.high, shift.slope.over_time) == (None, None, False)
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
    merged = Point(10, (Fraction(5, 2) + Fraction(4, 3)) / 2, 5, "thrice")
    expected = (merged, Point(30, 5, 1, "late"))
    assert points(answers) == points(reversed(answers)) == expected
    assert points([]) == ()
    assert mean([1, 2, 3]) == 2
    assert isinstance(mean([1, 2, 3]), int)


def test_differences_are_rounded_once_each() -> None:
    thirds = [Point(i, Fraction(i, 3), 3 - i, f"s{i}") for i in range(3)]
    assert list(differences(Kind.RATING, thirds)) == [
        ("s1", Differences(1, 111_111, 833_333)),
        ("s2", Differences(1, 111_111, 1_500_000)),
    ]
    assert list(differences(Kind.RATING, thirds[:1])) == []
    assert step(Kind.RATING, 2, 5) == Differences(1, 9 * 10**6, 2 * 10**6)
    whole = [Point(0, 2, 1, "s0"), Point(1, 5, 1, "s1")]
    assert list(differences(Kind.RATING, whole)) == [("s1", step(Kind.RATING, 2, 5))]
    with pytest.raises(ValueError, match="individual"):
        Differences(1, 1, 1).minus(Differences(2, 1, 1))


@pytest.mark.parametrize("kind", NUMERIC)
@pytest.mark.parametrize("answers", [[1] * 5, [1, 1, 2, 1, 3], [1], []])
def test_what_moved_is_the_sum_of_all_differences(kind: Kind, answers: list[int]) -> None:
    values = (3, 1, 1, 5, 2)
    series = [Point(i, values[i], c, f"s{i}") for i, c in enumerate(answers)]
    expected = Differences()
    for _, one in differences(kind, series):
        expected = Differences.total([expected, one])
    assert moved(kind, series) == expected


def test_choice() -> None:
    question = Question.choice("c", "ABC")
    given = [Answer(question, f"s{i}", f"r{i}", i, value) for i, value in enumerate("ABBA")]
    assert choice_shift(given) == (question, 4, "A", "A", False, 2)
    assert choice_shift(given[:2]) == (question, 2, "A", "B", True, 1)
    assert choice_shift(given[:1]) == (question, 1, "A", "A", False, 0)


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
    given = [Point(time, value, 1, "") for time, value in zip(times, values, strict=True)]
    slope = least_squares_slope(given, 10**6)
    months = [time / (30 * DAY) for time in times]
    line = stats.linregress(months, [value / 10**6 for value in values])
    margin = stats.t.ppf(0.975, len(times) - 2) * line.stderr
    expected = (line.slope, line.slope - margin, line.slope + margin)
    assert tuple(slope[:3]) == pytest.approx(expected, rel=1e-9)


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
