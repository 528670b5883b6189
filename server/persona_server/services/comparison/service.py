"""ComparisonService: what groups of individuals answered, and how far as real people did."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from persona.v1 import comparison_service_pb2 as pb
from persona.v1.comparison_pb2 import QuestionComparison, QuestionSummary
from persona.v1.fidelity_pb2 import QuestionFidelity
from persona_server import patience
from persona_server.measures.answers import Question
from persona_server.measures.populations import Numbers
from persona_server.services.call import Call
from persona_server.services.comparison.comparisons import (
    adjust,
    selections_message,
    target_message,
)
from persona_server.services.comparison.fidelity import GroupFidelity, fidelity_message
from persona_server.services.comparison.pages import (
    NOTHING,
    START,
    Cost,
    Page,
    is_asked_for,
    questions_of,
)
from persona_server.services.comparison.references import record_references
from persona_server.services.comparison.selecting import (
    AskedOf,
    Selection,
    WantedSelection,
    asked_by,
    numbers_of,
    selection_of,
    without_shared,
)
from persona_server.services.comparison.summaries import most_shares, summary_message
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.library.reliability_messages import question_from
from persona_server.services.paging import PageTokens, page_limit
from persona_server.storage.store import Repositories, Store, Transaction

# Of a call. A share has two ends of an interval, some 25 microseconds each. Comparing K answers
# takes some 3 microseconds for each of K² covariances, and as long as for 1,000 of them beside.
_MOST_SHARES = 2000
_MOST_COVARIANCES, _BESIDE = 100_000, 1000

_Paged = pb.SummarizeResponsesRequest | pb.CompareResponsesRequest | pb.MeasureGroupFidelityRequest


class ComparisonService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(self, store: Store, tokens: PageTokens) -> None:
        self._store = store
        self._tokens = tokens

    def summarize_responses(self, call: Call, request: pb.SummarizeResponsesRequest) -> bytes:
        """Return one page of a selection's summary.

        Raises NOT_FOUND reasons, outermost first, INVALID_FIELD for one that is too large, and
        INVALID_PAGE_TOKEN.
        """
        after = self._after(call, request)
        page = Page[QuestionSummary](page_limit(request.page_size))
        wanted = WantedSelection(request.project_id, request.simulation_id, request.group_id)
        with self._store.snapshot(call.tenant) as repositories:
            selection = selection_of(repositories, wanted)
            for asked in questions_of(selection, after):
                asked_for = is_asked_for(request.question_key, asked.question)
                if not page.has_room(_counting(selection, asked) if asked_for else NOTHING):
                    break
                found = _summary(repositories, selection, asked) if asked_for else None
                page.add(asked.id, found)
        return self._answer(call, request, page)

    def compare_responses(self, call: Call, request: pb.CompareResponsesRequest) -> bytes:
        """Return one page of comparisons of a selection with another, or with targets.

        Raises as `summarize_responses` does.
        """
        after = self._after(call, request)
        page = Page[QuestionComparison](page_limit(request.page_size))
        with self._store.snapshot(call.tenant) as repositories:
            for pair in _pairs(repositories, request, after):
                if not page.has_room(pair.cost):
                    break
                patience.require()
                page.add(pair.position, pair.compare())
        adjust(page.items)
        return self._answer(call, request, page)

    def record_reference_answers(
        self, call: Call, request: pb.RecordReferenceAnswersRequest
    ) -> bytes:
        """Record what the people that personas of a group stand for answered, all or nothing.

        Raises PROJECT_NOT_FOUND, PERSONA_GROUP_NOT_FOUND, PERSONA_NOT_FOUND, INVALID_FIELD and
        QUOTA_EXCEEDED.
        """

        def effect(repositories: Transaction) -> Outcome:
            count = record_references(repositories, request)
            entry = audit_entry(call, request, response_count=count) if count else None
            answer = pb.RecordReferenceAnswersResponse(recorded_count=count)
            return Outcome(answer.SerializeToString(), entry)

        return mutate(self._store, call, request, effect)

    def measure_fidelity(self, call: Call, request: pb.MeasureFidelityRequest) -> bytes:
        """Return how far a persona answers as its person. Raises NOT_FOUND reasons."""
        with self._store.snapshot(call.tenant) as repositories:
            found = fidelity_message(repositories, request)
        return pb.MeasureFidelityResponse(fidelity=found).SerializeToString()

    def measure_group_fidelity(self, call: Call, request: pb.MeasureGroupFidelityRequest) -> bytes:
        """Return one page of how far a group answers as its people.

        Raises as `summarize_responses` does.
        """
        after = self._after(call, request)
        page = Page[QuestionFidelity](page_limit(request.page_size))
        with self._store.snapshot(call.tenant) as repositories:
            group = GroupFidelity(repositories, request)
            for one in group.questions(after):
                work = _work(one.asked.question) if one.read else 0
                if not page.has_room(Cost(one.read, work)):
                    break
                patience.require()
                page.add(one.asked.id, group.measure(one))
        adjust([one.comparison for one in page.items])
        return self._answer(call, request, page)

    def _after(self, call: Call, request: _Paged) -> int:
        """Return the position behind which a page begins. Raises INVALID_PAGE_TOKEN."""
        token = self._tokens.read(call, request, request.page_token, b"")
        return int.from_bytes(token) if token else START

    def _answer(
        self,
        call: Call,
        request: _Paged,
        page: Page[QuestionSummary] | Page[QuestionComparison] | Page[QuestionFidelity],
    ) -> bytes:
        last = None if page.is_last else page.last.to_bytes(8)
        return self._tokens.page(call, request, [page.framed()], last)


def _counting(selection: Selection, asked: AskedOf) -> Cost:
    """Return what it takes to summarize the answers to a question."""
    return Cost(selection.counting(asked), most_shares(asked.question) / _MOST_SHARES)


def _work(question: Question) -> float:
    """Return what share of a page's computing it takes to compare the answers to a question."""
    return (most_shares(question) ** 2 + _BESIDE) / _MOST_COVARIANCES


