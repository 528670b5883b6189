"""Errors on their way out: a code for every reason, and details that trailers can carry."""

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from persona.v1 import errors_pb2
from persona.v1.measures_pb2 import RELIABILITY_STATUS_NOT_ELIGIBLE, Reliability
from persona_server.errors import ServiceError, Violation, invalid
from persona_server.transport.errors import CODES, MAX_DETAILS, internal, status_of
from support.data import at, uid

REST_ALONE = {
    f"ERROR_REASON_{name}" for name in ("METHOD_NOT_ALLOWED", "TOO_MANY_REQUESTS", "UNREACHABLE")
}
# AIP-193's canonical codes, as the contract names them.
EXPECTED = {
    "NOT_FOUND": {
        "PROJECT_NOT_FOUND",
        "PERSONA_GROUP_NOT_FOUND",
        "PERSONA_NOT_FOUND",
        "RESPONSE_NOT_FOUND",
        "SIMULATION_NOT_FOUND",
        "LIBRARY_PERSONA_NOT_FOUND",
        "UNKNOWN_PATH",
    },
    "INVALID_ARGUMENT": {
        "INVALID_FIELD",
        "INVALID_PAGE_TOKEN",
        "REQUEST_ID_REUSED",
        "MESSAGE_TOO_LARGE",
    },
    "ALREADY_EXISTS": {"ALREADY_EXISTS"},
    "OUT_OF_RANGE": {"IMPORT_GAP"},
    "FAILED_PRECONDITION": {"NOT_ELIGIBLE", "LIBRARY_PERSONA_RETIRED"},
    "ABORTED": {"IMPORT_CONFLICT", "CONCURRENT_CHANGE"},
    "UNAUTHENTICATED": {"UNAUTHENTICATED"},
    "PERMISSION_DENIED": {"PERMISSION_DENIED"},
    "RESOURCE_EXHAUSTED": {"TOO_MANY_STREAMS", "QUOTA_EXCEEDED"},
    "UNAVAILABLE": {"DATABASE_UNAVAILABLE", "SHUTTING_DOWN", "STREAM_IDLE"},
    "DEADLINE_EXCEEDED": {"DEADLINE_EXCEEDED"},
    "INTERNAL": {"INTERNAL"},
    "DATA_LOSS": {"DATABASE_DAMAGED"},
}


def reasons() -> set[str]:
    return set(errors_pb2.ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"} - REST_ALONE


def details(error: ServiceError) -> tuple[status_pb2.Status, error_details_pb2.ErrorInfo]:
    """Return the status as it goes over the wire, and its ErrorInfo."""
    metadata = dict(status_of(error).trailing_metadata)
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return status, info


def violations(status: status_pb2.Status) -> list[error_details_pb2.BadRequest.FieldViolation]:
    found = error_details_pb2.BadRequest()
    status.details[1].Unpack(found)
    return list(found.field_violations)


def test_every_reason_has_a_code() -> None:
    assert {errors_pb2.ErrorReason.Name(reason) for reason in CODES} == reasons()


def test_codes_are_the_contracts() -> None:
    found: dict[str, set[str]] = {}
    for reason, code in CODES.items():
        name = errors_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")
        found.setdefault(code.name, set()).add(name)
    assert found == EXPECTED


@pytest.mark.parametrize("name", sorted(reasons()))
def test_reason_goes_out_without_its_prefix(name: str) -> None:
    error = ServiceError(errors_pb2.ErrorReason.Value(name), "A sentence.", metadata={"a": "b"})
    status, info = details(error)
    assert info.reason == name.removeprefix("ERROR_REASON_")
    assert info.domain == "persona-service"
    assert dict(info.metadata) == {"a": "b"}
    assert status.code == status_of(error).code.value[0]
    assert status.message == status_of(error).details == "A sentence."


@pytest.mark.parametrize(
    ("count", "shown", "total"), [(1, 1, None), (20, 20, None), (21, 20, "21")]
)
def test_at_most_20_violations_are_named(count: int, shown: int, total: str | None) -> None:
    error = invalid([Violation(f"f[{i}]", "is wrong") for i in range(count)])
    status, info = details(error)
    assert [v.field for v in violations(status)] == [f"f[{i}]" for i in range(shown)]
    assert dict(info.metadata).get("violations_total") == total


@pytest.mark.parametrize("text", ["x" * 5000, "é🙂" * 3000, "x" * 390])
def test_details_stay_within_what_trailers_carry(text: str) -> None:
    error = ServiceError(
        errors_pb2.ERROR_REASON_INVALID_FIELD,
        text,
        metadata={"field": text},
        violations=[Violation(text, text) for _ in range(30)],
        retry_after=1.5,
    )
    status, info = details(error)
    assert len(status.SerializeToString()) <= MAX_DETAILS + 1024
    assert sum(d.ByteSize() for d in status.details) <= MAX_DETAILS
    assert 0 < len(violations(status)) < 30
    assert info.metadata["violations_total"] == "30"


def test_what_was_measured_of_an_individual_fits() -> None:
    measured = Reliability(
        status=RELIABILITY_STATUS_NOT_ELIGIBLE,
        simulation_count=2**31 - 1,
        measured_at=at(10**15),
    )
    for name in (
        "simulations", "questions", "attainable", "lower_bound", "straight_lining", "acquiescence",
        "first_option",
    ):  # fmt: skip
        rule = measured.rules.add(name=name, limit=0.7, holds=True)
        rule.figure.value = 0.123456789
    for field in measured.DESCRIPTOR.fields:
        if field.message_type is not None and field.message_type.name == "DoubleValue":
            getattr(measured, field.name).value = 0.123456789
    for name in ("straight_lining", "acquiescence", "first_option"):
        getattr(measured.styles, name).value = 0.123456789
    measured.shortfall.questions_needed.value = 10_000
    measured.explanation = "x" * 200
    error = ServiceError(
        errors_pb2.ERROR_REASON_NOT_ELIGIBLE,
        "x" * 5000,
        metadata={"persona_id": uid(), "status": "NOT_ELIGIBLE"},
        detail=measured,
    )
    status, _ = details(error)
    assert len(status.SerializeToString()) <= MAX_DETAILS
    found = Reliability()
    assert status.details[1].Unpack(found)
    assert found == measured


def test_retry_info_comes_only_where_retrying_helps() -> None:
    for after, count in ((None, 1), (0.2, 2)):
        error = ServiceError(
            errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE, "Later.", retry_after=after
        )
        status, _ = details(error)
        assert len(status.details) == count
    retry = error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.seconds == 1


def test_internal_says_nothing_but_its_id() -> None:
    status, info = details(internal("abc"))
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert dict(info.metadata) == {"error_id": "abc"}
    assert internal("abc").message == internal("xyz").message
