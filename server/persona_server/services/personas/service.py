"""PersonaService: personas listed, read, created, imported, exported and deleted.

Answers leave as wire bytes: a stored persona is already framed as the element of its response.
"""

from collections.abc import Iterator
from typing import TypeAlias

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    BatchCreatePersonasRequest,
    BatchGetPersonasRequest,
    CopyPersonasRequest,
    CountPersonasRequest,
    CountPersonasResponse,
    CreatePersonaRequest,
    DeleteAllPersonasRequest,
    DeleteAllPersonasResponse,
    DeletePersonaRequest,
    ExportPersonasRequest,
    GetPersonaLineageRequest,
    GetPersonaRequest,
    ImportPersonasRequest,
    ListPersonasRequest,
)
from persona_server.services.call import Call
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.library.lineage import lineage
from persona_server.services.paging import MAX_PAGE_BYTES, PageTokens, page_limit
from persona_server.services.parents import (
    Shown,
    lock_group,
    persona_not_found,
    require_persona,
    require_shown,
)
from persona_server.services.personas import importing
from persona_server.services.personas.adding import add_personas, locked_group
from persona_server.services.personas.all_groups import list_all_groups
from persona_server.services.personas.copying import copy_personas
from persona_server.services.personas.finding import count, several
from persona_server.services.personas.page_cache import Key, PageCache
from persona_server.services.personas.removing import hide_persona
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.replica import Replica, Version
from persona_server.storage.repositories.pages import START, Page
from persona_server.storage.repositories.persona_pages import ShownPage
from persona_server.storage.store import Repositories, Store, Transaction
from persona_server.validation.fields import ALL_GROUPS
from persona_server.validation.filters import filters_of
from persona_server.validation.terms import wanted_terms

_CHUNK = 200  # personas an export chunk holds: some 250 KB

Listing: TypeAlias = ListPersonasRequest | ExportPersonasRequest


