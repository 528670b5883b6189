"""Whether the gateway lives and the service is ready, for those who run them."""

import signal
import time
from pathlib import Path

import pytest
from rest.processes import Backend, gateway
from rest.wire import Rest

from support.importer import LEAN
from support.ports import free_port
from support.service import running_service
from support.waiting import eventually


@pytest.mark.parametrize(("path", "status"), [("/healthz", "LIVING"), ("/readyz", "SERVING")])
def test_probes_need_no_token(rest: Rest, path: str, status: str) -> None:
    anybody = Rest(f"http://{rest.host}", None)
    answer = anybody.call("GET", path)
    assert (answer.status, answer.json()) == (200, {"status": status})
    assert answer.headers["Cache-Control"] == "no-store"
    head = anybody.call("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    wrong = anybody.call("POST", path, {})
    wrong.problem(405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["Allow"] == "GET, HEAD"


def test_a_gateway_without_its_service_lives_and_is_not_ready() -> None:
    with gateway("127.0.0.1:1") as running:
        anybody = Rest(running.base, None)
        assert anybody.call("GET", "/healthz").status == 200
        answer = anybody.call("GET", "/readyz")
        answer.problem(503, "UNREACHABLE")
        assert answer.headers["Retry-After"] == "1"


def test_a_service_that_does_not_say_how_it_is_is_not_ready(broken: Rest) -> None:
    broken.call("GET", "/readyz").problem(503, "UNREACHABLE")


def test_the_gateway_is_ready_when_its_service_is_there_again(tmp_path: Path) -> None:
    with running_service(tmp_path / "data") as service, gateway(service.grpc) as running:
        anybody = Rest(running.base, None)
        eventually(lambda: anybody.call("GET", "/readyz").status == 200)
        service.process.send_signal(signal.SIGSTOP)
        # What it said counts for a second.
        eventually(lambda: anybody.call("GET", "/readyz").status == 503)
        service.process.send_signal(signal.SIGCONT)
        eventually(lambda: anybody.call("GET", "/readyz").status == 200)


def test_who_is_ready_fails_no_call(tmp_path: Path) -> None:
    """Each connection waits before it tries again, on its own: all of them must be back."""
    listen = f"127.0.0.1:{free_port()}"
    with gateway(listen, "--connections", "32") as running:
        anybody, client = Rest(running.base, None), Rest(running.base, "any")
        ends = time.monotonic() + 3  # so that they wait long
        while time.monotonic() < ends:
            client.call("GET", "/api/v1/projects").problem(503, "UNREACHABLE")
        with running_service(tmp_path / "data", *LEAN, "--listen", listen):
            eventually(lambda: anybody.call("GET", "/readyz").status == 200)
            for _ in range(128):
                client.call("GET", "/api/v1/projects").problem(401, "UNAUTHENTICATED")


def test_probes_are_answered_where_an_address_has_had_its_share(backend: Backend) -> None:
    with gateway(backend.address, "--max-refusals", "0.1") as running:
        stranger = Rest(running.base, None)
        eventually(lambda: stranger.call("GET", "/nowhere").status == 429)
        assert stranger.call("GET", "/healthz").status == 200
        assert stranger.call("GET", "/readyz").status == 503  # that server has no health
