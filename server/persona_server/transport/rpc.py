"""One call on its way through the pipeline, as a front hands it over: no gRPC object is in it."""

import itertools
import math
import os
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

import grpc

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.identity.api_keys import PREFIX
from persona_server.identity.principal import LEEWAY, Principal
from persona_server.services.call import Call
from persona_server.telemetry.spans import CallSpan
from persona_server.telemetry.traceparent import TRACESTATE_CHARS, is_traceparent, trace_of
from persona_server.transport.auth import unauthenticated
from persona_server.transport.errors import status_of
from persona_server.transport.methods import Method

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_PROCESS = os.urandom(6).hex()
_numbers = itertools.count(1)


class Refusal(NamedTuple):
    """How a refused call ends: the status and the metadata behind it, for a front to send."""

    code: grpc.StatusCode
    details: str
    trailing: tuple[tuple[str, str | bytes], ...]


@lru_cache(maxsize=256)
def _status(
    reason: "errors_pb2.ErrorReason.ValueType", message: str, retry_after: float | None
) -> grpc.Status:
    """Return the status of an error without details of its own; who is refused often is most."""
    return status_of(ServiceError(reason, message, retry_after=retry_after))


def refusal_for(error: ServiceError, request_id: str) -> Refusal:
    """Return how a call ends that an error refuses."""
    plain = not (error.metadata or error.violations)
    status = _status(error.reason, error.message, error.retry_after) if plain else status_of(error)
    trailing = (*status.trailing_metadata, ("x-request-id", request_id))
    return Refusal(status.code, status.details, trailing)


def _nothing() -> None:
    pass


def of_api_key(value: str) -> str:
    """Return the authorization that an X-API-Key stands for; none for what is no API key."""
    return f"Bearer {value}" if value.startswith(PREFIX) else "X-API-Key"


class ClientGone(Exception):  # noqa: N818 (it is no error of ours)
    """The client cancelled its stream, or its connection is gone."""


def _stays() -> bool:
    return False


WhyOut = Callable[[Principal], ServiceError | None]


def _stays_in(_principal: Principal) -> None:
    return None


class Rpc:
    """One call: what came with it, and what the steps of the pipeline find out about it.

    It is made when its headers have come, and begins when a thread has it: then `deadline`, on the
    monotonic clock, and `peer` are known. `principal` is None until the caller is authenticated,
    `call` until that one's call has begun, `refusal` until the call is refused.
    """

    __slots__ = (
        "answer_bytes",
        "authorizations",
        "call",
        "cancel",
        "code",
        "counted",
        "deadline",
        "error_id",
        "forwarded",
        "has_left",
        "is_logged",
        "keys",
        "method",
        "peer",
        "principal",
        "reason",
        "refusal",
        "request_id",
        "secrets",
        "size",
        "span",
        "started",
        "tenant",
        "traceparent",
        "tracestate",
        "waited",
        "why_out",
    )

    def __init__(self, method: Method, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Take a call with its metadata, at its arrival."""
        self.started = time.perf_counter()
        self.waited = 0.0
        self.peer = ""
        self.method = method
        self.deadline: float | None = None
        self.principal: Principal | None = None
        self.why_out: WhyOut = _stays_in
        self.tenant = ""  # the caller's, as long as nobody is known ""
        self.call: Call | None = None
        self.has_left: Callable[[], bool] = _stays
        self.counted = False  # among its tenant's concurrent calls
        self.answer_bytes = 0  # of the answer that is sent next
        self.size = 0  # of all its messages and answers, in bytes
        self.span: CallSpan | None = None  # where spans are made
        self.traceparent = ""  # of the span that called, as W3C has it, …
        self.tracestate = ""  # … and what tracing systems have to say of it
        self.cancel: Callable[[], object] = _nothing
        self.is_logged = True  # once it is over
        self.code = "OK"
        self.reason = ""
        self.error_id = ""
        self.refusal: Refusal | None = None
        self.request_id = ""
        self.authorizations: tuple[str, ...] = ()
        self.keys: tuple[str, ...] = ()
        self.secrets: tuple[str, ...] = ()  # by which a gateway says that it is the server's own
        self.forwarded = ""  # the caller's address, as such a gateway says
        self._read(metadata)
        # Correlation only; a value that could forge a log line is replaced.
        self.request_id = self.request_id or f"{_PROCESS}-{next(_numbers)}"

    def _read(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Take note of what is heeded of the metadata."""
        for key, value in metadata:
            if key == "authorization":
                self.authorizations += (str(value),)
            elif key == "x-api-key":
                self.authorizations += (of_api_key(str(value)),)
            elif key == "idempotency-key":
                self.keys += (str(value),)
            elif key == "persona-gateway-secret":
                self.secrets += (str(value),)
            elif key == "persona-caller-address":
                self.forwarded = str(value)
            elif key == "x-request-id" and _REQUEST_ID.fullmatch(str(value)):
                self.request_id = str(value)
            elif key == "traceparent" and is_traceparent(str(value)):
                self.traceparent = str(value)
            elif key == "tracestate" and len(value) <= TRACESTATE_CHARS:
                self.tracestate = str(value)

    def identify(self, principal: Principal, why_out: WhyOut = _stays_in) -> None:
        """Take note of who calls. `why_out` tells why that one may go on no more, if so."""
        self.principal, self.tenant, self.why_out = principal, principal.tenant, why_out

    def begin(
        self,
        time_remaining: float | None,
        peer: str,
        has_left: Callable[[], bool] = _stays,
        cancel: Callable[[], object] = _nothing,
    ) -> None:
        """Take note that a thread has the call: the seconds its caller still waits, who sent it.

        `time_remaining` is None if the caller did not say, `peer` the connection's other end.
        `has_left` tells whether the caller waits no more, and `cancel` ends the call, whatever it
        is doing.
        """
        self.has_left = has_left
        self.cancel = cancel
        self.waited = time.perf_counter() - self.started
        self.deadline = None if time_remaining is None else time.monotonic() + time_remaining
        self.peer = self.forwarded or peer
        if (who := self.principal) is not None:
            self.call = Call(self.method.name, who.tenant, who.subject, self.deadline, self.peer)

    @property
    def trace_id(self) -> str:
        """The id of the trace that the call belongs to, "" where there is none."""
        if self.span:
            return self.span.trace_id
        return trace_of(self.traceparent) if self.traceparent else ""

    @property
    def trailing(self) -> tuple[tuple[str, str], ...]:
        """The metadata behind an answer: what the log knows the call by, and a list's version."""
        named = (("x-request-id", self.request_id),)
        if self.call is None or self.call.version is None:
            return named
        return (*named, ("etag", f'"{self.call.version}"'))

    @property
    def expires(self) -> float:
        """When the caller's token is taken no more, in seconds since 1970; never without one.

        Of one that was revoked meanwhile, long ago.
        """
        who = self.principal
        if who is None:
            return math.inf
        if self.why_out(who):
            return 0.0
        return who.expires + (0 if who.key_id else LEEWAY)  # a key's time is by this clock alone

    def require_in(self) -> None:
        """Refuse to go on with what its caller came in with. Raises UNAUTHENTICATED and others."""
        if time.time() < self.expires:
            return
        who = self.principal
        raise (who and self.why_out(who)) or unauthenticated(
            "The token has expired while the stream was open. Resume with a new one."
        )

    def progressed_at(self) -> float:
        """When the call got on last, on the monotonic clock: now where its service does not say."""
        return (self.call and self.call.progressed_at) or time.monotonic()

    def authenticated(self) -> Call:
        """Return what a service needs to know. The call is authenticated."""
        assert self.call is not None
        return self.call
