"""ComparisonService: what groups of individuals answered, question by question."""

from collections.abc import Iterator

from persona.v1 import comparison_service_pb2 as pb
from persona.v1.comparison_pb2 import QuestionSummary
from persona_server import patience
from persona_server.services.call import Call
from persona_server.services.comparison.selecting import (
    MOST_READ,
    AskedOf,
    Selection,
    selection_of,
)
from persona_server.services.comparison.summaries import shares_of, summary_message
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.paging import MAX_PAGE_BYTES, PageTokens, page_limit
from persona_server.storage.derived.participation import ALL_QUESTIONS
from persona_server.storage.store import Repositories, Store

MOST_SHARES = 2000  # of a call: each has two ends of an interval, some 25 microseconds each
_CHUNK = 100  # questions in memory at a time, at most; each has 64 KiB of options at most


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
        token = self._tokens.read(call, request, request.page_token, b"")
        after = int.from_bytes(token) if token else ALL_QUESTIONS
        limit = page_limit(request.page_size)
        with self._store.snapshot(call.tenant) as repositories:
            selection = selection_of(repositories, request)
            page = _Page(limit)
            for asked in _questions(selection, after):
                if not page.has_room(asked):
                    break
                page.add(asked, _summary(repositories, selection, asked))
        answer = b"".join(page.items)
        if page.is_last:
            return answer
        return answer + self._tokens.field(call, request, page.last.to_bytes(8))


class _Page:
    """The items of a page, and what may still be read and computed for it."""

    def __init__(self, limit: int) -> None:
        self.items: list[bytes] = []
        self.last = ALL_QUESTIONS
        self.is_last = True
        self._limit = limit
        self._bytes = self._read = self._shares = 0

    def has_room(self, asked: AskedOf) -> bool:
        """Return whether a question is of this page, which the first always is; else it ends."""
        self._read += asked.cost
        self._shares += max(1, shares_of(asked.question))  # nothing is for nothing
        within = self._read <= MOST_READ and self._shares <= MOST_SHARES
        full = len(self.items) >= self._limit or self._bytes > MAX_PAGE_BYTES // 2
        self.is_last = self.last == ALL_QUESTIONS or (within and not full)
        return self.is_last

    def add(self, asked: AskedOf, summary: QuestionSummary | None) -> None:
        """Add the summary of a question, or note that nobody answered it."""
        self.last = asked.id
        if summary is not None:
            self.items.append(frame(ELEMENT, summary.SerializeToString()))
            self._bytes += len(self.items[-1])


def _questions(selection: Selection, after: int) -> Iterator[AskedOf]:
    while chunk := selection.questions(after, _CHUNK):
        yield from chunk
        after = chunk[-1].id


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
