"""Lineage: the individual underneath a persona, and every project that has used it."""

from persona.v1.library_pb2 import LibraryPersonaProject
from persona.v1.library_service_pb2 import ListLibraryPersonaProjectsRequest
from persona.v1.persona_service_pb2 import GetPersonaLineageRequest
from persona_server.services.call import Call
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.library.individuals import library_individual, recorded_individual
from persona_server.services.library.messages import encoded
from persona_server.services.paging import NEWEST, PageTokens, fitting, page_limit
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.links import Use
from persona_server.storage.store import Repositories, Store

_LIBRARY_PERSONA = b"\x1a"  # field 3 of GetPersonaLineageResponse


def lineage(
    store: Store, tokens: PageTokens, call: Call, request: GetPersonaLineageRequest
) -> bytes:
    """Return the library persona under a persona, and one page of the individual's uses."""
    before = tokens.read(call, request, request.page_token, NEWEST)
    with store.snapshot(call.tenant) as repositories:
        individual = recorded_individual(
            repositories, request.project_id, request.group_id, request.persona_id
        )
        library_persona_id = individual.library_persona_id
        if library_persona_id is None:
            return b""
        uses = _uses(repositories, library_persona_id, before, request.page_size)
        entry = repositories.library.find(library_persona_id)
    assert entry is not None  # links name library personas, which are never removed
    return _page(tokens, call, request, uses) + frame(_LIBRARY_PERSONA, encoded(entry))


def projects(
    store: Store, tokens: PageTokens, call: Call, request: ListLibraryPersonaProjectsRequest
) -> bytes:
    """Return one page of the uses of a library persona, newest first."""
    before = tokens.read(call, request, request.page_token, NEWEST)
    library_persona_id = id_bytes(request.library_persona_id)
    with store.snapshot(call.tenant) as repositories:
        library_individual(repositories, request.library_persona_id)
        uses = _uses(repositories, library_persona_id, before, request.page_size)
    return _page(tokens, call, request, uses)


def _uses(
    repositories: Repositories, library_persona_id: bytes, before: bytes, size: int
) -> list[Use]:
    """Return the uses of a page, and one more if others follow."""
    link_id = int.from_bytes(before[:8])
    return repositories.links.page(library_persona_id, link_id, page_limit(size) + 1)


def _page(
    tokens: PageTokens,
    call: Call,
    request: GetPersonaLineageRequest | ListLibraryPersonaProjectsRequest,
    uses: list[Use],
) -> bytes:
    items = (frame(ELEMENT, _message(use).SerializeToString()) for use in uses)
    page, more = fitting(items, page_limit(request.page_size))
    last = uses[len(page) - 1] if more else None
    return tokens.page(call, request, page, last and last.id.to_bytes(8) + last.persona_id)


def _message(use: Use) -> LibraryPersonaProject:
    message = LibraryPersonaProject(
        project_id=id_text(use.project_id),
        project_name=use.project_name,
        group_id=id_text(use.group_id),
        group_name=use.group_name,
        persona_id=id_text(use.persona_id),
        relation=use.relation,  # type: ignore[arg-type]  # the contract's number, as stored
    )
    message.linked_at.FromMicroseconds(use.linked_at)
    if use.match_score is not None:
        message.match_score.value = use.match_score
    if use.persona_deleted_at is not None:
        message.persona_deleted_at.FromMicroseconds(use.persona_deleted_at)
    return message
