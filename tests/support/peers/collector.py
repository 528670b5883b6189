"""A collector of traces: a real server of OTLP by HTTP, which keeps what it is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support.waiting import eventually


class Collector:
    """It listens at `base`. `spans` are those that came, `resource` what the last ones are of."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resource: dict[str, Any] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What a service is started with that sends its spans here, soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.base, "OTEL_BSP_SCHEDULE_DELAY": "50"}

    def of_trace(self, trace_id: str, name: str) -> list[Span]:
        """Wait until a span of this name has come, and return all spans of its trace."""

        def found() -> list[Span]:
            spans = [span for span in list(self.spans) if span.trace_id.hex() == trace_id]
            return spans if any(span.name == name for span in spans) else []

        return eventually(found)

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        for one in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = attributes(one.resource)
            for scope in one.scope_spans:
                self.spans.extend(scope.spans)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def attributes(of: Any) -> dict[str, Any]:
    """Return what is said of a span or a resource."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in of.attributes}


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Run one for a block."""
    collector = Collector()
    try:
        yield collector
    finally:
        collector.close()
