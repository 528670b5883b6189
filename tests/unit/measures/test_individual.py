"""The worked cases of one individual, to the six decimals that they are stated with."""

from collections.abc import Sequence

import pytest

from persona_server.measures.answers import Answer, Question
from persona_server.measures.individual.change import Noise, ReliableChange, noise, reliable_change
from persona_server.measures.individual.points import Differences, Point, differences, points
from persona_server.measures.individual.policy import Policy, Status
from persona_server.measures.individual.reliability import Basis
from persona_server.measures.individual.trend import (
    benjamini_hochberg,
    least_squares_slope,
    mann_kendall,
)
from persona_server.measures.reasons import Reason
from support.answering.individuals import ANY_STYLE, Others, Own, estimated, measured, rated, six

DAY = 24 * 60 * 60 * 10**6

CASE_1: Own = {
    Question.choice("q1", "ABC"): "AAA",
    Question.choice("q2", "ABC"): "ABA",
    Question.choice("q3", "yn"): ["y", "y", None],
}
OTHERS_1: Others = dict(zip(CASE_1, ("ABCBA", "AABCC", "ynnny"), strict=True))


def test_case_1() -> None:
    found = measured(CASE_1, OTHERS_1)
    terms = [(q.term.own, q.term.chance, q.term.weight) for q in found.questions]
    assert terms == [(0, six(1.1), 2), (1, six(1.133333), 2), (0, six(1.2), 1)]
    estimate = estimated(found)
    assert estimate.coefficient == six(0.647059)
    assert estimate.question_variance == six(0.074721)
    assert list(estimate.without.values()) == [six(0.333333), 1, six(0.565217)]
    assert estimate.simulation_variance == six(0.152722)
    assert (estimate.low, estimate.high) == (six(-0.844109), 1)
    assert estimate.attainable == six(-0.167399)
    assert found.status is Status.INSUFFICIENT_DATA


def test_case_2() -> None:
    found = measured(*rated(16, [4] * 4, [2, 3, 3, 4, 5]))
    estimate = estimated(found)
    assert estimate.mean_chance == six(0.55)
    assert (estimate.low, estimate.attainable) == (six(0.810456), six(0.810456))
    assert estimate.question_variance == six(0.002922)
    assert found.shortfall is None


def test_case_2b() -> None:
    own, others = rated(16, [4] * 4, [2, 3, 3, 4, 5])
    own[Question.rating("q15", 1, 5)] = [4, 4, 4, 2]
    found = measured(own, others)
    assert found.questions[-1].term[1:3] == six_of(0.5, 0.583333)
    estimate = estimated(found)
    assert estimate.coefficient == six(0.943396)
    assert estimate.question_variance == six(0.005401)
    assert list(estimate.without.values()) == [six(0.924623)] * 3 + [1]
    assert estimate.simulation_variance == six(0.003196)
    assert (estimate.low, estimate.high) == six_of(0.726140, 0.998242)
    # Who always says 4 where others do not follows the form: but for that it would be eligible.
    assert {rule.name for rule in found.rules if not rule.holds} == {
        "straight_lining",
        "acquiescence",
    }
    assert measured(own, others, ANY_STYLE).status is Status.ELIGIBLE
    assert (found.contradictions.contradicting_pairs, found.contradictions.pairs) == (3, 96)


def six_of(*values: float) -> object:
    return pytest.approx(values, abs=5.1e-7)


def test_case_2c() -> None:
    found = measured(*rated(16, [4] * 2, [2, 3, 3, 4, 5]))
    estimate = estimated(found)
    assert (estimate.low, estimate.high) == (six(0.532117), 1)
    assert estimate.question_variance == six(0.017477)
    assert estimate.basis is Basis.QUESTIONS
    assert found.status is Status.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("simulations", "attainable", "needed", "with_more"),
    [(3, 0.352894, 84, 57), (10, 0.500742, 57, 57)],
)
def test_case_2d(simulations: int, attainable: float, needed: int, with_more: int) -> None:
    found = measured(*rated(30, [4] * simulations, [4, 4, 4, 4, 5]))
    assert estimated(found).attainable == six(attainable)
    assert found.shortfall == (needed, with_more, six(0.083333))


