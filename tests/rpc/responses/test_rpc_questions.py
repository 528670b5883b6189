"""ListQuestions counts what was asked; a second answer to one question is told, and recorded."""

from typing import Any

import grpc
import pytest

from persona.v1 import response_service_pb2 as responses_pb
from persona.v1 import simulation_service_pb2 as pb
from persona.v1.comparison_service_pb2 import SummarizeResponsesRequest
from persona.v1.measures_pb2 import QuestionKind
from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import RECORD_WARNING_REASON_DUPLICATE_ANSWER
from persona.v1.simulation_pb2 import AskedQuestion
from support.answers import answer, record
from support.data import Place, at, make_place, micros, uid
from support.errors import refused
from support.library import individual, persona_timeline, reuse

NOT_FOUND = grpc.StatusCode.NOT_FOUND


def questions(place: Place, **arguments: Any) -> list[AskedQuestion]:
    found: list[AskedQuestion] = []
    token = None
    while token != "":
        request = pb.ListQuestionsRequest(
            project_id=place.project, page_token=token or "", **arguments
        )
        page = place.caller.simulations.ListQuestions(request)
        found += page.questions
        token = page.next_page_token
    return found


def counts(found: list[AskedQuestion]) -> list[tuple[str, int, int, int, int]]:
    return [
        (
            one.question.key,
            one.response_count,
            one.individual_count,
            micros(one.first_answer_at),
            micros(one.last_answer_at),
        )
        for one in found
    ]


def choice(who: str, time: int, *options: str) -> Response:
    value = ChoiceAnswer(value=options[0], options=options)
    return answer(who, question_key="brew", choice=value, occurred_at=at(time))


def test_questions_are_counted_in_a_simulation_and_a_project(place: Place) -> None:
    one, two = (person.id for person in place.fill(2))
    first, second = uid(), uid()
    record(place.caller, first, *[answer(who, occurred_at=at(9)) for who in (one, two)])
    record(place.caller, second, answer(two, occurred_at=at(4)), choice(one, 7, "b", "a"))
    record(place.caller, second, choice(one, 8, "a", "b"))
    assert counts(questions(place, simulation_id=first)) == [("nps", 2, 2, 9, 9)]
    assert counts(questions(place, simulation_id=second.upper())) == [
        ("nps", 1, 1, 4, 4),
        ("brew", 2, 1, 7, 8),
    ]
    whole = questions(place)
    assert counts(whole) == [("nps", 3, 2, 4, 9), ("brew", 2, 1, 7, 8)]
    assert questions(place, page_size=1) == whole
    rating = whole[0].question
    assert (rating.kind, rating.min, rating.max) == (QuestionKind.QUESTION_KIND_RATING, 1, 5)


def test_options_are_as_the_first_answer_declared_them(place: Place) -> None:
    """The first to occur, though it may be recorded last."""
    (one,) = place.fill(1)
    record(place.caller, uid(), choice(one.id, 5, "weak", "strong", "decaf"))
    record(place.caller, uid(), choice(one.id, 6, "decaf", "strong", "weak"))
    (found,) = questions(place)
    assert list(found.question.options) == ["weak", "strong", "decaf"]
    record(place.caller, uid(), choice(one.id, 4, "strong", "weak", "decaf"))
    (found,) = questions(place)
    assert list(found.question.options) == ["strong", "weak", "decaf"]
    several = ChoicesAnswer(values=[], options=["z", "a"])
    record(place.caller, uid(), answer(one.id, question_key="where", choices=several))
    assert list(questions(place)[1].question.options) == ["z", "a"]


def test_a_question_has_one_order_of_options_wherever_it_is_shown(place: Place) -> None:
    """That of its first answer, also where a simulation or a project has only later ones."""
    elsewhere = make_place(place.caller)
    (one,), (other,) = place.fill(1), elsewhere.fill(1)
    first, second, third = uid(), uid(), uid()
    key = f"brew {first}"
    for who, simulation, time, options in (
        (one, first, 1, ["mild", "dark", "bold"]),
        (one, second, 2, ["bold", "mild", "dark"]),
        (other, third, 3, ["dark", "bold", "mild"]),
    ):
        value = ChoiceAnswer(value="dark", options=options)
        given = answer(who.id, question_key=key, choice=value, occurred_at=at(time))
        record(place.caller, simulation, given)
    summary = SummarizeResponsesRequest(project_id=place.project, simulation_id=second)
    asked = [questions(place, simulation_id=simulation) for simulation in (first, second)]
    asked += [questions(place), questions(elsewhere)]
    shown = [one.question for found in asked for one in found]
    shown += [t.question for t in place.caller.comparison.SummarizeResponses(summary).summaries]
    shown += [t.question for t in persona_timeline(elsewhere, other.id)]
    assert [list(each.options) for each in shown] == [["mild", "dark", "bold"]] * 6