class PersonaService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(
        self,
        store: Store,
        tokens: PageTokens,
        cache: PageCache,
        replica: Replica | None = None,
    ) -> None:
        """Serve from a store; pages and exports of a group from its `replica` where that has it."""
        self._store = store
        self._tokens = tokens
        self._cache = cache
        self._replica = replica

    def get_persona(self, call: Call, request: GetPersonaRequest) -> bytes:
        """Return the stored persona. Raises PERSONA_NOT_FOUND or a parent's reason."""
        with self._store.reading(call.tenant) as repositories:
            return require_persona(
                repositories, request.project_id, request.group_id, request.persona_id
            )

    def batch_get_personas(self, call: Call, request: BatchGetPersonasRequest) -> bytes:
        """Return up to 1,000 personas, all or nothing.

        Raises PERSONA_NOT_FOUND naming each, MESSAGE_TOO_LARGE or a parent's reason.
        """
        with self._store.snapshot(call.tenant) as repositories:
            shown = require_shown(repositories, request.project_id, request.group_id)
            return several(repositories, shown.set_id, request.persona_ids)

    def count_personas(self, call: Call, request: CountPersonasRequest) -> bytes:
        """Return how many match of those that one call looks at. Raises INVALID_PAGE_TOKEN."""
        after = self._tokens.read(call, request, request.page_token, START)
        with self._store.snapshot(call.tenant) as repositories:
            counted = count(repositories, request, after)
        answer = CountPersonasResponse(count=counted.number)
        if counted.stopped is not None:
            answer.next_page_token = self._tokens.make(call, request, counted.stopped)
        return answer.SerializeToString()

    def list_personas(self, call: Call, request: ListPersonasRequest) -> bytes:
        """Return one page, oldest first. Raises INVALID_PAGE_TOKEN."""
        if request.group_id == ALL_GROUPS:
            return list_all_groups(self._store, self._tokens, call, request)
        after = self._tokens.read(call, request, request.page_token, START)
        with self._store.reading(call.tenant) as repositories:
            if (found := self._at_once(repositories, request, after)) is not None:
                page, call.version = found
                return self._answer(call, request, page)
            shown = require_shown(repositories, request.project_id, request.group_id)
            call.version = shown.version

            def read() -> bytes:
                page = self._page(call, repositories, request, shown, after, request.page_size)
                return self._answer(call, request, page)

            if not self._cache.keeps:
                return read()
            key = Key(call.tenant, request.SerializeToString(deterministic=True))
            answer = self._cache.get(key, shown.version)
            if answer is None:
                answer = read()
                self._cache.put(key, shown.version, answer)
            return answer

    def _at_once(
        self, repositories: Repositories, request: ListPersonasRequest, after: bytes
    ) -> ShownPage | None:
        """Return a page of a group, with its version, if one statement can find both; else None.

        It can't where the version is what tells whether the page must be read, or from where.
        """
        if self._cache.keeps or self._replica is not None:
            return None
        if filters_of(request) or wanted_terms(request):
            return None
        ids = id_bytes(request.project_id), id_bytes(request.group_id)
        limit = page_limit(request.page_size)
        return repositories.personas.shown_page(*ids, after, limit, MAX_PAGE_BYTES)

    def _answer(self, call: Call, request: ListPersonasRequest, page: Page) -> bytes:
        return self._tokens.page(call, request, [page.framed], page.last if page.more else None)

    def export_personas(self, call: Call, request: ExportPersonasRequest) -> Iterator[bytes]:
        """Yield the group in chunks, each with the token that continues after it.

        Where few match, chunks may be empty: they say how far the export is.
        """
        after = self._tokens.read(call, request, request.resume_token, START)
        more = True
        while more:
            with self._store.reading(call.tenant) as repositories:
                shown = require_shown(repositories, request.project_id, request.group_id)
                page = self._page(call, repositories, request, shown, after, _CHUNK)
            more = page.more
            if page.size or more:
                after = page.last
                yield self._tokens.page(call, request, [page.framed], after)

    def _page(
        self,
        call: Call,
        repositories: Repositories,
        request: Listing,
        shown: Shown,
        after: bytes,
        size: int,
    ) -> Page:
        """Return a page of the set that the group shows, from wherever it may be read."""
        if self._replica is not None:
            ids = id_bytes(request.project_id), id_bytes(request.group_id)
            page = self._replica.read(
                call.tenant,
                Version(*ids, shown.version),
                lambda there: page_of(there, request, shown, after, size),
            )
            if page is not None:
                return page
        return page_of(repositories, request, shown, after, size)

    def create_persona(self, call: Call, request: CreatePersonaRequest) -> bytes:
        """Add one persona, or return the same one. Raises ALREADY_EXISTS."""

        def effect(repositories: Transaction) -> Outcome:
            group = locked_group(repositories, request.project_id, request.group_id)
            added = add_personas(repositories, group, [request.persona], "persona")
            entry = audit_entry(call, request, persona_id=added.ids[0], persona_count=1)
            return Outcome(added.framed[0], entry if added.number else None)

        return mutate(self._store, call, request, effect)

    def batch_create_personas(self, call: Call, request: BatchCreatePersonasRequest) -> bytes:
        """Add up to 1,000 personas, all or nothing. Raises ALREADY_EXISTS naming the item."""

        def effect(repositories: Transaction) -> Outcome:
            group = locked_group(repositories, request.project_id, request.group_id)
            added = add_personas(repositories, group, request.personas, "personas[{}]")
            entry = audit_entry(call, request, persona_count=added.number)
            answer = b"".join(added.framed)
            return Outcome(answer, entry if added.number else None, keep=b"".join(added.ids))

        return mutate(self._store, call, request, effect, rebuild_personas)

    def copy_personas(self, call: Call, request: CopyPersonasRequest) -> bytes:
        """Copy up to 1,000 personas of another group, all or nothing.

        Raises PERSONA_NOT_FOUND naming each that is not there, and MESSAGE_TOO_LARGE.
        """

        def effect(repositories: Transaction) -> Outcome:
            group = locked_group(repositories, request.project_id, request.group_id)
            added = copy_personas(repositories, group, request)
            entry = audit_entry(call, request, persona_count=added.number)
            return Outcome(b"".join(added.framed), entry, keep=b"".join(added.ids))

        return mutate(self._store, call, request, effect, rebuild_personas)

    def delete_persona(self, call: Call, request: DeletePersonaRequest) -> bytes:
        """Hide one persona. Raises PERSONA_NOT_FOUND."""

        def effect(repositories: Transaction) -> Outcome:
            locked = lock_group(repositories, request.project_id, request.group_id)
            persona, now = id_bytes(request.persona_id), repositories.now
            if not hide_persona(repositories, locked, persona, now):
                raise persona_not_found(request.persona_id)
            repositories.groups.changed(id_bytes(request.group_id), -1)
            return Outcome(b"", audit_entry(call, request, persona_count=1))

        return mutate(self._store, call, request, effect)

    def delete_all_personas(self, call: Call, request: DeleteAllPersonasRequest) -> bytes:
        """Let the group show an empty set; the sweeper reclaims the old one later."""

        def effect(repositories: Transaction) -> Outcome:
            locked = lock_group(repositories, request.project_id, request.group_id)
            count = locked.persona_count
            entry = None
            if count:
                group = id_bytes(request.group_id)
                repositories.groups.swap_set(group, locked.set_id, repositories.now)
                entry = audit_entry(call, request, persona_count=count)
            answer = DeleteAllPersonasResponse(deleted_count=count)
            return Outcome(answer.SerializeToString(), entry)

        return mutate(self._store, call, request, effect)

    def import_personas(
        self, call: Call, requests: Iterator[ImportPersonasRequest]
    ) -> Iterator[bytes]:
        """Yield an acknowledgement for the first message and for each batch once it is on disk."""
        return importing.run(self._store, call, requests)

    def get_persona_lineage(self, call: Call, request: GetPersonaLineageRequest) -> bytes:
        """Return the individual under a persona, and a page of its uses, newest first.

        Raises PERSONA_NOT_FOUND or a parent's reason, and INVALID_PAGE_TOKEN.
        """
        return lineage(self._store, self._tokens, call, request)


def page_of(
    repositories: Repositories, request: Listing, shown: Shown, after: bytes, size: int
) -> Page:
    """Return a page of the set that the group shows; after a delete-all, of the new one."""
    group, filters = id_bytes(request.group_id), filters_of(request)
    terms = wanted_terms(request)
    while True:
        limit = page_limit(size, shown.longest)
        page = repositories.personas.page(group, shown.set_id, after, limit, filters, terms)
        # Longer than the head knew of: larger personas came in between.
        fits = len(page.framed) <= MAX_PAGE_BYTES
        if fits and (page.size or page.more):
            return page
        # Empty: perhaps the set was swapped in between.
        seen = shown.set_id
        shown = require_shown(repositories, request.project_id, request.group_id)
        if fits and shown.set_id == seen:
            return page


def rebuild_personas(repositories: Repositories, kept: bytes) -> bytes:
    """Return a batch's answer from its ids; a persona deleted meanwhile has only its id."""
    ids = [kept[i : i + 16] for i in range(0, len(kept), 16)]
    known = repositories.personas.known(ids)

    def element(raw: bytes) -> bytes:
        found = known.get(raw)
        if found is not None and found.visible:
            return found.framed
        return frame(ELEMENT, Persona(id=id_text(raw)).SerializeToString())

    return b"".join(map(element, ids))