def test_case_3() -> None:
    questions = [Question.choice(f"q{i:02}", "yn") for i in range(15)]
    own = {q: ["y", "y", "y", "n" if i < 12 else "y"] for i, q in enumerate(questions)}
    found = measured(own, dict.fromkeys(questions, "yynnn"))
    assert [(o.outlying, o.threshold) for o in found.outlying] == [
        (False, six(3.325696)),
        (False, six(3.325696)),
        (False, six(3.325696)),
        (True, six(3.325696)),
    ]
    assert found.outlying[3].z == six(7.483315)


@pytest.mark.parametrize(
    ("own", "straight_lining", "acquiescence"), [(3, 0.6, -0.4), (5, 0.8, 0.6)]
)
def test_case_4(own: int, straight_lining: float, acquiescence: float) -> None:
    found = measured(*rated(15, [own] * 3, [2, 3, 3, 4, 5])).styles
    assert found == (six(straight_lining), six(acquiescence), None)


def test_case_4_first_option() -> None:
    questions = [Question.choice(f"q{i:02}", "ABCD") for i in range(15)]
    found = measured(dict.fromkeys(questions, "AAA"), dict.fromkeys(questions, "ABCDA"))
    assert found.styles == (None, None, six(0.6))
    assert {rule.name: rule.holds for rule in found.rules}["first_option"] is False


RATING = Question.rating("q", 1, 5)


def series(values: Sequence[int], days: Sequence[int]) -> tuple[Point, ...]:
    return points(
        Answer(RATING, f"s{day:03}", f"r{day}", day * DAY, value)
        for value, day in zip(values, days, strict=True)
    )


DAYS = [0, 30, 60, 90, 150]
OWN_5 = series([2, 2, 3, 4, 4], DAYS)
CROWD_5 = [[3, 3, 4], [2, 2, 2], [5, 4, 4], [1, 1, 2], [3, 4, 3]]


def sums(individuals: Sequence[Sequence[Point]]) -> dict[str, Differences]:
    total: dict[str, Differences] = {}
    for one in individuals:
        for simulation, found in differences(RATING.kind, one):
            total[simulation] = Differences.total([total.get(simulation, Differences()), found])
    return total


def changed(own: Sequence[Point], others: Sequence[Sequence[Point]]) -> ReliableChange:
    found = reliable_change(
        RATING.kind, own, noise(RATING.kind, own, sums([own, *others]), Policy())
    )
    assert isinstance(found, ReliableChange)
    return found


def test_case_5() -> None:
    found = changed(OWN_5, [series(values, DAYS[:3]) for values in CROWD_5])
    assert found.noise == Noise(10, 0.25, 1)
    assert (found.rci, found.p) == six_of(2.828427, 0.017900)


def test_case_5_points_of_several_answers() -> None:
    threefold = [
        tuple(p._replace(answers=3) for p in series(values, DAYS[:3])) for values in CROWD_5
    ]
    found = changed(OWN_5, threefold)
    assert found.noise.mean_inverse == six(1 / 3)
    assert found.standard_error**2 == pytest.approx(1.5, rel=1e-6)
    # To fewer digits: the sums round 1/3 + 1/3 to 1e-6.
    assert (found.rci, found.p) == pytest.approx((1.632993, 0.133520), rel=4e-6)


def test_case_5_ten_points() -> None:
    own = series([2, 2, 3, 2, 2, 4, 4, 3, 4, 4], range(10))
    found = changed(own, [series([3] * 10, range(10)) for _ in range(5)])
    assert (found.change, found.standard_error) == six_of(1.6, 0.421637)
    assert (found.freedom, found.p) == (9, six(0.004252))


def test_case_5_adjusted() -> None:
    assert benjamini_hochberg([0.0179, 0.03, 0.2]) == six_of(0.045, 0.045, 0.2)


def test_case_5_trend() -> None:
    slope = least_squares_slope(OWN_5, 1)
    assert slope == (six(0.472973), six(0.076477), six(0.869469), True)
    trend = mann_kendall([point.value for point in OWN_5])
    assert trend == (8, 8, six(0.066667))


def test_a_short_span_has_its_slope_by_simulation() -> None:
    slope = least_squares_slope(series([1, 2, 3, 5], [0, 1, 2, 29]), 1)
    assert (slope.value, slope.over_time) == (six(1.3), False)


def test_one_individual_alone() -> None:
    own, others = rated(16, [4] * 4, [])
    found = measured(own, others)
    assert (found.estimate, found.reason) == (None, Reason.TOO_FEW_INDIVIDUALS)
    assert found.most_individuals == 1
