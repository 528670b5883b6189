"""CompareResponses: against targets and between selections, worked cases 6 and 7."""

from typing import Any

import pytest

from persona.v1 import comparison_service_pb2 as pb
from persona.v1.comparison_pb2 import QuestionComparison, TargetDistribution
from persona.v1.measures_pb2 import QUESTION_KIND_CHOICE, QUESTION_KIND_RATING, Question
from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer, Response
from support.answering.summaries import choose, comparisons, rate
from support.answers import answer, record
from support.data import Place, make_place, uid
from support.errors import refused

SHARES = {"zeal": 0.4, "apathy": 0.4, "mild": 0.2}
COUNTS = {"zeal": 30, "apathy": 45, "mild": 25}
TABLE = ((30, 5, 5), (2, 28, 5), (1, 4, 20))  # rows first, columns second
OPTIONS = ["x", "y", "z"]


def target(sample: int = 0, shares: dict[str, float] = SHARES) -> TargetDistribution:
    question = Question(key="q", kind=QUESTION_KIND_CHOICE, options=[*shares])
    return TargetDistribution(question=question, shares=shares.values(), sample_size=sample)


def rated(*shares: float, sample: int = 0, key: str = "q") -> TargetDistribution:
    question = Question(key=key, kind=QUESTION_KIND_RATING, min=1, max=len(shares))
    return TargetDistribution(question=question, shares=shares, sample_size=sample)


def figures(message: Any) -> dict[str, float]:
    return {field.name: round(value, 6) for field, value in message.ListFields()}


def near(**expected: float) -> Any:
    return pytest.approx(expected, abs=1.5e-6)


@pytest.mark.parametrize(
    ("sample", "expected", "p", "high"),
    [(0, 0.055046, 0.078987, 0.189900), (400, 0.061754, 0.131385, 0.201911)],
)
@pytest.mark.parametrize("of_simulation", [True, False])
def test_choices_against_a_target_are_worked_case_6(
    place: Place, of_simulation: bool, sample: int, expected: float, p: float, high: float
) -> None:
    simulation = choose(place, COUNTS) if of_simulation else choose(place, COUNTS) and ""
    reordered = {name: SHARES[name] for name in sorted(SHARES)}  # compared by name
    given = target(sample, reordered)
    (found,) = comparisons(place, simulation_id=simulation, targets=[given])
    assert list(found.question.options) == list(COUNTS)
    assert (found.individual_count, found.other_individual_count) == (100, sample)
    assert list(found.other_shares) == [0.4, 0.4, 0.2]
    assert figures(found.distance) == near(
        value=0.1, expected=expected, p=p, adjusted_p=p, high=high
    )
    for name in ("mean_difference", "variance_ratio", "agreement"):
        assert not found.HasField(name)


def test_ratings_against_a_target_are_worked_case_6(place: Place) -> None:
    rate(place, [5, 20, 40, 25, 10])
    (found,) = comparisons(place, targets=[rated(0.1, 0.2, 0.4, 0.2, 0.1)])
    assert figures(found.distance) == near(
        value=0.0375, expected=0.030250, p=0.280880, adjusted_p=0.280880, high=0.088299
    )
    ratio = near(value=0.864899, low=0.669889, high=1.116678)
    assert figures(found.variance_ratio) == ratio


def test_shares_that_were_rounded_are_compared_as_shares_of_one(place: Place) -> None:
    """Else all giving what all are to give would be a difference that chance can't explain."""
    rate(place, [10, 0, 0])
    (found,) = comparisons(place, targets=[rated(1.0, 5e-7, 0.0)])
    assert sum(found.other_shares) == 1
    assert found.distance.p > 0.9


def test_two_ratings_given_equally_often_have_no_ratio_that_is_certain(place: Place) -> None:
    rate(place, [10, 0, 10])
    (found,) = comparisons(place, targets=[rated(0.4, 0.2, 0.4)])
    assert found.HasField("distance")
    assert not found.HasField("variance_ratio")


def record_twice(place: Place, *, ratings: bool) -> tuple[str, str]:
    """Let personas answer in two simulations as worked case 7 does; return both."""
    people = place.fill(100)
    pairs = [(a, b) for a, row in enumerate(TABLE) for b, n in enumerate(row) for _ in range(n)]
    simulations = uid(), uid()
    for i, simulation in enumerate(simulations):
        said = zip(people, pairs, strict=True)
        record(place.caller, simulation, *[_said(one.id, each[i], ratings) for one, each in said])
    return simulations


