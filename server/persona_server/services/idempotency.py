"""Mutations: one transaction that holds the effect, its audit row and the answer for a retry."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypedDict, Unpack

from google.protobuf.descriptor import Descriptor

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.services.call import Call
from persona_server.services.trials import without_ids
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.repositories.idempotency import KEEP_ANSWERS
from persona_server.storage.store import Repositories, Store, Transaction


class Mutation(Protocol):
    """The message of a request that a retry may repeat, and that may be tried only."""

    request_id: str
    validate_only: bool

    @property
    def DESCRIPTOR(self) -> Descriptor:  # noqa: N802 (a name of protobuf)
        """The type of the message."""

    def SerializeToString(  # noqa: N802 (a name of protobuf)
        self, *, deterministic: bool = ...
    ) -> bytes:
        """Return the message as it is on the wire."""


class Touched(TypedDict, total=False):
    """What an audit row says besides what the request names: ids, and how many of them."""

    project_id: bytes
    group_id: bytes
    persona_id: bytes
    simulation_id: bytes
    library_persona_id: bytes
    persona_count: int
    response_count: int


class Outcome(NamedTuple):
    """What a mutation did: its answer, and the audit row unless it changed nothing.

    `keep` is what is kept for retries in place of a large answer, from which it is rebuilt.
    """

    answer: bytes
    audit: AuditEntry | None
    keep: bytes | None = None


def mutate(
    store: Store,
    call: Call,
    request: Mutation,
    effect: Callable[[Transaction], Outcome],
    rebuild: Callable[[Repositories, bytes], bytes] | None = None,
) -> bytes:
    """Run a mutation once for each request_id, and return its encoded answer.

    The request is validated and normalised. With `validate_only` all of it is done in its turn and
    taken back; the answer then lacks the ids that were made for it. Raises ServiceError
    REQUEST_ID_REUSED if the id came with another request within 24 hours, and whatever `effect`
    raises, with nothing written.
    """
    request_id = id_bytes(request.request_id)
    digest = request_hash(request) if request_id else b""
    begin = store.trying if request.validate_only else store.writing
    with begin(call.tenant, call.timeout()) as repositories:
        now = repositories.now
        kept = _kept(repositories, call, request, digest) if request_id else None
        if kept is not None:
            return rebuild(repositories, kept) if rebuild else kept
        outcome = effect(repositories)
        if outcome.audit is not None:
            repositories.audit.add(outcome.audit, now)
        if request_id:
            keep = outcome.answer if outcome.keep is None else outcome.keep
            repositories.idempotency.keep(call.method, request_id, digest, keep, now)
    if request.validate_only:
        return without_ids(request.DESCRIPTOR, outcome.answer, repositories.made)
    call.written += repositories.written
    return outcome.answer


def _kept(repositories: Transaction, call: Call, request: Mutation, digest: bytes) -> bytes | None:
    """Return what is kept of the first call with this request_id. Raises REQUEST_ID_REUSED."""
    since = repositories.now - KEEP_ANSWERS
    found = repositories.idempotency.find(call.method, id_bytes(request.request_id), since)
    if found is None:
        return None
    if found.request_hash != digest:
        raise _reused(request.request_id)
    return found.answer


def request_hash(request: Mutation) -> bytes:
    """Return the SHA-256 of a normalised request without its request_id, tried or not."""
    request_id, request.request_id = request.request_id, ""  # cheaper than a copy without one
    validate_only, request.validate_only = request.validate_only, False
    encoded = request.SerializeToString(deterministic=True)
    request.request_id, request.validate_only = request_id, validate_only
    return hashlib.sha256(encoded).digest()


def audit_entry(call: Call, request: Mutation, **touched: Unpack[Touched]) -> AuditEntry:
    """Return the audit row of a call, with the ids that its request names and what it touched."""
    ids: dict[str, Any] = {
        name: id_bytes(getattr(request, name)) or None
        for name in ("project_id", "group_id", "persona_id", "simulation_id", "library_persona_id")
        if hasattr(request, name)
    }
    request_id = id_bytes(request.request_id) or None
    ids.update(touched)
    peer = call.peer or None
    return AuditEntry(call.method, call.actor, request_id=request_id, peer=peer, **ids)


def _reused(request_id: str) -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_REQUEST_ID_REUSED,
        f"The request_id {request_id} was used for a different request to this method in the last "
        "24 hours. Use a new one, or repeat the first request unchanged.",
        metadata={"field": "request_id"},
    )
