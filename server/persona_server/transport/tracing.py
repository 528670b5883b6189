"""The step of calls that makes their spans. It is among them only where traces are asked for."""

import time

from persona_server.telemetry.tracing import Tracing
from persona_server.transport.pipeline import Step
from persona_server.transport.rpc import Rpc

_NANOS = 1_000_000_000
# What OpenTelemetry has a server call its own failure.
_FAILURES = (
    "UNKNOWN",
    "DEADLINE_EXCEEDED",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
)


def tracing_step(tracing: Tracing) -> Step:
    """Return the step. It is for calls that are let in: others must not make anybody's traces."""

    def begin(rpc: Rpc) -> None:
        method = f"{rpc.method.service}/{rpc.method.name}"
        about = {
            "rpc.system": "grpc",
            "rpc.service": rpc.method.service,
            "rpc.method": rpc.method.name,
            "persona.request_id": rpc.request_id,
            "persona.tenant": rpc.tenant,
        }
        arrived = time.time_ns() - int((time.perf_counter() - rpc.started) * _NANOS)
        caller = {"traceparent": rpc.traceparent, "tracestate": rpc.tracestate}
        rpc.span = tracing.call(method, caller, arrived, about)

    def enter(rpc: Rpc) -> None:
        if rpc.span:
            rpc.span.enter(rpc.waited)

    def end(rpc: Rpc) -> None:
        if rpc.span:
            about = {"rpc.response.status_code": rpc.code, "client.address": rpc.peer}
            if rpc.reason:
                about["error.type"] = rpc.reason
            rpc.span.end(about, rpc.reason if rpc.code in _FAILURES else "")

    return Step("trace", admit=begin, enter=enter, leave=end)
