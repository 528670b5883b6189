"""The error table: reasons to status codes, and errors to what goes over the wire (AIP-193)."""

import math

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.validation.violations import MAX_VIOLATIONS

DOMAIN = "persona-service"
MAX_DETAILS = 4096  # bytes: more breaks HTTP/2 trailers

_Code = grpc.StatusCode
CODES: dict["errors_pb2.ErrorReason.ValueType", grpc.StatusCode] = {
    errors_pb2.ERROR_REASON_PROJECT_NOT_FOUND: _Code.NOT_FOUND,
    errors_pb2.ERROR_REASON_PERSONA_GROUP_NOT_FOUND: _Code.NOT_FOUND,
    errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND: _Code.NOT_FOUND,
    errors_pb2.ERROR_REASON_INVALID_FIELD: _Code.INVALID_ARGUMENT,
    errors_pb2.ERROR_REASON_INVALID_PAGE_TOKEN: _Code.INVALID_ARGUMENT,
    errors_pb2.ERROR_REASON_REQUEST_ID_REUSED: _Code.INVALID_ARGUMENT,
    errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE: _Code.INVALID_ARGUMENT,
    errors_pb2.ERROR_REASON_ALREADY_EXISTS: _Code.ALREADY_EXISTS,
    errors_pb2.ERROR_REASON_IMPORT_GAP: _Code.OUT_OF_RANGE,
    errors_pb2.ERROR_REASON_IMPORT_CONFLICT: _Code.ABORTED,
    errors_pb2.ERROR_REASON_CONCURRENT_CHANGE: _Code.ABORTED,
    errors_pb2.ERROR_REASON_UNAUTHENTICATED: _Code.UNAUTHENTICATED,
    errors_pb2.ERROR_REASON_PERMISSION_DENIED: _Code.PERMISSION_DENIED,
    errors_pb2.ERROR_REASON_TOO_MANY_STREAMS: _Code.RESOURCE_EXHAUSTED,
    errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE: _Code.UNAVAILABLE,
    errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED: _Code.DEADLINE_EXCEEDED,
    errors_pb2.ERROR_REASON_SHUTTING_DOWN: _Code.UNAVAILABLE,
    errors_pb2.ERROR_REASON_STREAM_IDLE: _Code.UNAVAILABLE,
    errors_pb2.ERROR_REASON_INTERNAL: _Code.INTERNAL,
    errors_pb2.ERROR_REASON_RESPONSE_NOT_FOUND: _Code.NOT_FOUND,
    errors_pb2.ERROR_REASON_LIBRARY_PERSONA_NOT_FOUND: _Code.NOT_FOUND,
    errors_pb2.ERROR_REASON_NOT_ELIGIBLE: _Code.FAILED_PRECONDITION,
    errors_pb2.ERROR_REASON_LIBRARY_PERSONA_RETIRED: _Code.FAILED_PRECONDITION,
    errors_pb2.ERROR_REASON_SIMULATION_NOT_FOUND: _Code.NOT_FOUND,
    errors_pb2.ERROR_REASON_QUOTA_EXCEEDED: _Code.RESOURCE_EXHAUSTED,
    errors_pb2.ERROR_REASON_UNKNOWN_PATH: _Code.NOT_FOUND,
    errors_pb2.ERROR_REASON_DATABASE_DAMAGED: _Code.DATA_LOSS,
}


def internal(error_id: str) -> ServiceError:
    """INTERNAL with a fixed sentence, and the id by which the log knows the cause."""
    return ServiceError(
        errors_pb2.ERROR_REASON_INTERNAL,
        "The server failed on this call. The error id finds the cause in its log.",
        metadata={"error_id": error_id},
    )


def shutting_down() -> ServiceError:
    """SHUTTING_DOWN for a new call, and for a stream that can't end within the grace."""
    return ServiceError(
        errors_pb2.ERROR_REASON_SHUTTING_DOWN,
        "The server is stopping. Retry with the same request_id; a stream resumes where it was.",
        retry_after=1.0,
    )


def stream_idle(what: str, seconds: float) -> ServiceError:
    """STREAM_IDLE for a stream that `what`, such as "was silent", for so many seconds."""
    return ServiceError(
        errors_pb2.ERROR_REASON_STREAM_IDLE,
        f"The stream {what} for {seconds:g} s. Open it again to resume.",
        retry_after=1.0,
    )


def crowded() -> ServiceError:
    """QUOTA_EXCEEDED for a call that comes when too many wait for a thread already."""
    return ServiceError(
        errors_pb2.ERROR_REASON_QUOTA_EXCEEDED,
        "Too many calls are waiting. Retry with the same request_id.",
        metadata={"quota": "waiting_calls"},
        retry_after=1.0,
    )


def status_of(error: ServiceError) -> grpc.Status:
    """Return the status of an error, with its details within what trailers can carry."""
    status = status_pb2.Status(code=CODES[error.reason].value[0], message=_shortened(error.message))
    for detail in _details(error):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    converted: grpc.Status = rpc_status.to_status(status)
    return converted


def _details(error: ServiceError) -> list[Message]:
    info = error_details_pb2.ErrorInfo(reason=error.reason_name, domain=DOMAIN)
    info.metadata.update({key: _shortened(value) for key, value in error.metadata.items()})
    details: list[Message] = [info]
    if error.violations:
        shown = _violations(error)
        if len(shown.field_violations) < error.violations_total:
            info.metadata["violations_total"] = str(error.violations_total)
        details.append(shown)
    if error.retry_after is not None:
        delay = Duration(seconds=math.ceil(error.retry_after))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    if error.detail is not None:
        details.append(error.detail)
    return details


def _violations(error: ServiceError) -> error_details_pb2.BadRequest:
    """Return as many violations as fit, in order."""
    shown = error_details_pb2.BadRequest()
    room = MAX_DETAILS - 1024  # for the other details
    for violation in error.violations[:MAX_VIOLATIONS]:
        field, description = _shortened(violation.field), _shortened(violation.description)
        room -= len(field.encode()) + len(description.encode()) + 8
        if room < 0:
            break
        shown.field_violations.add(field=field, description=description)
    return shown


def _shortened(text: str, limit: int = 400) -> str:
    """Return a text that stays within `limit` bytes of UTF-8."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[:limit].decode(errors="ignore") + "…"
