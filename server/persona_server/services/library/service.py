"""LibraryService: individuals measured, promoted, listed, matched, reused, retired, followed."""

import math
import struct
from functools import partial

from persona.v1 import library_pb2
from persona.v1 import library_service_pb2 as pb
from persona.v1.measures_pb2 import Reliability
from persona_server.measures.individual.policy import Policy
from persona_server.services.call import Call
from persona_server.services.framing import ELEMENT, frame
from persona_server.services.idempotency import Outcome, audit_entry, mutate
from persona_server.services.library.individuals import (
    Individual,
    library_individual,
    library_persona_not_found,
    measure,
    recorded_individual,
)
from persona_server.services.library.lineage import projects
from persona_server.services.library.matches import SCORE_AND_ID, match_page
from persona_server.services.library.messages import encoded, entries
from persona_server.services.library.promoting import (
    AnswersCameError,
    Look,
    answers_keep_coming,
    look_at,
    promote,
)
from persona_server.services.library.promoting_many import candidates, promote_many
from persona_server.services.library.reliabilities import GroupReliabilities
from persona_server.services.library.reliability_messages import (
    compare_population,
    full_message,
)
from persona_server.services.library.reusing import reuse
from persona_server.services.library.timelines import timeline_page
from persona_server.services.paging import PageTokens, fitting, page_limit
from persona_server.services.parents import require_persona
from persona_server.services.personas.adding import locked_group
from persona_server.services.personas.service import rebuild_personas
from persona_server.storage import keys
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.library import (
    LibraryEntry,
    WantedPersonas,
)
from persona_server.storage.store import Repositories, Store, Transaction
from persona_server.validation.filters import filters_of
from persona_server.validation.library import library_order
from persona_server.validation.terms import wanted_terms

LOOKS = 3  # at an individual whose answers change while it is promoted
_START = b""  # of a list, in place of a position
_NUMBER_AND_ID = struct.Struct(">q16s")  # a position of whole numbers that a double may not hold


