"""One exception class per reason of the contract."""
# ruff: noqa: N818 (the classes bear the names of the reasons)

from typing import NamedTuple

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from persona.v1 import errors_pb2
from persona.v1.measures_pb2 import Reliability

_DOMAIN = "persona-service"


class FieldViolation(NamedTuple):
    """One bad field of a request: its path, such as "personas[12].age", and what is wrong."""

    field: str
    description: str


class PersonaError(Exception):
    """A call that failed.

    `code` is the status; `reason` the name of an `ErrorReason` without its prefix, "" if what
    failed was not the service (no connection, the deadline); `retry_after` is in seconds, None if
    the service did not ask for another try.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, message)  # what a copy or a pickle is made from
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = metadata or {}
        self.violations = violations
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.message} [{self.reason or self.code.name}]"


class NotFound(PersonaError):
    """What is named is not there, was deleted, or is another tenant's."""


class ProjectNotFound(NotFound):
    """There is no such project."""


class PersonaGroupNotFound(NotFound):
    """The project has no such persona group."""


class PersonaNotFound(NotFound):
    """The group has no such persona."""


class ResponseNotFound(NotFound):
    """There is no such recorded response."""


class SimulationNotFound(NotFound):
    """The project has no such simulation."""


class LibraryPersonaNotFound(NotFound):
    """There is no such library persona."""


class NotEligible(PersonaError):
    """The answers are too few, or not reliable enough.

    `reliability` is what was measured, every rule with its figure, without the contradictions and
    models; None if the service did not say.
    """

    reliability: Reliability | None = None


class LibraryPersonaRetired(PersonaError):
    """The library persona can't be reused any more."""


class InvalidField(PersonaError):
    """Fields of the request are wrong; `violations` names them."""


class InvalidPageToken(PersonaError):
    """A page or resume token is damaged, or was made for other arguments."""


class RequestIdReused(PersonaError):
    """The request_id was used for another request."""


class MessageTooLarge(PersonaError):
    """The request, or what it asks to reuse, is larger than 3 MiB."""


class AlreadyExists(PersonaError):
    """An id is taken; `metadata["state"]` says by something visible or deleted."""


class ImportGap(PersonaError):
    """An import batch is not the next one."""


class ImportConflict(PersonaError):
    """The import was taken over, has ended with its personas, or repeats a batch changed."""


class ConcurrentChange(PersonaError):
    """Something else changed at the same time."""


class Unauthenticated(PersonaError):
    """There is no token, or none that is valid."""


class PermissionDenied(PersonaError):
    """The token lacks a scope; `metadata["missing_scopes"]` names it."""


class TooManyStreams(PersonaError):
    """Too many imports and exports run at once."""


class QuotaExceeded(PersonaError):
    """The tenant uses as much as it may; `metadata["quota"]` says of what."""


class DeadlineExceeded(PersonaError):
    """The time for the call ran out; whether a write took place is unknown."""


class InternalError(PersonaError):
    """A fault of the server; `metadata["error_id"]` finds it in the server's log."""


class Unavailable(PersonaError):
    """The service can't be reached or does not serve now."""


class DatabaseUnavailable(Unavailable):
    """The service's database does not answer."""


class DatabaseDamaged(PersonaError):
    """What is stored is damaged: no retry helps, the service's operator has to look."""


class ShuttingDown(Unavailable):
    """The server is stopping."""


class StreamIdle(Unavailable):
    """The stream was silent for too long."""


class UnknownPath(PersonaError):
    """REST: there is no such path. Health: there is no service of that name."""


class MethodNotAllowed(PersonaError):
    """REST alone: the path has no such method."""


class TooManyRequests(PersonaError):
    """REST alone: the caller's address sends more than is taken of one."""


class Unreachable(Unavailable):
    """REST alone: the gateway can't reach the service, or has no room now."""