def test_texts_of_one_key_are_one_question(place: Place) -> None:
    one, two = (person.id for person in place.fill(2))
    said = [
        answer(one, question_key="why", text="It lasts."),
        answer(two, question_key="why", text="It lasts.", themes=["quality"]),
    ]
    record(place.caller, uid(), *said)
    (found,) = questions(place)
    assert (found.response_count, found.individual_count) == (2, 2)
    assert found.question.kind == QuestionKind.QUESTION_KIND_THEMES


def test_another_scale_is_another_question(place: Place) -> None:
    (one,) = place.fill(1)
    for highest in (5, 7):
        rating = RatingAnswer(value=3, min=1, max=highest)
        record(place.caller, uid(), answer(one.id, rating=rating))
    assert [found.question.max for found in questions(place)] == [5, 7]


def test_a_project_counts_an_individual_once_and_others_projects_not(place: Place) -> None:
    shared = individual(place)
    copy = reuse(make_place(place.caller, place.project), shared.id)[0].id
    elsewhere = make_place(place.caller)
    guest = reuse(elsewhere, shared.id)[0].id
    for who in (shared.origin_persona_id, copy, guest):
        record(place.caller, uid(), answer(who, question_key="mine", occurred_at=at(1)))
    assert ("mine", 2, 1, 1, 1) in counts(questions(place))
    assert counts(questions(elsewhere)) == [("mine", 1, 1, 1, 1)]


def test_what_is_not_there_is_named(place: Place) -> None:
    with refused("SIMULATION_NOT_FOUND", NOT_FOUND):
        questions(place, simulation_id=uid())
    with refused("PROJECT_NOT_FOUND", NOT_FOUND):
        questions(Place(place.caller, uid(), place.group))
    for bad in ({"simulation_id": "x"}, {"page_size": -1}):
        with refused("INVALID_FIELD"):
            questions(place, **bad)
    assert questions(place) == []


def told(place: Place, simulation: str, *given: Response, request_id: str = "") -> Any:
    request = responses_pb.RecordResponsesRequest(
        simulation_id=simulation, responses=given, request_id=request_id
    )
    return place.caller.responses.RecordResponses(request)


def warned(answered: Any) -> list[tuple[int, str]]:
    for warning in answered.warnings:
        assert warning.reason == RECORD_WARNING_REASON_DUPLICATE_ANSWER
        assert warning.earlier_response_id in warning.message
    return [(one.index, one.earlier_response_id) for one in answered.warnings]


def test_a_second_answer_is_recorded_with_a_warning(place: Place) -> None:
    one, two = (person.id for person in place.fill(2))
    simulation = uid()
    batch = told(place, simulation, answer(one), answer(two), answer(one))
    first = batch.responses[0].id
    assert warned(batch) == [(2, first)]
    later = told(place, simulation, answer(one, question_key="other"), answer(one))
    assert warned(later) == [(1, first)]
    assert len(later.responses) == 2
    assert warned(told(place, uid(), answer(one))) == []  # another simulation
    rating = RatingAnswer(value=1, min=1, max=9)
    assert warned(told(place, simulation, answer(one, rating=rating))) == []  # another scale


def test_texts_and_copies_are_compared_too(place: Place) -> None:
    shared, simulation = individual(place), uid()
    copy = reuse(make_place(place.caller, place.project), shared.id)[0].id
    first = told(place, simulation, answer(shared.origin_persona_id, text="Yes."))
    again = told(place, simulation, answer(copy, text="No.", themes=["taste"]))
    assert warned(again) == [(0, first.responses[0].id)]


@pytest.mark.parametrize("how", ["request_id", "ids"])
def test_whoever_repeats_a_call_is_told_the_same(place: Place, how: str) -> None:
    (one,) = place.fill(1)
    simulation, request_id = uid(), uid() if how == "request_id" else ""
    told(place, simulation, answer(one.id, id=uid()))
    given = [answer(one.id, id=uid() if how == "ids" else "") for _ in range(2)]
    first = told(place, simulation, *given, request_id=request_id)
    assert [index for index, _ in warned(first)] == [0, 1]
    told(place, simulation, answer(one.id, occurred_at=at(1)))  # meanwhile, and earlier
    assert told(place, simulation, *given, request_id=request_id) == first


def test_known_and_new_answers_of_a_batch_are_told_by_their_places(place: Place) -> None:
    (one,) = place.fill(1)
    simulation, known = uid(), answer(one.id, id=uid())
    told(place, simulation, known)
    batch = told(place, simulation, answer(one.id), known, answer(one.id))
    assert warned(batch) == [(0, known.id), (2, known.id)]
