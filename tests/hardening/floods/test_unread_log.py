"""Standard streams that nobody reads (a hung collector, Ctrl-S) hold nothing up."""

import os
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from persona_server.identity.tokens import local_key
from persona_server.storage.store import open_store
from support.data import Place, make_place, persona, uid
from support.dbfile import connection
from support.errors import refused
from support.ports import free_port
from support.service import PERSONA, TOKEN_SECONDS, Caller, naming, where
from support.waiting import LIMIT, eventually

GRACE = 1.5
ERRORS = 9000  # whose lines are more than the queue takes
CALL_SECONDS = 20.0


class Unread(NamedTuple):
    """A service whose stdout and stderr are full."""

    process: "subprocess.Popen[bytes]"
    data: Path
    grpc: str
    rest: str
    metrics: str

    def figure(self, name: str) -> float:
        """Return a figure of a scrape."""
        with urllib.request.urlopen(f"{self.metrics}/metrics", timeout=CALL_SECONDS) as page:
            lines = page.read().decode().splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(f"{name} "))


def full_pipe() -> tuple[int, int]:
    """Return the ends of a pipe that takes nothing more."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with suppress(BlockingIOError):
        while os.write(write_end, b"\n" * 4096):
            pass
    os.set_blocking(write_end, True)
    return read_end, write_end


@contextmanager
def unread_service(data: Path) -> Iterator[Unread]:
    """Run a service for a block, with the gateway, whose streams were full before it started."""
    (stdout, stdout_end), (stderr, stderr_end) = full_pipe(), full_pipe()
    address, rest, metrics = (f"127.0.0.1:{free_port()}" for _ in range(3))
    command = [str(PERSONA), "serve", *naming(data), "--grace", str(GRACE)]
    command += ["--listen", address, "--rest", rest, "--metrics", metrics]
    process = subprocess.Popen(command, stdout=stdout_end, stderr=stderr_end)
    os.close(stdout_end)
    os.close(stderr_end)
    try:
        eventually(lambda: serving(address))
        yield Unread(process, data, address, f"http://{rest}", f"http://{metrics}")
    finally:
        process.kill()
        process.wait()
        os.close(stdout)
        os.close(stderr)


def serving(address: str) -> bool:
    """Return whether a service says that it serves."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=CALL_SECONDS)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def token_of(data: Path) -> str:
    store = open_store(where(data), make=False)
    try:
        return local_key(store).issue("local", "tests", ["all"], TOKEN_SECONDS)
    finally:
        store.close()


def fail_often(place: Place, data: Path) -> None:
    """Let calls fail inside, each of which logs why."""
    with connection(data) as beside:
        beside.execute("ALTER TABLE idempotency RENAME TO elsewhere")

    def fail(_: int) -> None:
        with refused("INTERNAL"):
            place.create(persona(), uid())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fail, range(ERRORS)))
    with connection(data) as beside:
        beside.execute("ALTER TABLE elsewhere RENAME TO idempotency")


def test_nobody_waits_for_a_log_that_nobody_reads(data: Path) -> None:
    with unread_service(data) as unread:
        token = token_of(data)
        caller = Caller(unread.grpc, token)
        place = make_place(caller)
        fail_often(place, data)
        dropped = unread.figure("persona_log_lines_dropped_total")
        assert dropped > 0
        made = place.create(persona(), uid())
        assert place.walk() == [made]
        headers = {"authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{unread.rest}/api/v1/projects", headers=headers)
        with urllib.request.urlopen(request, timeout=CALL_SECONDS) as answer:
            assert answer.status == 200
        caller.close()
        unread.process.send_signal(signal.SIGTERM)
        assert unread.process.wait(LIMIT) == 0  # who waited for a reader would never end
