"""Read an error as the contract writes it, and hold every one against what must never be shown."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from persona.v1.measures_pb2 import Reliability

# R10: class names, SQL, paths, tracebacks, addresses.
_LEAKS = re.compile(
    r"Traceback|\.py\b|File \"|/usr/|/tmp/|/home/|/root/|site-packages|\b[A-Z][a-z]+Error\b|"
    r"apsw|peewee|sqlite|SELECT |INSERT |UPDATE |psycopg|<class|object at 0x|rpc error:|proto:|"
    r"dial tcp|127\.0\.0\.1|protobuf|goroutine",
    re.IGNORECASE,
)
_ALLOWED = re.compile(r"google\.protobuf\.\w+")  # the names of the contract's own messages


class Problem(NamedTuple):
    """An error's code, reason and details."""

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: dict[str, str]
    fields: dict[str, str]
    retry: bool
    reliability: Reliability | None  # of one who is not eligible


def problem_of(error: grpc.RpcError) -> Problem:
    """Return an error's parts. Fails the test if it has no ErrorInfo or shows what it must not."""
    call: Any = error
    status = rpc_status.from_call(call)
    assert status is not None, f"no details: {call.code()} {call.details()}"
    info, fields, retry = error_details_pb2.ErrorInfo(), {}, False
    reliability = None
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(bad.DESCRIPTOR):
            detail.Unpack(bad)
            fields = {v.field: v.description for v in bad.field_violations}
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = True
        elif detail.Is(Reliability.DESCRIPTOR):
            reliability = Reliability.FromString(detail.value)
    assert info.domain == "persona-service"
    assert_no_leak(f"{status.message} {dict(info.metadata)} {fields}")
    metadata = dict(info.metadata)
    return Problem(call.code(), info.reason, status.message, metadata, fields, retry, reliability)


def assert_no_leak(text: str) -> None:
    """Fail if a text that a client sees holds what only the log may hold (R10)."""
    found = _LEAKS.search(_ALLOWED.sub("", text))
    assert found is None, f"shows {found[0]!r}: {text}"


@contextmanager
def refused(reason: str, code: grpc.StatusCode | None = None) -> Iterator["Refusal"]:
    """Expect the block to be refused for a reason; its `problem` is there afterwards."""
    refusal = Refusal()
    with pytest.raises(grpc.RpcError) as raised:
        yield refusal
    refusal.problem = problem_of(raised.value)
    assert refusal.problem.reason == reason, refusal.problem
    if code is not None:
        assert refusal.problem.code == code


class Refusal:
    """Holds the problem of a refused call once the block is over."""

    problem: Problem


def refusal_of(call: Callable[[], Any]) -> Problem:
    """Return why a call is refused."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return problem_of(raised.value)
