"""ResponseService: what personas answered, recorded for good, read as it was, or made void.

Answers leave as wire bytes: a stored response is already framed as the element of its list.
"""

from persona.v1.response_service_pb2 import (
    GetResponsePersonaRequest,
    GetResponseRequest,
    ListResponsesRequest,
    RecordResponsesRequest,
    VoidResponsesRequest,
    VoidResponsesResponse,
)
from persona_server.services.call import Call
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.paging import MAX_PAGE_BYTES, PageTokens, page_limit
from persona_server.services.parents import response_not_found
from persona_server.services.responses.external_ids import name_by_id
from persona_server.services.responses.listing import wanted
from persona_server.services.responses.recording import rebuild_recorded, record_responses
from persona_server.services.responses.voiding import void_responses, void_simulation
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.pages import START, Page
from persona_server.storage.repositories.response_lists import Order, Pages
from persona_server.storage.store import Store, Transaction
from persona_server.validation.response_lists import response_order


class ResponseService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(self, store: Store, tokens: PageTokens) -> None:
        self._store = store
        self._tokens = tokens

    def record_responses(self, call: Call, request: RecordResponsesRequest) -> bytes:
        """Record up to 1,000 answers, all or nothing.

        Raises PERSONA_GROUP_NOT_FOUND; PERSONA_NOT_FOUND, INVALID_FIELD and ALREADY_EXISTS naming
        the items.
        """

        def effect(repositories: Transaction) -> Outcome:
            given = request.responses
            by_external_id = name_by_id(repositories, request.group_id, given, "responses")
            done = record_responses(repositories, request.simulation_id, given, by_external_id)
            entry = audit_entry(
                call, request, project_id=done.project_id, response_count=done.number
            )
            answer = b"".join([*done.framed, done.warnings])
            return Outcome(answer, entry if done.number else None, keep=b"".join(done.ids))

        return mutate(self._store, call, request, effect, rebuild_recorded)

    def list_responses(self, call: Call, request: ListResponsesRequest) -> bytes:
        """Return one page of the answers that match every filter.

        Raises PROJECT_NOT_FOUND, PERSONA_GROUP_NOT_FOUND, PERSONA_NOT_FOUND,
        LIBRARY_PERSONA_NOT_FOUND and INVALID_PAGE_TOKEN.
        """
        token = self._tokens.read(call, request, request.page_token, START)
        order = Order(*response_order(request))
        with self._store.reading(call.tenant) as repositories:
            pages = repositories.responses.pages(wanted(repositories, request), order)
            page = _page(pages, token or pages.start, request.page_size)
        return self._tokens.page(call, request, [page.framed], page.last if page.more else None)

    def get_response(self, call: Call, request: GetResponseRequest) -> bytes:
        """Return one response. Raises RESPONSE_NOT_FOUND."""
        response = id_bytes(request.response_id)
        with self._store.reading(call.tenant) as repositories:
            framed = repositories.responses.known([response]).get(response)
        if framed is None:
            raise response_not_found(request.response_id)
        return framed

    def get_response_persona(self, call: Call, request: GetResponsePersonaRequest) -> bytes:
        """Return the stored persona that gave a response. Raises RESPONSE_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            persona = repositories.responses.persona(id_bytes(request.response_id))
            if persona is None:
                raise response_not_found(request.response_id)
            framed = repositories.personas.recorded(persona)
        if framed is None:  # it has been erased since: one that has answers is never purged
            raise response_not_found(request.response_id)
        return framed

    def void_responses(self, call: Call, request: VoidResponsesRequest) -> bytes:
        """Void up to 1,000 responses, all or nothing, or a simulation.

        Raises RESPONSE_NOT_FOUND and SIMULATION_NOT_FOUND.
        """

        def effect(repositories: Transaction) -> Outcome:
            if request.simulation_id:
                done = void_simulation(repositories, request.simulation_id, request.reason)
            else:
                ids = request.response_ids
                done = void_responses(repositories, ids, request.reason)
            count = done.responses
            entry = audit_entry(call, request, response_count=count) if done.changed else None
            return Outcome(VoidResponsesResponse(voided_count=count).SerializeToString(), entry)

        return mutate(self._store, call, request, effect)


def _page(pages: Pages, after: bytes, size: int) -> Page:
    while True:
        longest = pages.longest(after, page_limit(size))
        page = pages.page(after, page_limit(size, longest))
        if len(page.framed) <= MAX_PAGE_BYTES:  # else a longer one was recorded in between
            return page