def _said(persona_id: str, value: int, ratings: bool) -> Response:
    if ratings:
        return answer(persona_id, rating=RatingAnswer(value=value + 1, min=1, max=3), model="m")
    return answer(persona_id, choice=ChoiceAnswer(value=OPTIONS[value], options=OPTIONS))


def paired(place: Place, first: str, second: str) -> QuestionComparison:
    (found,) = comparisons(place, simulation_id=first, other_simulation_id=second)
    assert (found.paired, found.individual_count, found.other_individual_count) == (True, 100, 100)
    return found


def test_paired_choices_are_worked_case_7(place: Place) -> None:
    found = paired(place, *record_twice(place, ratings=False))
    assert figures(found.distance) == near(
        value=0.07, expected=0.045793, p=0.161260, adjusted_p=0.161260, high=0.139672
    )
    assert figures(found.agreement) == near(
        equal_share=0.78, coefficient=0.670649, low=0.525027, high=0.780791
    )
    assert list(found.shares) == [0.4, 0.35, 0.25]
    assert list(found.other_shares) == [0.33, 0.37, 0.3]


def test_paired_ratings_are_worked_case_7(place: Place) -> None:
    found = paired(place, *record_twice(place, ratings=True))
    assert figures(found.distance) == near(
        value=0.06, expected=0.029835, p=0.057757, adjusted_p=0.057757, high=0.121160
    )
    assert figures(found.agreement) == near(
        equal_share=0.78, coefficient=0.687451, low=0.510420, high=0.816984
    )
    assert figures(found.mean_difference) == near(
        value=0.12, low=-0.003834, high=0.243834, p=0.057381, adjusted_p=0.057381
    )
    assert not found.HasField("variance_ratio")


@pytest.mark.parametrize(("both", "rest"), [(19, 0), (20, 21), (20, 20)])
def test_few_who_answered_both_are_not_paired(place: Place, both: int, rest: int) -> None:
    """They must be 20, and half of the smaller side."""
    people = [one.id for one in place.fill(both + 2 * rest)]
    first, second = uid(), uid()
    record(place.caller, first, *[answer(one) for one in people[: both + rest]])
    record(place.caller, second, *[answer(one) for one in people[:both] + people[both + rest :]])
    (found,) = comparisons(place, simulation_id=first, other_simulation_id=second)
    assert found.paired == (both == 20 and rest == 20)
    number = both if found.paired else both + rest
    assert (found.individual_count, found.other_individual_count) == (number, number)


def test_groups_are_compared_as_with_a_sample(place: Place) -> None:
    other = make_place(place.caller, place.project)
    choose(place, COUNTS)
    choose(other, {"zeal": 160, "apathy": 160, "mild": 80})
    rate(place, [1, 2, 3], key="r")
    rate(other, [3, 2, 1], key="r")
    found, ratings = comparisons(place, group_id=place.group, other_group_id=other.group)
    assert (found.paired, found.other_individual_count) == (False, 400)
    assert figures(found.distance) == near(
        value=0.1, expected=0.061754, p=0.131385, adjusted_p=0.181446, high=0.201911
    )
    assert ratings.distance.adjusted_p == ratings.distance.p == pytest.approx(0.181446, abs=1e-6)
    assert ratings.mean_difference.value == pytest.approx(-2 / 3)
    assert ratings.variance_ratio.value == pytest.approx(1)
    welch = near(value=-0.666667, low=-1.717021, high=0.383688, p=0.187670, adjusted_p=0.187670)
    assert figures(ratings.mean_difference) == welch


def test_a_part_is_compared_with_the_rest_and_never_with_itself(place: Place) -> None:
    part = make_place(place.caller, place.project)
    choose(place, {"zeal": 30, "mild": 10})
    simulation = choose(part, {"zeal": 5, "mild": 15})
    for narrow in ({"group_id": part.group}, {"simulation_id": simulation}):
        of_other = {f"other_{name}": value for name, value in narrow.items()}
        (found,) = comparisons(place, **of_other)  # with the whole project
        assert (found.paired, found.individual_count, found.other_individual_count) == (
            (False, 40, 20)
        )
        assert list(found.shares) == [0.75, 0.25]
        assert list(found.other_shares) == [0.25, 0.75]
    both = comparisons(place, group_id=part.group, other_simulation_id=simulation)
    assert both == []  # one answer of each: there is nothing to compare it with


def test_who_answered_again_is_compared_with_the_answer_before(place: Place) -> None:
    people = [one.id for one in place.fill(25)]
    first = uid()
    record(place.caller, first, *[answer(one) for one in people])
    record(place.caller, uid(), *[answer(one) for one in people[:20]])
    (found,) = comparisons(place, other_simulation_id=first)
    assert (found.paired, found.individual_count, found.other_individual_count) == (True, 20, 20)


