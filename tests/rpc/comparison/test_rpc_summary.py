"""SummarizeResponses: shares and moments of a selection, each individual once, worked case 6."""

from typing import Any

import grpc
import pytest

from persona.v1 import comparison_service_pb2 as pb
from persona.v1.comparison_pb2 import QuestionSummary
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer
from persona.v1.response_service_pb2 import VoidResponsesRequest
from support.answering.summaries import choose, rate, summaries
from support.answers import answer, record
from support.data import Place, at, make_place, uid
from support.errors import refused
from support.library import individual, reuse

NOT_FOUND = grpc.StatusCode.NOT_FOUND
OPTIONS = {"zeal": 30, "apathy": 45, "mild": 25}  # as declared, which is no order of letters


def counts(summary: QuestionSummary) -> list[tuple[Any, int]]:
    return [(one.option or one.rating, one.count) for one in summary.shares]


def ends(summary: QuestionSummary) -> list[tuple[float, float]]:
    return [(round(one.low, 6), round(one.high, 6)) for one in summary.shares]


@pytest.mark.parametrize("of", ["simulation", "group", "project", "group in simulation"])
def test_shares_of_every_selection_are_worked_case_6(place: Place, of: str) -> None:
    simulation = choose(place, OPTIONS)
    ids = {"simulation_id": simulation, "group_id": place.group}
    (found,) = summaries(place, **{name: ids[name] for name in ids if name[:-3] in of})
    assert list(found.question.options) == list(OPTIONS)
    assert (found.individual_count, counts(found)) == (100, list(OPTIONS.items()))
    assert [one.share for one in found.shares] == [0.3, 0.45, 0.25]
    assert ends(found) == [(0.195771, 0.421483), (0.330220, 0.574076), (0.153788, 0.367843)]
    assert not found.HasField("moments")


@pytest.mark.parametrize("of_simulation", [True, False])
def test_ratings_have_shares_and_moments(place: Place, of_simulation: bool) -> None:
    simulation = rate(place, [5, 20, 40, 25, 10])
    (found,) = summaries(place, simulation_id=simulation if of_simulation else "")
    assert counts(found) == [(1, 5), (2, 20), (3, 40), (4, 25), (5, 10)]
    moments = found.moments
    assert moments.mean == pytest.approx(3.15)
    assert moments.standard_deviation.value == pytest.approx(1.018763, abs=1e-6)
    margin = 1.984217 * 1.018763 / 10  # t with 99 degrees of freedom
    assert moments.low.value == pytest.approx(3.15 - margin, abs=1e-6)
    assert moments.high.value == pytest.approx(3.15 + margin, abs=1e-6)


