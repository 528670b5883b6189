"""What every call passes through, outer to inner: log, metrics, shield, authentication, validation.

Only the shield aborts a call; whatever goes wrong inside it is raised, and turned into a status in
this one place.
"""

import re
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import grpc
from google.protobuf.message import DecodeError, Message

from persona.v1 import errors_pb2
from persona_server import errors
from persona_server.errors import ServiceError
from persona_server.logs import LOGGER
from persona_server.metrics import Metrics
from persona_server.services.call import Call
from persona_server.services.fields import UUID
from persona_server.services.validation import validate
from persona_server.tokens import Principal
from persona_server.transport.auth import Authenticator, require_scopes
from persona_server.transport.errors import CODES, internal, status_of
from persona_server.transport.methods import Method

ORDER = ("log", "metrics", "shield", "authentication", "validation")

_REQUEST_ID = re.compile(r"[!-~]{1,128}")


class Rpc:
    """One call on its way through the interceptors."""

    __slots__ = (
        "authorizations",
        "code",
        "context",
        "error_id",
        "keys",
        "method",
        "principal",
        "reason",
        "request_id",
    )

    def __init__(self, method: Method, context: grpc.ServicerContext) -> None:
        self.method = method
        self.context = context
        self.principal: Principal | None = None
        self.code = grpc.StatusCode.OK
        self.reason: str | None = None
        self.error_id: str | None = None
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
        self.request_id = self.request_id or uuid.uuid4().hex

    def call(self) -> Call:
        """Return what a service needs to know. The call is authenticated."""
        principal = self.principal
        assert principal is not None
        remaining = self.context.time_remaining()
        deadline = None if remaining is None else time.monotonic() + remaining
        return Call(self.method.name, principal.tenant, principal.subject, deadline)

    def fail(self, error: ServiceError) -> None:
        """End the call with an error's status. Always raises."""
        self.code = CODES[error.reason]
        self.reason = error.reason_name
        self.context.set_trailing_metadata((("x-request-id", self.request_id),))
        self.context.abort_with_status(status_of(error))


class Interceptors:
    """The chain, around a unary call or for as long as a stream lives."""

    def __init__(self, metrics: Metrics, authenticator: Authenticator) -> None:
        self._metrics = metrics
        self._authenticator = authenticator

    @contextmanager
    def around(self, rpc: Rpc) -> Iterator[None]:
        """Run a block as the body of a call whose caller is known and may make it."""
        with self._observed(rpc), self._shield(rpc):
            self._authenticate(rpc)
            yield

    @contextmanager
    def _observed(self, rpc: Rpc) -> Iterator[None]:
        """Log and count the call, however it ends."""
        started = time.perf_counter()
        try:
            yield
        except GeneratorExit:  # the client left a stream
            rpc.code = grpc.StatusCode.CANCELLED
            raise
        finally:
            seconds = time.perf_counter() - started
            code = rpc.code.name
            self._metrics.calls.labels(rpc.method.name, code).inc()
            self._metrics.seconds.labels(rpc.method.name).observe(seconds)
            LOGGER.info(
                "call",
                extra={
                    "request_id": rpc.request_id,
                    "method": rpc.method.name,
                    "code": code,
                    "reason": rpc.reason,
                    "duration_ms": round(seconds * 1000, 3),
                    "tenant": rpc.principal and rpc.principal.tenant,
                    "error_id": rpc.error_id,
                },
            )

    @contextmanager
    def _shield(self, rpc: Rpc) -> Iterator[None]:
        """Turn what is raised inside into a status; what is unexpected into INTERNAL and an id."""
        try:
            yield
        except ServiceError as error:
            if error.__cause__ is not None:
                LOGGER.warning(error.message, extra={"request_id": rpc.request_id}, exc_info=error)
            rpc.fail(error)
        except Exception:  # noqa: BLE001 (that is what a shield is for)
            rpc.error_id = uuid.uuid4().hex
            LOGGER.exception(
                "unexpected error",
                extra={"request_id": rpc.request_id, "error_id": rpc.error_id},
            )
            rpc.fail(internal(rpc.error_id))

    def _authenticate(self, rpc: Rpc) -> None:
        scopes = rpc.method.scopes
        if scopes is not None:
            rpc.principal = self._authenticator.principal(rpc.authorizations)
            require_scopes(rpc.principal, scopes)


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
    """SHUTTING_DOWN for a stream that can't end within the grace."""
    return ServiceError(
        errors_pb2.ERROR_REASON_SHUTTING_DOWN,
        "The server is stopping. Open the stream again to resume.",
        retry_after=1.0,
    )
