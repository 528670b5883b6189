"""What every call passes through, outer to inner: `call_steps` is the order, said once.

Nothing here ends a call. What goes wrong is raised, the shield makes a refusal of it, and the front
sends that.
"""

import time
import uuid
from collections.abc import Callable, Sequence

from google.protobuf.message import Message

from persona.v1 import errors_pb2
from persona_server import errors, patience
from persona_server.errors import ServiceError
from persona_server.quotas import TenantQuotas
from persona_server.telemetry.logs import LOGGER
from persona_server.transport.auth import Authenticator, require_scopes, tenant_suspended
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.errors import CODES, internal
from persona_server.transport.pipeline import Step
from persona_server.transport.recorder import FinishedCall, Recorder
from persona_server.transport.rpc import Rpc, refusal_for
from persona_server.transport.sharing.use import Use
from persona_server.transport.streams import IDLE_SECONDS
from persona_server.validation.encoded.counts import UnacceptableError
from persona_server.validation.encoded.parsing import parse
from persona_server.validation.fields import UUID
from persona_server.validation.limits import MAX_REQUEST_BYTES
from persona_server.validation.requests import validate
from persona_server.validation.unpacking import TooLongError, unpack

_LOOK_SECONDS = 0.25  # between two looks whether anybody still waits
LEFT = "CANCELLED"  # the code of a call whose caller has left


def call_steps(
    guards: Guards,
    authenticator: Authenticator,
    recorder: Recorder,
    quotas: TenantQuotas,
    use: Use,
    told: Callable[[Exception], Exception],
    *more: Step,
) -> tuple[Step, ...]:
    """Return the steps of every call, outermost first; inside the last one is the service.

    `told` notes an error that a call ends with, and returns the one to tell. `more` are for calls
    that are let in.
    """

    def shield(rpc: Rpc, error: Exception) -> None:
        _refuse(rpc, told(error))

    def count_written(rpc: Rpc) -> None:
        call = rpc.call
        if call is not None and call.written:
            recorder.written(call.written)
            call.written = 0

    def record(rpc: Rpc) -> None:
        if rpc.is_logged:
            recorder.add(_finished(rpc))

    admission, spending = _Admission(authenticator), _Spending(quotas, use)
    return (
        Step("record", answered=count_written, leave=record),
        Step("shield", failed=shield),
        Step("gateway", admit=guards.gateway.recognise),
        Step("draining", admit=guards.draining.refuse),
        Step("authentication", admit=admission.authenticate),
        Step("suspension", admit=admission.refuse_suspended),
        Step("scopes", admit=_require_scopes),
        Step("quotas", admit=spending.begin, leave=spending.end),
        *more,
        Step("revocation", enter=admission.refuse_revoked),
        Step("deadline", enter=_require_time, leave=_end_patience),
        Step("own quotas", enter=spending.read_quota),
        Step("unread answers", answered=guards.answers.take_room),
        Step("unpack", message=_unpack),
        Step("bytes", message=spending.count_message, answered=spending.count_answer),
        Step("parse", message=_parse),
        Step("idempotency key", message=_take_idempotency_key),
        Step("validation", message=_validate),
    )