def test_models_are_told_apart_by_their_answers(place: Place) -> None:
    (one,) = place.fill(1)
    for model, value in (("a", 1), ("b", 3), ("a", 2)):
        rating = RatingAnswer(value=value, min=1, max=3)
        record(place.caller, uid(), answer(one.id, rating=rating, model=model))
    (found,) = comparisons(place, model="a", other_model="b")
    assert (list(found.shares), list(found.other_shares)) == ([0, 1, 0], [0, 0, 1])
    assert comparisons(place, model="a", other_model="c") == []


def test_sentiment_has_no_distance(place: Place) -> None:
    people, first, second = place.fill(20), uid(), uid()
    for simulation, shift in ((first, 0.0), (second, 0.1)):
        said = [round((i % 5) / 10 + shift * (i % 2), 6) for i in range(20)]
        given = [answer(one.id, sentiment=x) for one, x in zip(people, said, strict=True)]
        record(place.caller, simulation, *given)
    (found,) = comparisons(place, simulation_id=first, other_simulation_id=second)
    assert found.paired
    assert figures(found.mean_difference) == near(
        value=0.05, low=0.025991, high=0.074009, p=0.000338, adjusted_p=0.000338
    )
    assert figures(found.agreement) == near(
        equal_share=0.5, coefficient=0.893855, low=-0.165578, high=1
    )
    assert not found.shares
    for name in ("distance", "variance_ratio"):
        assert not found.HasField(name)


def test_sentiments_of_groups_have_a_ratio_of_variances(place: Place) -> None:
    other = make_place(place.caller, place.project)
    for where, said in ((place, (-0.4, 0.0, 0.4)), (other, (-0.2, 0.0, 0.2))):
        people = where.fill(30)
        given = [answer(one.id, sentiment=said[i % 3]) for i, one in enumerate(people)]
        record(place.caller, uid(), *given)
    (found,) = comparisons(place, group_id=place.group, other_group_id=other.group)
    assert figures(found.variance_ratio) == near(value=4, low=2.784366, high=5.746371)
    assert found.mean_difference.value == 0


def test_every_p_is_adjusted_over_the_page(place: Place) -> None:
    for key, counts in (("a", [40, 60]), ("b", [41, 59]), ("c", [50, 50])):
        rate(place, counts, key=key)
    targets = [rated(0.5, 0.5, key=key) for key in "cab"]
    found = comparisons(place, targets=targets)
    assert [one.question.key for one in found] == ["c", "a", "b"]
    none, first, second = [one.distance for one in found]
    assert first.p < second.p < 0.1
    assert none.p == none.adjusted_p == 1
    assert first.adjusted_p == pytest.approx(min(first.p * 3, second.p * 1.5))
    assert second.adjusted_p == pytest.approx(second.p * 1.5)
    paged = comparisons(place, targets=targets, page_size=1)
    assert [one.distance.adjusted_p for one in paged] == [1, first.p, second.p]


def test_what_nobody_answered_is_left_out(place: Place) -> None:
    choose(place, COUNTS)
    assert comparisons(place, targets=[rated(0.5, 0.5)]) == []
    assert comparisons(place, other_group_id=make_place(place.caller, place.project).group) == []


BAD_TARGETS = [
    (TargetDistribution(), ["targets[0].question.key", "targets[0].question.kind"]),
    (rated(0.5, 0.6), ["targets[0].shares"]),
    (rated(1.5, -0.5), ["targets[0].shares"]),
    (rated(1), ["targets[0].question"]),
    (rated(0.5, 0.5, sample=-1), ["targets[0].sample_size"]),
    (target(shares={"a": 1}), ["targets[0].question"]),
    (target(shares={"a": float("nan"), "b": 1}), ["targets[0].shares"]),
]


@pytest.mark.parametrize(("bad", "fields"), BAD_TARGETS)
def test_a_target_is_shares_of_a_question(
    place: Place, bad: TargetDistribution, fields: list[str]
) -> None:
    with refused("INVALID_FIELD") as refusal:
        comparisons(place, targets=[bad])
    assert [*refusal.problem.fields] == fields


def test_there_is_a_second_selection_or_targets(place: Place) -> None:
    wrong: list[dict[str, Any]] = [{}, {"targets": [target()], "other_model": "m"}]
    for arguments in wrong:
        with refused("INVALID_FIELD") as refusal:
            place.caller.comparison.CompareResponses(
                pb.CompareResponsesRequest(project_id=place.project, **arguments)
            )
        assert "targets" in refusal.problem.fields