class LibraryService:
    """One method per RPC; each takes the call and a validated request."""

    def __init__(self, store: Store, tokens: PageTokens, policy: Policy) -> None:
        self._store = store
        self._tokens = tokens
        self._policy = policy

    def get_reliability(self, call: Call, request: pb.GetReliabilityRequest) -> bytes:
        """Measure the individual of a persona. Raises NOT_FOUND reasons, outermost first."""
        with self._store.snapshot(call.tenant) as repositories:
            individual = recorded_individual(
                repositories, request.project_id, request.group_id, request.persona_id
            )
            message = self._measured(repositories, individual)
        return pb.GetReliabilityResponse(reliability=message).SerializeToString()

    def get_library_persona_reliability(
        self, call: Call, request: pb.GetLibraryPersonaReliabilityRequest
    ) -> bytes:
        """Measure the individual of a library persona. Raises LIBRARY_PERSONA_NOT_FOUND."""
        with self._store.snapshot(call.tenant) as repositories:
            individual = library_individual(repositories, request.library_persona_id)
            message = self._measured(repositories, individual)
        answer = pb.GetLibraryPersonaReliabilityResponse(reliability=message)
        return answer.SerializeToString()

    def list_reliabilities(self, call: Call, request: pb.ListReliabilitiesRequest) -> bytes:
        """Return the reliabilities of a page, or of a whole small group in another order.

        Raises INVALID_PAGE_TOKEN, and INVALID_FIELD for an order of a group that is too large.
        """
        after = self._tokens.read(call, request, request.page_token, _START)
        with self._store.snapshot(call.tenant) as repositories:
            group = GroupReliabilities(repositories, request, self._policy)
            if request.order_by:
                rows, last = group.ordered(request.order_by), None
            else:
                rows, last = group.page(after, request.page_size)
        items = [frame(ELEMENT, row.SerializeToString()) for row in rows]
        return self._tokens.page(call, request, items, last)

    def _measured(self, repositories: Repositories, individual: Individual) -> Reliability:
        """Return an individual's reliability; `repositories` are one snapshot."""
        measurement = measure(repositories, individual, self._policy)
        pending = repositories.promotions.waiting(individual.origin)
        library_id = individual.library_persona_id
        message = full_message(measurement, keys.now(), library_id, pending=pending)
        if library_id is not None:
            entry = repositories.library.find(library_id)
            assert entry is not None  # library personas outlive what names them
            promoted = library_pb2.LibraryPersona.FromString(entry.body).reliability
            compare_population(message, promoted)
        return message

    def promote_persona(self, call: Call, request: pb.PromotePersonaRequest) -> bytes:
        """Take a persona's individual into the library.

        Raises NOT_ELIGIBLE, and CONCURRENT_CHANGE if answers of its own come at every look.
        """
        path = id_bytes(request.project_id), id_bytes(request.group_id)
        persona = id_bytes(request.persona_id)
        for _ in range(LOOKS):
            look = look_at(self._store, call.tenant, persona, self._policy, path)
            try:
                return mutate(self._store, call, request, partial(_promoted, call, request, look))
            except AnswersCameError:
                continue
        raise answers_keep_coming(request.persona_id)

    def promote_personas(self, call: Call, request: pb.PromotePersonasRequest) -> bytes:
        """Take those of several personas into the library that are reliable, each by itself.

        Raises INVALID_PAGE_TOKEN, and the reason of a missing parent.
        """
        after = self._tokens.read(call, request, request.page_token, _START)
        with self._store.snapshot(call.tenant) as repositories:
            found = candidates(repositories, request, after, self._policy)

        def effect(repositories: Transaction) -> Outcome:
            promotions = promote_many(repositories, request, found)
            made = any(one.outcome == library_pb2.PROMOTION_OUTCOME_PROMOTED for one in promotions)
            items = [frame(ELEMENT, one.SerializeToString()) for one in promotions]
            answer = self._tokens.page(call, request, items, found.last)
            return Outcome(answer, audit_entry(call, request) if made else None)

        return mutate(self._store, call, request, effect)

    def list_library_personas(self, call: Call, request: pb.ListLibraryPersonasRequest) -> bytes:
        """Return one page of the library. Raises INVALID_PAGE_TOKEN."""
        order, descending = library_order(request.order_by)
        wanted = WantedPersonas(
            filters_of(request),
            request.lower_bound_min or None,
            request.include_retired,
            order,
            descending,
            wanted_terms(request),
        )
        position = SCORE_AND_ID if order == "lower_bound" else _NUMBER_AND_ID
        token = self._tokens.read(call, request, request.page_token, _START)
        start = (math.inf, b"\xff" * 17) if descending else (-math.inf, b"")
        after = position.unpack(token) if token else start
        limit = page_limit(request.page_size)
        with self._store.snapshot(call.tenant) as repositories:
            found, stopped = repositories.library.keys(wanted, after, limit + 1)
            ids = [key.id for key in found]
            items = (frame(ELEMENT, encoded(entry)) for entry in entries(repositories, ids))
            page, more = fitting(items, limit)
        last = found[len(page) - 1] if more else stopped
        return self._tokens.page(call, request, page, last and position.pack(last.value, last.id))

    def get_library_persona(self, call: Call, request: pb.GetLibraryPersonaRequest) -> bytes:
        """Return one library persona, retired or not. Raises LIBRARY_PERSONA_NOT_FOUND."""
        with self._store.reading(call.tenant) as repositories:
            entry = repositories.library.find(id_bytes(request.library_persona_id))
        if entry is None:
            raise library_persona_not_found(request.library_persona_id)
        return _resource(entry)

    def list_library_persona_projects(
        self, call: Call, request: pb.ListLibraryPersonaProjectsRequest
    ) -> bytes:
        """Return a page of an individual's uses, newest first.

        Raises LIBRARY_PERSONA_NOT_FOUND and INVALID_PAGE_TOKEN.
        """
        return projects(self._store, self._tokens, call, request)

    def retire_library_persona(self, call: Call, request: pb.RetireLibraryPersonaRequest) -> bytes:
        """End the reuse of an individual, for good. Raises LIBRARY_PERSONA_NOT_FOUND."""

        def effect(repositories: Transaction) -> Outcome:
            library_persona = id_bytes(request.library_persona_id)
            changed = repositories.library.retire(library_persona, repositories.now)
            entry = repositories.library.find(library_persona)
            if entry is None:
                raise library_persona_not_found(request.library_persona_id)
            return Outcome(_resource(entry), audit_entry(call, request) if changed else None)

        return mutate(self._store, call, request, effect)

    def match_library_personas(self, call: Call, request: pb.MatchLibraryPersonasRequest) -> bytes:
        """Return one page of the library personas that fit a group, best first.

        Of a library that is larger than one call may look at, part by part.
        """
        token = self._tokens.read(call, request, request.page_token, _START)
        with self._store.snapshot(call.tenant) as repositories:
            page, last = match_page(repositories, request, token)
        return self._tokens.page(call, request, page, last)

    def reuse_library_personas(self, call: Call, request: pb.ReuseLibraryPersonasRequest) -> bytes:
        """Put individuals into a group, all or nothing.

        Raises LIBRARY_PERSONA_NOT_FOUND, LIBRARY_PERSONA_RETIRED and ALREADY_EXISTS naming each.
        """

        def effect(repositories: Transaction) -> Outcome:
            group = locked_group(repositories, request.project_id, request.group_id)
            added = reuse(repositories, group, request.library_persona_ids)
            entry = audit_entry(call, request, persona_count=added.number)
            return Outcome(b"".join(added.framed), entry, keep=b"".join(added.ids))

        return mutate(self._store, call, request, effect, rebuild_personas)

    def get_attitude_timeline(self, call: Call, request: pb.GetAttitudeTimelineRequest) -> bytes:
        """Return one page of a persona's timelines. Raises NOT_FOUND reasons, outermost first."""
        token = self._tokens.read(call, request, request.page_token, _START)
        with self._store.snapshot(call.tenant) as repositories:
            individual = recorded_individual(
                repositories, request.project_id, request.group_id, request.persona_id
            )
            page, last = timeline_page(repositories, individual, request, token, self._policy)
        return self._tokens.page(call, request, page, last)

    def get_library_persona_attitude_timeline(
        self, call: Call, request: pb.GetLibraryPersonaAttitudeTimelineRequest
    ) -> bytes:
        """Return one page of an individual's timelines. Raises LIBRARY_PERSONA_NOT_FOUND."""
        token = self._tokens.read(call, request, request.page_token, _START)
        with self._store.snapshot(call.tenant) as repositories:
            individual = library_individual(repositories, request.library_persona_id)
            page, last = timeline_page(repositories, individual, request, token, self._policy)
        return self._tokens.page(call, request, page, last)


def _promoted(
    call: Call, request: pb.PromotePersonaRequest, look: Look | None, repositories: Transaction
) -> Outcome:
    require_persona(repositories, request.project_id, request.group_id, request.persona_id)
    entry, made = promote(repositories, id_bytes(request.persona_id), look)
    audit = audit_entry(call, request, library_persona_id=entry.id)
    return Outcome(_resource(entry), audit if made else None)


def _resource(entry: LibraryEntry) -> bytes:
    """Return the answer that holds one library persona."""
    return frame(ELEMENT, encoded(entry))
