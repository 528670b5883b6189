"""Read summaries, and record what many individuals say, by how many say what."""

from typing import Any

from persona.v1 import comparison_service_pb2 as pb
from persona.v1.comparison_pb2 import QuestionComparison, QuestionSummary
from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer
from support.answers import answer, record
from support.data import Place, uid


def summaries(place: Place, **arguments: Any) -> list[QuestionSummary]:
    """Return a whole summary of a place's project, page by page."""
    found: list[QuestionSummary] = []
    token = None
    while token != "":
        request = pb.SummarizeResponsesRequest(
            **{"project_id": place.project, **arguments}, page_token=token or ""
        )
        page = place.caller.comparison.SummarizeResponses(request)
        found += page.summaries
        token = page.next_page_token
    return found


def comparisons(place: Place, **arguments: Any) -> list[QuestionComparison]:
    """Return all comparisons in a place's project, page by page."""
    found: list[QuestionComparison] = []
    token = None
    while token != "":
        request = pb.CompareResponsesRequest(
            **{"project_id": place.project, **arguments}, page_token=token or ""
        )
        page = place.caller.comparison.CompareResponses(request)
        found += page.comparisons
        token = page.next_page_token
    return found


def choose(place: Place, counts: dict[str, int], **fields: Any) -> str:
    """Let new personas choose, so many each option as declared; return the simulation."""
    said = [option for option, count in counts.items() for _ in range(count)]
    given = [{"choice": ChoiceAnswer(value=value, options=list(counts))} for value in said]
    return _say(place, given, **fields)


def rate(place: Place, counts: list[int], **fields: Any) -> str:
    """Let new personas rate from 1 to len(counts), so many each; return the simulation."""
    said = [i for i, count in enumerate(counts, 1) for _ in range(count)]
    given = [{"rating": RatingAnswer(value=value, min=1, max=len(counts))} for value in said]
    return _say(place, given, **fields)


def _say(place: Place, given: list[dict[str, Any]], simulation: str = "", key: str = "q") -> str:
    simulation = simulation or uid()
    people = place.fill(len(given))
    pairs = zip(people, given, strict=True)
    answers = [answer(one.id, question_key=key, **said) for one, said in pairs]
    record(place.caller, simulation, *answers)
    return simulation