@pytest.mark.parametrize("of_simulation", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_sentiment_and_long_scales_have_moments_alone(
    place: Place, of_simulation: bool, wide: bool
) -> None:
    people, simulation = place.fill(3), uid()
    given: list[Any] = [-0.5, 0.25, 1.0]
    if wide:
        given = [RatingAnswer(value=value, min=-(2**31), max=2**31 - 1) for value in (-5, 0, 11)]
    name = "rating" if wide else "sentiment"
    said = [answer(one.id, **{name: v}) for one, v in zip(people, given, strict=True)]
    record(place.caller, simulation, *said)
    (found,) = summaries(place, simulation_id=simulation if of_simulation else "")
    assert (found.individual_count, len(found.shares)) == (3, 0)
    assert found.moments.mean == pytest.approx(2 if wide else 0.25)
    deviation = 8.185353 if wide else 0.75
    assert found.moments.standard_deviation.value == pytest.approx(deviation, abs=1e-6)


def test_one_number_has_a_mean_and_no_interval(place: Place) -> None:
    (one,) = place.fill(1)
    record(place.caller, uid(), answer(one.id, sentiment=0.5))
    (found,) = summaries(place)
    assert found.moments.mean == 0.5
    for name in ("low", "high", "standard_deviation"):
        assert not found.moments.HasField(name)


@pytest.mark.parametrize("of_simulation", [True, False])
def test_several_options_have_intervals_of_their_own(place: Place, of_simulation: bool) -> None:
    people, simulation = place.fill(10), uid()
    given = [["c", "a"]] * 3 + [["a"]] * 4 + [[]] * 3
    said = [
        answer(one.id, choices=ChoicesAnswer(values=values, options=["c", "b", "a"]))
        for one, values in zip(people, given, strict=True)
    ]
    record(place.caller, simulation, *said)
    (found,) = summaries(place, simulation_id=simulation if of_simulation else "")
    assert (found.individual_count, counts(found)) == (10, [("c", 3), ("b", 0), ("a", 7)])
    assert ends(found) == [(0.066740, 0.652453), (0.0, 0.308497), (0.347547, 0.933260)]


@pytest.mark.parametrize("of_simulation", [True, False])
def test_the_most_frequent_themes_are_shown(place: Place, of_simulation: bool) -> None:
    people, simulation = place.fill(4), uid()
    rare = [f"rare {i:03d}" for i in range(120)]
    themes = [["price", "Taste"], [" PRICE", *rare[:40]], rare[40:80], rare[80:]]
    said = [
        answer(one.id, question_key="why", text="", themes=named)
        for one, named in zip(people, themes, strict=True)
    ]
    (silent,) = place.fill(1)
    record(place.caller, simulation, *said, answer(silent.id, question_key="why", text="Well."))
    (found,) = summaries(place, simulation_id=simulation if of_simulation else "")
    assert (found.individual_count, found.shares[0].option, found.shares[0].count) == (
        4,
        "price",
        2,
    )
    assert (len(found.shares), found.other_theme_count) == (100, 22)
    assert [one.count for one in found.shares[1:]] == [1] * 99
    named = [one.option for one in found.shares[1:]]
    assert named == sorted(named)
    assert set(named) <= {*rare, "taste"}


@pytest.mark.parametrize("of_simulation", [True, False])
def test_a_single_option_is_the_share_of_all(place: Place, of_simulation: bool) -> None:
    simulation = choose(place, {"only": 2})
    (found,) = summaries(place, simulation_id=simulation if of_simulation else "")
    assert (found.individual_count, counts(found)) == (2, [("only", 2)])


def test_an_individual_counts_once_first_in_a_simulation_else_last(place: Place) -> None:
    (one,) = place.fill(1)
    early, late = uid(), uid()

    def said(value: int, time: int) -> Any:
        return answer(one.id, rating=RatingAnswer(value=value, min=1, max=5), occurred_at=at(time))

    record(place.caller, early, said(1, 10), said(2, 20))
    record(place.caller, late, said(3, 30), said(4, 40))
    for arguments, value in (
        ({"simulation_id": early}, 1),
        ({"simulation_id": late}, 3),
        ({"simulation_id": early, "group_id": place.group}, 1),
        ({"simulation_id": late, "group_id": place.group}, 3),
        ({"group_id": place.group}, 4),
        ({}, 4),
    ):
        (found,) = summaries(place, **arguments)
        assert found.individual_count == 1
        assert found.moments.mean == value, arguments


def test_answers_of_long_series_are_found_wherever_they_stand(place: Place) -> None:
    """Forty answers stand in three rows; the project of the copy has the oldest alone."""
    shared = individual(place)
    elsewhere = make_place(place.caller)
    guest = reuse(elsewhere, shared.id)[0].id
    asked: dict[str, Any] = {"question_key": "often"}
    first = uid()
    for i in range(40):
        rating, who = RatingAnswer(value=i, min=0, max=40), shared.origin_persona_id
        simulation = uid() if i else first
        record(
            place.caller,
            simulation,
            answer(guest if i < 2 else who, rating=rating, occurred_at=at(i), **asked),
        )
        if i == 0:
            own = simulation
    (there,) = [one for one in summaries(elsewhere) if one.question.key == "often"]
    assert there.moments.mean == 1  # the later of the two that were given there
    (then,) = summaries(elsewhere, simulation_id=own, group_id=elsewhere.group)
    assert then.moments.mean == 0
    (here,) = [one for one in summaries(place) if one.question.key == "often"]
    assert here.moments.mean == 39


def test_the_library_is_its_individuals_wherever_they_answered(place: Place) -> None:
    shared = individual(place)
    elsewhere = make_place(place.caller)
    guest = reuse(elsewhere, shared.id)[0].id
    (stranger,) = elsewhere.fill(1)
    simulation = uid()
    record(
        place.caller, simulation, *[answer(who, question_key="x") for who in (guest, stranger.id)]
    )
    found = {one.question.key: one for one in summaries(place, project_id="")}
    assert found["x"].individual_count == 1
    assert len(found) == 17  # what it was promoted for, too
    everybody = {one.question.key: one for one in summaries(elsewhere)}
    assert everybody["x"].individual_count == 2


def test_a_deleted_project_is_summarized_and_a_deleted_persona_not_of_its_group(
    place: Place,
) -> None:
    simulation = choose(place, {"a": 1, "b": 1})
    gone = place.walk()[0]
    place.delete(gone.id)
    assert [one.individual_count for one in summaries(place, group_id=place.group)] == [1]
    for arguments in ({}, {"simulation_id": simulation}):
        assert [one.individual_count for one in summaries(place, **arguments)] == [2]


def test_pages_are_of_questions_and_hold_two_thousand_shares(place: Place) -> None:
    (one,) = place.fill(1)
    options = [f"o{i}" for i in range(400)]
    said = [
        answer(one.id, question_key=f"q{i}", choice=ChoiceAnswer(value="o0", options=options))
        for i in range(6)
    ]
    record(place.caller, uid(), *said)
    keys = [f"q{i}" for i in range(6)]
    assert [each.question.key for each in summaries(place)] == keys
    assert [each.question.key for each in summaries(place, page_size=1)] == keys
    page = place.caller.comparison.SummarizeResponses(
        pb.SummarizeResponsesRequest(project_id=place.project)
    )
    assert len(page.summaries) == 5


def test_what_many_answered_by_few_sets_is_one_page(place: Place) -> None:
    """What a page may read are sets, of which here are four, and not the 10,800 answers."""
    people, simulation, keys = place.fill(900), uid(), "abcdefghijkl"
    sets = [[], ["x"], ["y"], ["x", "y"]]
    for key in keys:
        said = [
            answer(
                one.id,
                question_key=key,
                choices=ChoicesAnswer(values=sets[i % 4], options=["x", "y"]),
            )
            for i, one in enumerate(people)
        ]
        record(place.caller, simulation, *said)
    page = place.caller.comparison.SummarizeResponses(
        pb.SummarizeResponsesRequest(project_id=place.project, simulation_id=simulation)
    )
    found = [(one.question.key, one.individual_count, counts(one)) for one in page.summaries]
    assert found == [(key, 900, [("x", 450), ("y", 450)]) for key in keys]
    assert page.next_page_token == ""


def test_what_is_not_there_is_named_outermost_first(place: Place) -> None:
    choose(place, {"a": 1, "b": 0})
    other = make_place(place.caller)
    elsewhere = choose(other, {"a": 1, "b": 0})
    for bad in ({"simulation_id": uid()}, {"simulation_id": elsewhere, "group_id": uid()}):
        with refused("SIMULATION_NOT_FOUND", NOT_FOUND):
            summaries(place, **bad)
    for group in (uid(), other.group):
        with refused("PERSONA_GROUP_NOT_FOUND", NOT_FOUND):
            summaries(place, group_id=group)
    with refused("PROJECT_NOT_FOUND", NOT_FOUND):
        summaries(place, project_id=uid(), simulation_id=elsewhere)
    for name in ("simulation_id", "group_id"):
        with refused("INVALID_FIELD") as refusal:
            summaries(place, project_id="", **{name: uid()})
        assert [*refusal.problem.fields] == ["project_id"]


def test_what_is_void_is_not_counted(place: Place) -> None:
    (one,) = place.fill(1)
    simulation = uid()
    said = [
        answer(one.id, rating=RatingAnswer(value=i, min=1, max=5), occurred_at=at(i))
        for i in (1, 2)
    ]
    first, _ = record(place.caller, simulation, *said)
    request = VoidResponsesRequest(response_ids=[first.id], reason="Asked wrongly.")
    place.caller.responses.VoidResponses(request)
    for arguments in ({"simulation_id": simulation}, {"group_id": place.group}, {}):
        (found,) = summaries(place, **arguments)
        assert (found.individual_count, found.moments.mean) == (1, 2)
