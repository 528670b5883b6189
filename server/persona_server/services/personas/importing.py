"""ImportPersonas: a stream of batches, each one transaction, resumable without loss or repeats."""

import hashlib
import os
import time
from collections.abc import Iterator

from persona.v1 import errors_pb2
from persona.v1.persona_service_pb2 import (
    ImportBatch,
    ImportPersonasRequest,
    ImportPersonasResponse,
    ImportStart,
)
from persona_server.again import until_kept
from persona_server.errors import ServiceError, invalid_field
from persona_server.services.call import Call
from persona_server.services.parents import lock_group
from persona_server.services.personas.adding import Group, add_personas
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.audit import AuditEntry
from persona_server.storage.repositories.groups import Locked
from persona_server.storage.repositories.imports import CommittedBatch, ImportSession
from persona_server.storage.store import Repositories, Store, Transaction


def run(store: Store, call: Call, requests: Iterator[ImportPersonasRequest]) -> Iterator[bytes]:
    """Yield an encoded acknowledgement for the first message and for every batch.

    Raises ServiceError with `committed_sequence` and `added_count` in its metadata, after which the
    stream is over.
    """
    stream = None
    try:
        for request in requests:
            if stream is None:
                stream = _Stream(store, call, _start(request))
                yield stream.begin()
            else:
                yield stream.batch(_batch(request))
    except ServiceError as error:
        at = stream.session if stream else None
        error.metadata["committed_sequence"] = str(at.committed_sequence if at else 0)
        error.metadata["added_count"] = str(at.added_count if at else 0)
        raise


class _Stream:
    """One stream of an import. `owner` tells it from older streams of the same import.

    One that validates only takes every transaction back, so that `session` is then all that knows
    how far it is.
    """

    def __init__(self, store: Store, call: Call, first: ImportStart) -> None:
        self._store = store
        self._call = call
        self._first = first
        self._import_id = id_bytes(first.import_id)
        self._owner = os.urandom(16)
        self._begin = store.trying if first.validate_only else store.writing
        self._tried_bytes = 0
        self.session = ImportSession(id_bytes(first.group_id), 0, self._owner, 0, 0, 0)

    def begin(self) -> bytes:
        """Start the import, or take it over from an older stream."""
        return until_kept(self._begun)

    def _begun(self) -> bytes:
        with self._begin(self._call.tenant, self._call.timeout()) as repositories:
            locked = lock_group(repositories, self._first.project_id, self._first.group_id)
            group, now = id_bytes(self._first.group_id), repositories.now
            session = repositories.imports.find(self._import_id)
            if session is None:
                repositories.imports.start(self._import_id, group, locked.set_id, self._owner, now)
                session = self.session._replace(set_id=locked.set_id)
            elif session.group_id != group:
                raise _conflict("This import_id belongs to another persona group. Use a new one.")
            else:
                self._require_set(session, locked.set_id)
                repositories.imports.take_over(self._import_id, self._owner, now)
        self.session = session._replace(owner=self._owner)
        self._call.progressed_at = time.monotonic()
        return _acknowledge(self.session)

    def batch(self, request: ImportBatch) -> bytes:
        """Commit the next batch, or acknowledge one again that is on disk already."""
        # Map order is free on the wire: the parsed batch is hashed, before it gets ids and times.
        encoded = request.SerializeToString(deterministic=True)
        digest = hashlib.sha256(encoded).digest()
        given = [request]  # a second try is made of a message without them

        def commit() -> bytes:
            return self._commit(given.pop() if given else ImportBatch.FromString(encoded), digest)

        return until_kept(commit)

    def _commit(self, request: ImportBatch, digest: bytes) -> bytes:
        # Without the call's deadline, which is for the stream and not for one batch of it.
        with self._begin(self._call.tenant, None) as repositories:
            repositories.store_bytes(self._tried_bytes)
            locked = lock_group(repositories, self._first.project_id, self._first.group_id)
            self.session = session = self._current(repositories)
            self._require_set(session, locked.set_id)
            if request.sequence <= session.committed_sequence:
                self._require_same(repositories, request.sequence, digest)
                return _acknowledge(session)
            if request.sequence > session.committed_sequence + 1:
                raise _gap(request.sequence, session.committed_sequence)
            added = self._add(repositories, locked, request, digest)
        self.session = session._replace(
            committed_sequence=request.sequence,
            persona_count=session.persona_count + len(request.personas),
            added_count=session.added_count + added,
        )
        self._call.progressed_at = time.monotonic()
        if self._is_trial:
            self._tried_bytes = repositories.stored
        else:
            self._call.written += repositories.written
        return _acknowledge(self.session)

    @property
    def _is_trial(self) -> bool:
        return self._first.validate_only

    def _current(self, repositories: Transaction) -> ImportSession:
        """Return how far the import is. Raises IMPORT_CONFLICT if it has another owner by now."""
        if self._is_trial:
            return self.session
        session = repositories.imports.find(self._import_id)
        if session is None or session.owner != self._owner:
            raise _conflict("A newer stream has taken over this import.")
        return session

    def _add(
        self,
        repositories: Transaction,
        locked: Locked,
        request: ImportBatch,
        digest: bytes,
    ) -> int:
        """Add a batch's personas, and note the batch in the ledger unless it is only tried.

        Returns how many the group did not show before.
        """
        group = Group(self._first.project_id, self._first.group_id, locked)
        added = add_personas(repositories, group, request.personas, "batch.personas[{}]").number
        now = repositories.now
        if not self._is_trial:
            batch = CommittedBatch(request.sequence, digest, len(request.personas), added)
            repositories.imports.advance(self._import_id, batch, now)
        if added:
            repositories.audit.add(self._audit(added), now)
        return added

    def _require_set(self, session: ImportSession, set_id: int) -> None:
        if session.set_id != set_id:
            raise _conflict(
                "All personas of the group were deleted after this import began, which ended the "
                "import. Start a new one."
            )

    def _require_same(self, repositories: Repositories, sequence: int, digest: bytes) -> None:
        known = repositories.imports.batch_hash(self._import_id, sequence)
        if known != digest and (known or not self._is_trial):
            raise _conflict(f"Batch {sequence} was committed with different content.")

    def _audit(self, count: int) -> AuditEntry:
        return AuditEntry(
            self._call.method,
            self._call.actor,
            project_id=id_bytes(self._first.project_id),
            group_id=id_bytes(self._first.group_id),
            persona_count=count,
            request_id=self._import_id,
            peer=self._call.peer or None,
        )


def _start(request: ImportPersonasRequest) -> ImportStart:
    if not request.HasField("start"):
        raise invalid_field("start", "is required in the first message, which names the import")
    return request.start


def _batch(request: ImportPersonasRequest) -> ImportBatch:
    if not request.HasField("batch"):
        raise invalid_field("batch", "is required in every message after the first")
    return request.batch


def _acknowledge(session: ImportSession) -> bytes:
    answer = ImportPersonasResponse(
        committed_sequence=session.committed_sequence,
        persona_count=session.persona_count,
        added_count=session.added_count,
    )
    return answer.SerializeToString()


def _conflict(message: str) -> ServiceError:
    return ServiceError(errors_pb2.ERROR_REASON_IMPORT_CONFLICT, message)


def _gap(sequence: int, committed: int) -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_IMPORT_GAP,
        f"Received batch {sequence}, but the next one is {committed + 1}. Resume after "
        f"{committed}.",
    )
