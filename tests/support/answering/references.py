"""What real people answered: recorded of the personas that stand for them, and measured."""

from collections.abc import Iterable, Sequence
from typing import Any

from persona.v1 import comparison_service_pb2 as pb
from persona.v1.fidelity_pb2 import Fidelity, GivenAnswer, QuestionFidelity, ReferenceAnswer
from persona.v1.measures_pb2 import QUESTION_KIND_CHOICE, QUESTION_KIND_RATING, Question
from support.answers import KINDS
from support.data import Place


def rated(
    persona_id: str,
    rating: int,
    retest: int | None = None,
    key: str = "nps",
    scale: tuple[int, int] = (1, 5),
) -> ReferenceAnswer:
    """Return what a person rated, and in a retest."""
    question = Question(key=key, kind=QUESTION_KIND_RATING, min=scale[0], max=scale[1])
    again = None if retest is None else GivenAnswer(rating=retest)
    given = GivenAnswer(rating=rating)
    return ReferenceAnswer(persona_id=persona_id, question=question, answer=given, retest=again)


def chosen(
    persona_id: str, options: Sequence[str], *given: str, key: str = "q", **fields: Any
) -> ReferenceAnswer:
    """Return what a person chose: one of the options, unless a kind of question says otherwise."""
    kind = fields.pop("kind", QUESTION_KIND_CHOICE)
    question = Question(key=key, kind=kind, options=options)
    answer = GivenAnswer(options=given)
    return ReferenceAnswer(persona_id=persona_id, question=question, answer=answer, **fields)


def referring(group: dict[str, Any], people: Iterable[str]) -> pb.RecordReferenceAnswersRequest:
    """Return the request that records a rating of each persona's person, twice, on KINDS' scale."""
    scale = KINDS["rating"].min, KINDS["rating"].max
    given = [rated(one, i % 3, 0, scale=scale) for i, one in enumerate(people)]
    return pb.RecordReferenceAnswersRequest(**group, reference_answers=given)


def refer(place: Place, *given: ReferenceAnswer, **arguments: Any) -> int:
    """Record reference answers, and return how many are new or other ones."""
    request = pb.RecordReferenceAnswersRequest(**place.ids, reference_answers=given, **arguments)
    return place.caller.comparison.RecordReferenceAnswers(request).recorded_count


def fidelity(place: Place, persona_id: str, **arguments: Any) -> Fidelity:
    """Measure a persona."""
    request = pb.MeasureFidelityRequest(**place.ids, persona_id=persona_id, **arguments)
    return place.caller.comparison.MeasureFidelity(request).fidelity


def group_fidelity(place: Place, **arguments: Any) -> list[QuestionFidelity]:
    """Measure a group, page by page."""
    found: list[QuestionFidelity] = []
    token = None
    while token != "":
        request = pb.MeasureGroupFidelityRequest(**place.ids, **arguments, page_token=token or "")
        page = place.caller.comparison.MeasureGroupFidelity(request)
        found += page.questions
        token = page.next_page_token
    return found