class _Admission:
    """Who is let in, at the start and once more when a call has waited. All raise to refuse."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._known = authenticator

    def authenticate(self, rpc: Rpc) -> None:
        if rpc.method.scopes is not None:  # else it is open to everybody
            rpc.identify(self._known.principal(rpc.authorizations), self._known.why_out)

    def refuse_suspended(self, rpc: Rpc) -> None:
        if self._known.is_suspended(rpc.tenant):
            raise tenant_suspended()

    def refuse_revoked(self, rpc: Rpc) -> None:
        if rpc.principal is not None and (why := rpc.why_out(rpc.principal)):
            raise why


class _Spending:
    """What a tenant takes of its quotas, by calls that have one. What passes them is refused."""

    def __init__(self, quotas: TenantQuotas, use: Use) -> None:
        self._quotas = quotas
        self._use = use

    def begin(self, rpc: Rpc) -> None:
        if rpc.tenant:
            self._use.arrive(rpc.tenant)
            rpc.counted = True

    def read_quota(self, rpc: Rpc) -> None:
        if rpc.tenant:
            self._quotas.of(rpc.tenant)  # known from now on where nothing may be read

    def count_message(self, rpc: Rpc, raw: bytes) -> bytes:
        rpc.size += len(raw)
        self._read_again(rpc)
        if rpc.tenant:
            self._use.transfer(rpc.tenant, len(raw), refusable=True)
        return raw

    def count_answer(self, rpc: Rpc) -> None:
        rpc.size += rpc.answer_bytes
        self._read_again(rpc)
        if rpc.tenant:
            debt = self._use.transfer(rpc.tenant, rpc.answer_bytes, refusable=False)
            if debt and rpc.method.streams_out and not rpc.method.streams_in:
                self._pay_off(rpc, debt)

    def _read_again(self, rpc: Rpc) -> None:
        """Read the quota of a stream anew, which may go on for longer than what is known counts."""
        if rpc.tenant and (rpc.method.streams_in or rpc.method.streams_out):
            self._quotas.of(rpc.tenant)

    def _pay_off(self, rpc: Rpc, seconds: float) -> None:
        """Hold the next answer of an export back: it would else be one large answer of any size.

        Raises QUOTA_EXCEEDED where that took as long as nobody may be idle.
        """
        if seconds > IDLE_SECONDS:
            rate = self._quotas.known(rpc.tenant).bytes_per_second
            raise errors.quota_exceeded("bytes_per_second", rate, seconds)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            patience.require()
            rpc.require_in()
            time.sleep(min(left, _LOOK_SECONDS))

    def end(self, rpc: Rpc) -> None:
        if rpc.counted:
            rpc.counted = False
            self._use.depart(rpc.tenant)


def _finished(rpc: Rpc) -> FinishedCall:
    return FinishedCall(
        time.time(),
        time.perf_counter() - rpc.started,
        rpc.waited,
        rpc.request_id,
        rpc.method.name,
        rpc.code,
        rpc.reason,
        rpc.tenant,
        rpc.error_id,
        rpc.peer,
        rpc.trace_id,
        rpc.size,
    )


def _refuse(rpc: Rpc, error: Exception) -> None:
    """Refuse the call with the status of an error; what is unexpected is INTERNAL and an id."""
    if not isinstance(error, ServiceError):
        rpc.error_id = uuid.uuid4().hex
        extra = {"error_id": rpc.error_id, **_named(rpc)}
        LOGGER.error("unexpected error", extra=extra, exc_info=error)
        error = internal(rpc.error_id)
    rpc.code = _code(rpc, error)
    if error.__cause__ is not None and rpc.code != LEFT:
        LOGGER.warning(error.message, extra=_named(rpc), exc_info=error)
    rpc.reason = error.reason_name
    rpc.refusal = refusal_for(error, rpc.request_id)


def _named(rpc: Rpc) -> dict[str, str]:
    """Return what a line of the log tells a call by."""
    return {"request_id": rpc.request_id, "trace_id": rpc.trace_id}


def _code(rpc: Rpc, error: ServiceError) -> str:
    """Return the code of an error; work that ended before its deadline did since nobody waits."""
    ended = error.reason == errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    if ended and rpc.has_left() and (rpc.deadline is None or rpc.deadline > time.monotonic()):
        return LEFT
    return CODES[error.reason].name


def _require_scopes(rpc: Rpc) -> None:
    """Raises PERMISSION_DENIED."""
    if rpc.principal is not None and rpc.method.scopes:
        require_scopes(rpc.principal, rpc.method.scopes)


def _require_time(rpc: Rpc) -> None:
    """Raises DEADLINE_EXCEEDED."""
    patience.begin(rpc.deadline, rpc.has_left)
    patience.require()


def _end_patience(_rpc: Rpc) -> None:
    patience.end()


def _unpack(_rpc: Rpc, raw: bytes) -> bytes:
    """Return a message that came compressed as it was. Raises MESSAGE_TOO_LARGE."""
    try:
        return unpack(raw, MAX_REQUEST_BYTES)
    except TooLongError as error:
        raise _too_large(error.size) from None


def _parse(rpc: Rpc, raw: bytes) -> Message:
    """Return the message of these bytes.

    Raises MESSAGE_TOO_LARGE, and INVALID_FIELD for bytes that are none or hold too many items.
    """
    if rpc.method.validated and len(raw) > MAX_REQUEST_BYTES:
        raise _too_large(len(raw))
    try:
        return parse(rpc.method.request, raw)
    except UnacceptableError as error:
        raise errors.invalid([error.violation]) from None


def _take_idempotency_key(rpc: Rpc, request: Message) -> Message:
    if rpc.keys and rpc.method.has_request_id:
        _set_request_id(request, rpc.keys)
    return request


def _set_request_id(request: Message, given: Sequence[str]) -> None:
    """Take the Idempotency-Key for the request_id; the two must not differ."""
    if len(given) > 1:
        raise errors.invalid_field("Idempotency-Key", "must be sent only once")
    key, own = given[0], str(getattr(request, "request_id", ""))
    if not UUID.fullmatch(key):
        raise errors.invalid_field("Idempotency-Key", "must be a UUID")
    if own and own.lower() != key.lower():
        what = "differs from the Idempotency-Key; send one of them"
        raise errors.invalid_field("request_id", what)
    setattr(request, "request_id", key)  # noqa: B010 (a generic message has no such attribute)


def _validate(rpc: Rpc, request: Message) -> Message:
    """Return the message checked and normalised. Raises INVALID_FIELD naming the bad fields."""
    if rpc.method.validated and (found := validate(request)):
        raise errors.invalid(found)
    return request


def _too_large(size: int) -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE,
        f"The request has {size} bytes; the limit is {MAX_REQUEST_BYTES}. Send it in parts.",
        metadata={"size": str(size), "limit": str(MAX_REQUEST_BYTES)},
    )
