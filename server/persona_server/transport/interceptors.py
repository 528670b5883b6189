"""What every call passes through, outer to inner: log, metrics, shield, authentication, validation.

Only the shield aborts a call; whatever goes wrong inside it is raised, and turned into a status in
this one place.
"""

import itertools
import os
import re
import time
import uuid
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import unquote

import grpc
from google.protobuf.message import DecodeError, Message

from persona.v1 import errors_pb2
from persona_server import errors
from persona_server.errors import ServiceError
from persona_server.logs import LOGGER
from persona_server.principal import Principal
from persona_server.services.call import Call
from persona_server.transport.auth import Authenticator, require_scopes
from persona_server.transport.errors import CODES, internal, status_of
from persona_server.transport.methods import Method
from persona_server.transport.arrivals import arrival
from persona_server.transport.recorder import FinishedCall, Recorder
from persona_server.validation.fields import UUID
from persona_server.validation.requests import validate

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_PROCESS = os.urandom(6).hex()
_numbers = itertools.count(1)


class Rpc:
    """One call on its way through the interceptors."""

    __slots__ = (
        "authorizations",
        "code",
        "context",
        "deadline",
        "error_id",
        "keys",
        "method",
        "principal",
        "reason",
        "request_id",
        "started",
        "waited",
    )

    def __init__(self, method: Method, context: grpc.ServicerContext) -> None:
        self.started, self.waited = arrival()
        self.method = method
        self.context = context
        self.principal: Principal | None = None
        self.deadline: float | None = None
        self.code = "OK"
        self.reason = ""
        self.error_id = ""
        self.request_id = ""
        self.authorizations: list[str] = []
        self.keys: list[str] = []
        for key, value in context.invocation_metadata() or ():
            if key == "authorization":
                self.authorizations.append(str(value))
            elif key == "idempotency-key":
                self.keys.append(str(value))
            elif key == "x-request-id" and _REQUEST_ID.fullmatch(str(value)):
                self.request_id = str(value)
        # Correlation only; a value that could forge a log line is replaced.
        self.request_id = self.request_id or f"{_PROCESS}-{next(_numbers)}"

    def call(self) -> Call:
        """Return what a service needs to know. The call is authenticated."""
        principal = self.principal
        assert principal is not None
        return Call(self.method.name, principal.tenant, principal.subject, self.deadline)


class Interceptors:
    """The chain, as the steps that every handler takes: see server.py for the one shape of it.

    `enter` is what happens before the service, `shield` turns what is raised into a status, and
    `leave` logs and counts the call, however it ended.
    """

    def __init__(self, recorder: Recorder, authenticator: Authenticator) -> None:
        self._recorder = recorder
        self._authenticator = authenticator
        self.draining = False  # whether new calls are refused, since the server stops

    def enter(self, rpc: Rpc) -> None:
        """Let in who may make this call.

        Raises SHUTTING_DOWN, UNAUTHENTICATED and PERMISSION_DENIED.
        """
        if self.draining:
            raise shutting_down()
        scopes = rpc.method.scopes
        if scopes is not None:
            rpc.principal = self._authenticator.principal(rpc.authorizations)
            require_scopes(rpc.principal, scopes)
        remaining = rpc.context.time_remaining()
        if remaining is not None:
            if remaining <= 0:
                raise errors.deadline_exceeded()
            rpc.deadline = time.monotonic() + remaining

    def shield(self, rpc: Rpc, error: Exception) -> NoReturn:
        """End the call with the status of an error; what is unexpected is INTERNAL and an id."""
        if not isinstance(error, ServiceError):
            rpc.error_id = uuid.uuid4().hex
            extra = {"request_id": rpc.request_id, "error_id": rpc.error_id}
            LOGGER.error("unexpected error", extra=extra, exc_info=error)
            error = internal(rpc.error_id)
        elif error.__cause__ is not None:
            LOGGER.warning(error.message, extra={"request_id": rpc.request_id}, exc_info=error)
        rpc.code = CODES[error.reason].name
        rpc.reason = error.reason_name
        status = status_of(error)
        # abort_with_status() would put the status's metadata in the place of ours.
        trailing = (*status.trailing_metadata, ("x-request-id", rpc.request_id))
        rpc.context.set_trailing_metadata(trailing)
        rpc.context.abort(status.code, status.details)
        raise AssertionError("abort() raises")

    def leave(self, rpc: Rpc) -> None:
        """Let the call be logged and counted."""
        self._recorder.add(
            FinishedCall(
                time.time(),
                time.perf_counter() - rpc.started,
                rpc.waited,
                rpc.request_id,
                rpc.method.name,
                rpc.code,
                rpc.reason,
                rpc.principal.tenant if rpc.principal else "",
                rpc.error_id,
                address_of(rpc.context.peer()),
            )
        )


def address_of(peer: str) -> str:
    """Return HOST:PORT of gRPC's name for a peer, such as "ipv6:%5B::1%5D:50051"."""
    return unquote(peer.partition(":")[2])


def parsed(rpc: Rpc, raw: bytes) -> Message:
    """Return the validated, normalised request. Raises INVALID_FIELD and what `validate` does."""
    request = decoded(rpc.method, raw)
    if rpc.method.writes:
        _take_idempotency_key(request, rpc.keys)
    validate(request, len(raw))
    return request


def decoded(method: Method, raw: bytes) -> Message:
    """Return a request's message. Raises INVALID_FIELD for bytes that are none."""
    try:
        return method.request.FromString(raw)
    except DecodeError:
        what = f"is not a well-formed {method.request.DESCRIPTOR.full_name}"
        raise errors.invalid_field("request", what) from None


def _take_idempotency_key(request: Message, given: Sequence[str]) -> None:
    """Take the Idempotency-Key for the request_id; the two must not differ."""
    if not given:
        return
    if len(given) > 1:
        raise errors.invalid_field("Idempotency-Key", "must be given once")
    key, own = given[0], str(getattr(request, "request_id", ""))
    if not UUID.fullmatch(key):
        raise errors.invalid_field("Idempotency-Key", "must be a UUID")
    if own and own.lower() != key.lower():
        what = "differs from the Idempotency-Key; send one of them"
        raise errors.invalid_field("request_id", what)
    setattr(request, "request_id", key)  # noqa: B010 (a generic message has no such attribute)


def shutting_down() -> ServiceError:
    """SHUTTING_DOWN for a new call, and for a stream that can't end within the grace."""
    return ServiceError(
        errors_pb2.ERROR_REASON_SHUTTING_DOWN,
        "The server is stopping. Retry with the same request_id; a stream resumes where it was.",
        retry_after=1.0,
    )
