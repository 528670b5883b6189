"""Traces, as a real collector of OTLP gets them; and what happens without one, or the SDK."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from rest.wire import Rest

from persona.v1 import project_service_pb2 as projects
from persona.v1.project_pb2 import Project
from support.data import uid
from support.importer import LEAN
from support.machine import slowness
from support.peers.collector import Collector, attributes, running_collector
from support.service import PERSONA, Service, running_service
from support.waiting import eventually

SERVICE = "persona.v1.ProjectService"
CALLER = "b7ad6b7169203331"  # the span that calls


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("traced") / "data"
    with running_service(data, "--tracing", env=collector.environment) as service:
        yield service


def new_trace() -> str:
    return uid().replace("-", "")


def called(service: Service, request: Any, token: str, *metadata: tuple[str, str]) -> str:
    """Make a call by gRPC, and return the code that it ends with."""
    method = type(request).__name__.removesuffix("Request")
    with grpc.insecure_channel(service.grpc) as channel:
        call: Any = channel.unary_unary(f"/{SERVICE}/{method}")
        given = (("authorization", f"Bearer {token}"), *metadata)
        try:
            call(request.SerializeToString(), metadata=given)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def parent(trace: str, flags: str = "01") -> tuple[str, str]:
    return ("traceparent", f"00-{trace}-{CALLER}-{flags}")


CREATE = projects.CreateProjectRequest(project=Project(name="Trial"))
MISSING = projects.GetProjectRequest(project_id=uid())


def test_a_write_is_a_tree_of_spans(traced: Service, collector: Collector) -> None:
    trace = new_trace()
    mine = parent(trace), ("x-request-id", trace)
    assert called(traced, CREATE, traced.token(), *mine) == "OK"
    spans = collector.of_trace(trace, f"{SERVICE}/CreateProject")
    (call,) = [span for span in spans if span.name == f"{SERVICE}/CreateProject"]
    (queue,) = [span for span in spans if span.name == "queue"]
    (transaction,) = [span for span in spans if span.name == "transaction"]
    inserts = [span for span in spans if span.name == "INSERT"]
    assert (call.parent_span_id.hex(), call.kind) == (CALLER, Span.SPAN_KIND_SERVER)
    assert queue.parent_span_id == transaction.parent_span_id == call.span_id
    assert {span.parent_span_id for span in inserts} == {transaction.span_id}
    assert [event.name for event in transaction.events] == ["begun"]
    assert call.start_time_unix_nano == queue.start_time_unix_nano
    for span in spans:
        assert call.start_time_unix_nano <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= call.end_time_unix_nano
    said = attributes(call)
    assert said["persona.request_id"] == trace
    assert (said["persona.tenant"], said["rpc.method"]) == ("local", "CreateProject")
    assert said["rpc.response.status_code"] == "OK"
    texts = [attributes(span)["db.query.text"] for span in inserts]
    assert any('INTO "project"' in text for text in texts)
    assert "Trial" not in str(spans)


def test_rest_goes_on_with_a_trace_too(traced: Service, collector: Collector) -> None:
    trace = new_trace()
    client = Rest(traced.rest, traced.token())
    path = f"/api/v1/projects/{MISSING.project_id}"
    headers = [parent(trace), ("tracestate", "congo=t61"), ("tracestate", "rojo=00f")]
    client.call("GET", path, headers=headers).problem(404, "PROJECT_NOT_FOUND")
    spans = collector.of_trace(trace, f"{SERVICE}/GetProject")
    call = next(span for span in spans if span.name.startswith(SERVICE))
    assert (call.parent_span_id.hex(), call.trace_state) == (CALLER, "congo=t61,rojo=00f")
    assert attributes(call)["error.type"] == "PROJECT_NOT_FOUND"
    assert call.status.code == Status.STATUS_CODE_UNSET  # the caller's failure, not the server's
    assert "SELECT" in {span.name for span in spans}


def test_the_log_has_the_trace(traced: Service, collector: Collector) -> None:
    """Also where the call begins it itself, or where nobody has the spans."""

    def logged(*metadata: tuple[str, str]) -> str:
        request_id = uid()
        called(traced, MISSING, traced.token(), ("x-request-id", request_id), *metadata)

        def line() -> dict[str, Any] | None:
            return next((x for x in traced.log if x.get("request_id") == request_id), None)

        found = eventually(line)
        assert found is not None
        return str(found["trace_id"])

    trace = new_trace()
    assert logged(parent(trace)) == trace
    assert logged(parent(trace, "00")) == trace
    begun = logged()
    assert collector.of_trace(begun, f"{SERVICE}/GetProject")


def test_what_is_not_to_be_seen_is_not_sent(traced: Service, collector: Collector) -> None:
    unsampled, refused, wrong, after = (new_trace() for _ in range(4))
    called(traced, MISSING, traced.token(), parent(unsampled, "00"))
    assert called(traced, MISSING, "bad", parent(refused)) == "UNAUTHENTICATED"
    called(traced, MISSING, traced.token(), ("traceparent", f"00-{wrong}-0000000000000000-01"))
    broken = [("tracestate", text) for text in ("x" * 513, ",,,", "a" * 300 + "=1")]
    called(traced, MISSING, traced.token(), parent(after), *broken)
    collector.of_trace(after, f"{SERVICE}/GetProject")
    seen = {span.trace_id.hex() for span in collector.spans}
    assert not seen & {unsampled, refused, wrong}


def test_the_resource_is_the_service_unless_said_otherwise(
    traced: Service, collector: Collector, data: Path
) -> None:
    trace = new_trace()
    called(traced, MISSING, traced.token(), parent(trace))
    collector.of_trace(trace, "queue")
    assert collector.resource["service.name"] == "persona-service"
    named = {"OTEL_SERVICE_NAME": "other", "OTEL_TRACES_SAMPLER": "always_off"}
    with running_collector() as own:
        env = {**own.environment, **named, "OTEL_TRACES_SAMPLER": "always_on"}
        with running_service(data, *LEAN, "--workers", "2", "--tracing", env=env) as service:
            called(service, MISSING, service.token(), parent(trace))
            own.of_trace(trace, "queue")
            assert own.resource["service.name"] == "other"


@pytest.mark.alone  # a stop has two seconds beyond the grace, and others would take of them
def test_a_collector_that_hangs_holds_up_nobody(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "OTEL_BSP_SCHEDULE_DELAY": "10",
        }
        flags = ["--tracing", "--grace", "2"]
        with running_service(data, *LEAN, *flags, env=env) as service:
            assert called(service, CREATE, service.token()) == "OK"
            begun = time.monotonic()
            assert service.stop() == 0
            assert time.monotonic() - begun - 2 < 2 * slowness()  # as R13 has it


def test_one_that_is_not_there_is_a_line_of_the_log(data: Path) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    env["OTEL_EXPORTER_OTLP_TIMEOUT"] = "1"
    with running_service(data, *LEAN, "--tracing", env=env) as service:
        assert called(service, CREATE, service.token()) == "OK"
        eventually(lambda: [x for x in service.log if x.get("level") in ("warning", "error")])
        assert all("time" in line for line in service.log)


def refused(data: Path, env: dict[str, str]) -> str:
    """Return the one line that a start with traces ends with."""
    command: list[str | Path] = [
        PERSONA,
        "serve",
        "--data",
        data,
        "--listen",
        "127.0.0.1:0",
        "--tracing",
    ]
    done = subprocess.run(
        [*command, "--rest", "off", "--metrics", "off"],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    lines: list[str] = done.stderr.splitlines()
    (line,) = [one for one in lines if not one.startswith("{")]
    return line


def test_another_protocol_is_refused(data: Path) -> None:
    line = refused(data, {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "PATH": ""})
    assert "http/protobuf" in line


def test_without_traces_nothing_of_it_is_imported() -> None:
    start, telemetry = (
        "persona_server.running.start",
        "[m for m in sys.modules if 'telemetry' in m]",
    )
    program = f"import sys, {start}; print({telemetry})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "persona_server.telemetry.spans" in done.stdout
    assert "opentelemetry" not in done.stdout
