"""The personas of all groups of a project: group by group, the oldest first."""

from persona.v1.persona_service_pb2 import ListPersonasRequest
from persona_server.services.call import Call
from persona_server.services.paging import MAX_PAGE_BYTES, PageTokens, page_limit
from persona_server.services.parents import require_project
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.filters import NO_FILTERS
from persona_server.storage.repositories.pages import MOST_VISITED, START
from persona_server.storage.repositories.shown_groups import ShownGroup
from persona_server.storage.store import Repositories, Store
from persona_server.validation.filters import filters_of
from persona_server.validation.terms import wanted_terms

MOST_GROUPS = 100  # that a call looks at: each takes a statement
_POSITION = 24  # bytes of a group's place in a token, before that of a persona in it
_FIRST = bytes(_POSITION)


def list_all_groups(
    store: Store, tokens: PageTokens, call: Call, request: ListPersonasRequest
) -> bytes:
    """Return one page. Raises PROJECT_NOT_FOUND and INVALID_PAGE_TOKEN."""
    token = tokens.read(call, request, request.page_token, _FIRST)
    project, place = id_bytes(request.project_id), token[:_POSITION]
    with store.snapshot(call.tenant) as repositories:
        require_project(repositories, request.project_id)
        groups = repositories.shown_groups.oldest(project, place, MOST_GROUPS + 1)
        page = _Page(repositories, request)
        stopped = None
        for i, group in enumerate(groups):
            here = keys.position(group.created_at, group.id)
            after = token[_POSITION:] if here == place else START
            stopped = after if i == MOST_GROUPS else page.fill(group, after)
            if stopped is not None:
                return tokens.page(call, request, [page.framed], here + stopped)
    return page.framed


class _Page:
    """A page in the making: what it holds, and how much has been looked at for it."""

    def __init__(self, repositories: Repositories, request: ListPersonasRequest) -> None:
        self._personas = repositories.personas
        self._filters, self._terms = filters_of(request), wanted_terms(request)
        # All that is looked at is taken in, unless there is more than one term to go by.
        self._narrows = self._filters != NO_FILTERS or len(self._terms) > 1
        self._room = page_limit(request.page_size)
        self._looked = 0
        self.framed = b""

    def fill(self, group: ShownGroup, after: bytes) -> bytes | None:
        """Take in a group's personas after a position; return where it stopped, None at the end."""
        if not group.persona_count:
            return None
        cost = group.persona_count if self._narrows else 0
        longest = max(group.max_framed, 1)
        limit = min(self._room, (MAX_PAGE_BYTES - len(self.framed)) // longest)
        if limit < 1 or (self._looked and self._looked + cost > MOST_VISITED):
            return after
        page = self._personas.page(group.id, group.set_id, after, limit, self._filters, self._terms)
        self._looked += cost or page.size
        self._room -= page.size
        self.framed += page.framed
        return page.last if page.more else None
