"""Sends traces by OTLP: what the standard OTEL_* variables say, with the SDK of OpenTelemetry.

The SDK is the extra `tracing`. It is imported where traces are asked for, and nowhere else.
"""

import logging
import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from persona_server.telemetry import logs
from persona_server.telemetry.spans import Attributes, CallSpan

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

NAME = "persona-service"
CLOSE_SECONDS = 1.0  # for the last spans, at a stop
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"


class TracingError(Exception):
    """Traces can't be sent as they are asked for; the text says why and what to do."""


class Tracing:
    """Makes the spans of calls, and sends them a moment later from a thread of its own."""

    def __init__(self, version: str) -> None:
        """Begin. Raises TracingError. No collector needs to be there, now or later."""
        _require_http(os.environ)
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError:
            raise TracingError(
                "Traces need the SDK of OpenTelemetry: pip install 'persona-service[tracing]', "
                "or say --no-tracing."
            ) from None
        _log_as_we_do()
        try:
            self._provider = TracerProvider(resource=_resource(version), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except ValueError as error:
            raise TracingError(f"Traces can't be sent as OTEL_* says: {error}.") from None
        self._tracer = self._provider.get_tracer(NAME, version)
        self._caller = TraceContextTextMapPropagator()

    def call(
        self, name: str, caller: Mapping[str, str], arrived: int, about: Attributes
    ) -> CallSpan:
        """Begin the span of a call, within that of its caller if its headers say which that is."""
        parent = self._caller.extract(caller) if caller["traceparent"] else None
        return CallSpan(self._tracer, name, parent, arrived, about)

    def close(self) -> None:
        """Send what is left; a collector that does not answer delays this by a second at most."""
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _require_http(environment: Mapping[str, str]) -> None:
    named = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _HTTP)
    if named != _HTTP:
        raise TracingError(f"Traces are sent by {_HTTP}; OTEL_EXPORTER_OTLP_PROTOCOL is {named}.")


def _resource(version: str) -> "Resource":
    """Return what all spans say of this service; OTEL_* may say it otherwise."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    ours = Resource({"service.name": NAME, "service.version": version, "process.pid": os.getpid()})
    return ours.merge(OTELResourceDetector().detect())


def _log_as_we_do() -> None:
    """Let the SDK's warnings be lines of our log, such as that no collector answers."""
    theirs = logging.getLogger("opentelemetry")
    theirs.handlers[:] = [logs.Handler()]
    theirs.setLevel(logging.WARNING)
    theirs.propagate = False
