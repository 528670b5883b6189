"""ResponseService: what personas answered, recorded for good and read as it was.

Answers leave as wire bytes: a stored response is already framed as the element of its list.
"""

from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1.response_service_pb2 import (
    GetResponsePersonaRequest,
    ListResponsesRequest,
    RecordResponsesRequest,
)
from persona_server.services.call import Call
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.library.individuals import library_individual
from persona_server.services.paging import MAX_PAGE_BYTES, PageTokens, page_limit
from persona_server.services.parents import (
    persona_not_found,
    project_not_found,
    response_not_found,
)
from persona_server.services.responses.external_ids import name_by_id
from persona_server.services.responses.recording import record_responses
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.pages import START, Page
from persona_server.storage.repositories.responses import FOREVER, Pages, Range
from persona_server.storage.store import Repositories, Store, Transaction


class ResponseService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(self, store: Store, tokens: PageTokens, *, queues: bool) -> None:
        self._store = store
        self._tokens = tokens
        self._queues = queues  # whether those who answered are queued for automatic promotion

    def record_responses(self, call: Call, request: RecordResponsesRequest) -> bytes:
        """Record up to 1,000 answers, all or nothing.

        Raises PERSONA_GROUP_NOT_FOUND; PERSONA_NOT_FOUND, INVALID_FIELD and ALREADY_EXISTS naming
        the items.
        """

        def effect(repositories: Transaction) -> Outcome:
            name_by_id(repositories, request)
            done = record_responses(
                repositories, request.simulation_id, request.responses, queues=self._queues
            )
            entry = audit_entry(
                call, request, project_id=done.project_id, response_count=done.number
            )
            answer = b"".join(done.framed)
            return Outcome(answer, entry if done.number else None, keep=b"".join(done.ids))

        return mutate(self._store, call, request, effect, _rebuild)

    def list_responses(self, call: Call, request: ListResponsesRequest) -> bytes:
        """Return one page of a simulation's, project's, persona's or individual's answers.

        Oldest first. Raises PROJECT_NOT_FOUND, PERSONA_NOT_FOUND, LIBRARY_PERSONA_NOT_FOUND and
        INVALID_PAGE_TOKEN.
        """
        start = _bound(request.start_time) if request.HasField("start_time") else START
        until = _bound(request.end_time) if request.HasField("end_time") else FOREVER
        after = self._tokens.read(call, request, request.page_token, start)
        where = Range(after, until, request.question_key or None)
        with self._store.reading(call.tenant) as repositories:
            page = _page(_scope(repositories, request), where, request.page_size)
        if not page.more:
            return page.framed
        return page.framed + self._tokens.field(call, request, page.last)

    def get_response_persona(self, call: Call, request: GetResponsePersonaRequest) -> bytes:
        """Return the stored persona that gave a response. Raises RESPONSE_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            persona = repositories.responses.persona(id_bytes(request.response_id))
            if persona is None:
                raise response_not_found(request.response_id)
            framed = repositories.personas.recorded(persona)
        assert framed is not None  # a persona that has answers is never purged
        return framed


def _scope(repositories: Repositories, request: ListResponsesRequest) -> Pages:
    """Return the list that a request names, whose owner may be deleted but not unknown."""
    if request.project_id:
        project = id_bytes(request.project_id)
        if repositories.projects.find(project) is None:
            raise project_not_found(request.project_id)
        return repositories.responses.of_project(project)
    if request.persona_id:
        persona = id_bytes(request.persona_id)
        if repositories.personas.recorded(persona) is None:
            raise persona_not_found(request.persona_id, where="")
        return repositories.responses.of_persona(persona)
    if request.library_persona_id:
        individual = library_individual(repositories, request.library_persona_id)
        return repositories.responses.of_library(
            id_bytes(request.library_persona_id), individual.origin
        )
    return repositories.responses.of_simulation(id_bytes(request.simulation_id))


def _page(pages: Pages, where: Range, size: int) -> Page:
    while True:
        longest = pages.longest(where, page_limit(size))
        page = pages.page(where, page_limit(size, longest))
        if len(page.framed) <= MAX_PAGE_BYTES:  # else a longer one was recorded in between
            return page


def _bound(time: Timestamp) -> bytes:
    """Return what stands before every position of a time, and after those of all earlier ones."""
    return keys.position(time.seconds * 1_000_000 + time.nanos // 1000, b"")


def _rebuild(repositories: Repositories, kept: bytes) -> bytes:
    """Return a batch's answer from its ids."""
    ids = [kept[i : i + 16] for i in range(0, len(kept), 16)]
    known = repositories.responses.known(ids)
    return b"".join(known[raw] for raw in ids)