CLASSES: dict["errors_pb2.ErrorReason.ValueType", type[PersonaError]] = {
    errors_pb2.ERROR_REASON_PROJECT_NOT_FOUND: ProjectNotFound,
    errors_pb2.ERROR_REASON_PERSONA_GROUP_NOT_FOUND: PersonaGroupNotFound,
    errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND: PersonaNotFound,
    errors_pb2.ERROR_REASON_INVALID_FIELD: InvalidField,
    errors_pb2.ERROR_REASON_INVALID_PAGE_TOKEN: InvalidPageToken,
    errors_pb2.ERROR_REASON_REQUEST_ID_REUSED: RequestIdReused,
    errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE: MessageTooLarge,
    errors_pb2.ERROR_REASON_ALREADY_EXISTS: AlreadyExists,
    errors_pb2.ERROR_REASON_IMPORT_GAP: ImportGap,
    errors_pb2.ERROR_REASON_IMPORT_CONFLICT: ImportConflict,
    errors_pb2.ERROR_REASON_CONCURRENT_CHANGE: ConcurrentChange,
    errors_pb2.ERROR_REASON_UNAUTHENTICATED: Unauthenticated,
    errors_pb2.ERROR_REASON_PERMISSION_DENIED: PermissionDenied,
    errors_pb2.ERROR_REASON_TOO_MANY_STREAMS: TooManyStreams,
    errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE: DatabaseUnavailable,
    errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED: DeadlineExceeded,
    errors_pb2.ERROR_REASON_SHUTTING_DOWN: ShuttingDown,
    errors_pb2.ERROR_REASON_INTERNAL: InternalError,
    errors_pb2.ERROR_REASON_STREAM_IDLE: StreamIdle,
    errors_pb2.ERROR_REASON_UNKNOWN_PATH: UnknownPath,
    errors_pb2.ERROR_REASON_METHOD_NOT_ALLOWED: MethodNotAllowed,
    errors_pb2.ERROR_REASON_RESPONSE_NOT_FOUND: ResponseNotFound,
    errors_pb2.ERROR_REASON_SIMULATION_NOT_FOUND: SimulationNotFound,
    errors_pb2.ERROR_REASON_LIBRARY_PERSONA_NOT_FOUND: LibraryPersonaNotFound,
    errors_pb2.ERROR_REASON_NOT_ELIGIBLE: NotEligible,
    errors_pb2.ERROR_REASON_LIBRARY_PERSONA_RETIRED: LibraryPersonaRetired,
    errors_pb2.ERROR_REASON_QUOTA_EXCEEDED: QuotaExceeded,
    errors_pb2.ERROR_REASON_TOO_MANY_REQUESTS: TooManyRequests,
    errors_pb2.ERROR_REASON_UNREACHABLE: Unreachable,
    errors_pb2.ERROR_REASON_DATABASE_DAMAGED: DatabaseDamaged,
}
_BY_REASON = {
    errors_pb2.ErrorReason.Name(value).removeprefix("ERROR_REASON_"): kind
    for value, kind in CLASSES.items()
}
# What fails before the service answers, or with a reason newer than this client.
_BY_CODE: dict[grpc.StatusCode, type[PersonaError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.NOT_FOUND: NotFound,
}


def from_rpc_error(error: grpc.RpcError) -> PersonaError:
    """Return the exception for a failed call."""
    reason, metadata = "", {}
    violations: list[FieldViolation] = []
    retry_after = measured = None
    for detail in _details(error):
        if isinstance(detail, error_details_pb2.ErrorInfo) and detail.domain == _DOMAIN:
            reason, metadata = detail.reason, dict(detail.metadata)
        elif isinstance(detail, error_details_pb2.BadRequest):
            violations += [FieldViolation(v.field, v.description) for v in detail.field_violations]
        elif isinstance(detail, error_details_pb2.RetryInfo):
            retry_after = detail.retry_delay.seconds + detail.retry_delay.nanos / 1e9
        elif isinstance(detail, Reliability):
            measured = detail
    kind = _BY_REASON.get(reason) or _BY_CODE.get(error.code(), PersonaError)
    converted = kind(
        error.code(),
        error.details() or error.code().name,
        reason=reason,
        metadata=metadata,
        violations=tuple(violations),
        retry_after=retry_after,
    )
    if isinstance(converted, NotEligible):
        converted.reliability = measured
    converted.__cause__ = error
    return converted


def _details(error: grpc.RpcError) -> list[object]:
    if not isinstance(error, grpc.Call):
        return []
    try:
        status = rpc_status.from_call(error)
    except (ValueError, DecodeError):  # they contradict the status, or are none: a proxy's
        return []
    found: list[object] = []
    for packed in status.details if status else ():
        for kind in (
            error_details_pb2.ErrorInfo,
            error_details_pb2.BadRequest,
            error_details_pb2.RetryInfo,
            Reliability,
        ):
            detail = kind()
            if packed.Unpack(detail):
                found.append(detail)
    return found
