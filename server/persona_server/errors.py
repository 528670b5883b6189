"""What can go wrong, in the contract's words.

Services and storage raise these; the transport turns them into statuses by one table. Nothing here
knows gRPC.
"""

from collections.abc import Mapping, Sequence

from google.protobuf.message import Message

from persona.v1 import errors_pb2
from persona_server.validation.violations import MAX_VIOLATIONS, Violation

__all__ = [
    "DisturbedError",
    "ServiceError",
    "Violation",
    "database_damaged",
    "database_unavailable",
    "deadline_exceeded",
    "invalid",
    "invalid_field",
    "quota_exceeded",
    "to_operator",
]

_AGAIN = " Try again with the same request_id."  # what callers are told beside why


class ServiceError(Exception):
    """A refusal that the caller may read: reason, a sentence, and what helps to mend it.

    `violations_total` says how many there are if more are known of than are given. `detail` is a
    message of a KiB at most that the reason brings along. `message` is public. A cause that is not
    (SQL, paths) travels as `__cause__` into the log. `fault` is the kind of what the database met
    (storage/engine/faults.py), "" where it met nothing.
    """

    def __init__(
        self,
        reason: "errors_pb2.ErrorReason.ValueType",
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        violations_total: int = 0,
        retry_after: float | None = None,
        detail: Message | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.violations_total = max(violations_total, len(violations))
        self.retry_after = retry_after
        self.detail = detail
        self.fault = ""

    @property
    def reason_name(self) -> str:
        """The reason as ErrorInfo carries it, without the enum's prefix."""
        return errors_pb2.ErrorReason.Name(self.reason).removeprefix("ERROR_REASON_")


class DisturbedError(ServiceError):
    """CONCURRENT_CHANGE: the database took a transaction back that others stood in the way of.

    Nothing of it was written, and it may be done again at once (`again.py`).
    """

    def __init__(self) -> None:
        super().__init__(
            errors_pb2.ERROR_REASON_CONCURRENT_CHANGE,
            "Other changes stood in the way at every try; nothing was written. "
            "Try again with the same request_id.",
            retry_after=1.0,
        )


def invalid(violations: Sequence[Violation]) -> ServiceError:
    """INVALID_FIELD for one or more bad fields; the sentence is that of the first.

    As many as an error lists stand for that many or more: whoever looked for them stopped there.
    """
    first = violations[0]
    message = f"{first.field}: {first.description}"
    if len(violations) > 1:
        least = "at least " if len(violations) >= MAX_VIOLATIONS else ""
        message += f" (and {least}{len(violations) - 1} more)"
    return ServiceError(
        errors_pb2.ERROR_REASON_INVALID_FIELD,
        message,
        metadata={"field": first.field},
        violations=violations,
    )


def invalid_field(field: str, description: str) -> ServiceError:
    """INVALID_FIELD for one bad field."""
    return invalid([Violation(field, description)])


def to_operator(error: ServiceError) -> str:
    """Return what callers would be told, in words for whom they would be sent to."""
    if error.reason_name == "DATABASE_DAMAGED":
        return "The database is damaged: have `persona doctor` look at it, or restore a backup."
    return str(error).removesuffix(_AGAIN)


def database_unavailable(message: str = "The database is not responding.") -> ServiceError:
    """DATABASE_UNAVAILABLE, worth another try in a second."""
    return ServiceError(
        errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE,
        f"{message}{_AGAIN}",
        retry_after=1.0,
    )


def is_unavailable(error: Exception) -> bool:
    """Return whether an error says that nobody can use the database now."""
    return (
        isinstance(error, ServiceError)
        and error.reason == errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE
    )


def database_damaged() -> ServiceError:
    """DATABASE_DAMAGED, which no retry mends."""
    return ServiceError(
        errors_pb2.ERROR_REASON_DATABASE_DAMAGED,
        "What is stored is damaged and can't be read. The operator of the service has to look.",
    )


def quota_exceeded(quota: str, limit: int, retry_after: float) -> ServiceError:
    """QUOTA_EXCEEDED, naming the quota with its limit; `retry_after` in seconds."""
    return ServiceError(
        errors_pb2.ERROR_REASON_QUOTA_EXCEEDED,
        f"The tenant's quota {quota} of {limit} is used up. Retry later with the same request_id.",
        metadata={"quota": quota, "limit": str(limit)},
        retry_after=retry_after,
    )


def deadline_exceeded() -> ServiceError:
    """DEADLINE_EXCEEDED before anything was written."""
    return ServiceError(
        errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
        "The deadline passed before the call was processed; nothing was written.",
    )