class _Pair(NamedTuple):
    """A question that may be compared: its position in the list, and what that takes."""

    position: int
    cost: Cost
    compare: Callable[[], QuestionComparison | None]  # None if one side has no answers


def _summary(
    repositories: Repositories, selection: Selection, asked: AskedOf
) -> QuestionSummary | None:
    """Return the summary of a question; None if none of the selection answered it."""
    patience.require()
    question = asked.question
    counted = selection.counted(asked)
    declared = repositories.derived.declared([question])[question]
    summary = summary_message(repositories.selections, question, declared, counted)
    return summary if summary.individual_count or summary.too_many_sets else None


def _pairs(
    repositories: Repositories, request: pb.CompareResponsesRequest, after: int
) -> Iterator[_Pair]:
    ids = (request.simulation_id, request.group_id, request.model)
    others = (request.other_simulation_id, request.other_group_id, request.other_model)
    one = selection_of(repositories, WantedSelection(request.project_id, *ids))
    if request.targets:
        return _with_targets(repositories, one, request, after)
    other = selection_of(repositories, WantedSelection(request.project_id, *others, "other_"))
    return _with_other(repositories, one, other, request.question_key, after)


def _with_targets(
    repositories: Repositories, one: Selection, request: pb.CompareResponsesRequest, after: int
) -> Iterator[_Pair]:
    """Yield the targets behind a place, from 1, to which the selection was asked."""
    questions = [question_from(target.question) for target in request.targets]
    known = repositories.derived.known(questions)
    for place in range(after, len(questions)):
        question = questions[place]
        asked = asked_by(one, known[question]) if question in known else None
        if asked is None or not is_asked_for(request.question_key, question):
            continue

        def compare(asked: AskedOf = asked, place: int = place) -> QuestionComparison | None:
            counts = one.counted(asked)
            if not counts or isinstance(counts, Numbers):  # of longer scales than targets have
                return None
            declared = repositories.derived.declared([asked.question])[asked.question]
            return target_message(asked.question, declared, counts, request.targets[place])

        yield _Pair(place + 1, Cost(one.counting(asked), _work(question)), compare)


def _with_other(
    repositories: Repositories, one: Selection, other: Selection, key: str, after: int
) -> Iterator[_Pair]:
    """Yield the questions behind one, which both selections were asked."""
    for asked in questions_of(one, after):
        if not is_asked_for(key, asked.question):
            yield _Pair(asked.id, NOTHING, lambda: None)
            continue
        theirs = asked_by(other, asked.id)

        def compare(
            asked: AskedOf = asked, theirs: AskedOf | None = theirs
        ) -> QuestionComparison | None:
            mine = one.given(asked)
            first, second = without_shared(mine, other.given(theirs) if theirs and mine else {})
            if not (first and second):
                return None
            declared = repositories.derived.declared([asked.question])[asked.question]
            given = numbers_of(first), numbers_of(second)
            return selections_message(asked.question, declared, *given)

        read = max(one.reading(asked), other.reading(theirs) if theirs else 0)
        yield _Pair(asked.id, Cost(read, _work(asked.question)), compare)
