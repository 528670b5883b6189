"""Start and stop `persona serve`, and call it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import grpc

from persona.v1.comparison_service_pb2_grpc import ComparisonServiceStub
from persona.v1.library_service_pb2_grpc import LibraryServiceStub
from persona.v1.persona_service_pb2_grpc import PersonaServiceStub
from persona.v1.project_service_pb2_grpc import ProjectServiceStub
from persona.v1.response_service_pb2_grpc import ResponseServiceStub
from persona.v1.simulation_service_pb2_grpc import SimulationServiceStub
from persona_server.identity.tokens import SECRET_NAME, LocalKey
from persona_server.storage.engine.database import open_database
from persona_server.storage.repositories.tenants import Secrets
from support.waiting import LIMIT

PERSONA = Path(sys.executable).with_name("persona")
START_SECONDS = 60.0
TOKEN_SECONDS = 86_400  # fixtures of a whole run keep them
Options = tuple[tuple[str, int], ...]
OPTIONS: Options = (
    ("grpc.max_receive_message_length", 8 << 20),
    ("grpc.max_send_message_length", 128 << 20),
)


class Service:
    """A running service. `log` holds its log lines as they come.

    `common` are the flags of every one: `pytest --public-grpcio` adds its own. With `pytest
    --postgresql` each folder stands for a database of its own, which `database_of` makes.
    """

    common: ClassVar[list[str]] = []
    database_of: ClassVar[Callable[[Path], str] | None] = None

    def __init__(self, data: Path, *flags: str, env: dict[str, str] | None = None) -> None:
        self.data = data
        self.place = where(data)
        self.log: list[dict[str, Any]] = []
        self._listening = threading.Event()
        self._printed = threading.Condition()
        command = [str(PERSONA), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
        if self.place != data:
            command += ["--database", str(self.place)]
        if "--rest" not in flags:
            command += ["--rest", "127.0.0.1:0"]
        command += ["--metrics", "127.0.0.1:0", *self.common, *flags]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PERSONA_")}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean | (env or {}),
        )
        self.stdout: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_log, daemon=True),
            threading.Thread(target=self._read_stdout, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        if not self._listening.wait(START_SECONDS) or self.process.poll() is not None:
            self.process.kill()
            raise RuntimeError(f"the service did not start: {self.log[-3:]}")
        started = next(line for line in self.log if line["message"] == "listening")
        self.grpc: str = started["grpc"]
        self.rest = f"http://{started['rest']}" if started.get("rest") else ""
        self.metrics = f"http://{started['metrics']}/metrics"

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"message": line.rstrip()}
            self.log.append(entry)
            if entry["message"] == "listening":
                self._listening.set()
        self._listening.set()  # it ended: nobody needs to wait

    def _read_stdout(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._printed:
                self.stdout.append(line.rstrip("\n"))
                self._printed.notify_all()

    def printed(self, start: str) -> str:
        """Wait for the line on stdout that starts so, and return it."""

        def found() -> str | None:
            return next((line for line in self.stdout if line.lstrip().startswith(start)), None)

        with self._printed:
            line = self._printed.wait_for(found, START_SECONDS)
        assert line is not None, f"{start!r} is not in {self.stdout}"
        return line

    def token(self, tenant: str = "local", scopes: str = "all", subject: str = "tests") -> str:
        """Return a token of the service's own key.

        It is opened for its secrets alone: a whole store would cost ten times as much.
        """
        database = open_database(self.place, make=False)
        try:
            pem = Secrets(database).find(SECRET_NAME)
        finally:
            database.close_all()
        assert pem is not None
        return LocalKey(pem).issue(tenant, subject, scopes.split(), TOKEN_SECONDS)

    def connect(self, token: str | None = None) -> "Caller":
        """Return stubs whose calls carry a token (tenant `local`, all scopes)."""
        return Caller(self.grpc, self.token() if token is None else token)

    def kill(self) -> None:
        """End the process as a power switch would."""
        self.process.kill()
        self.ended()

    def stop(self, timeout: float = LIMIT) -> int:
        """Ask it to stop and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended(timeout)

    def ended(self, timeout: float = LIMIT) -> int:
        """Wait for its end, and for the last of its log; return the exit code."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()  # it would outlive the tests
            raise
        for reader in self._readers:
            reader.join(timeout)
        return code


def where(data: Path) -> Path | str:
    """Return where the database of a service is that has a folder: there, or at a URL."""
    return Service.database_of(data) if Service.database_of else data


def naming(data: Path) -> list[str]:
    """Return the flags by which a command finds the database of such a service."""
    place = where(data)
    return ["--data", str(data)] if place == data else ["--database", str(place)]


class Caller:
    """Stubs of all services that send a token with every call."""

    def __init__(self, address: str, token: str, options: Options = OPTIONS) -> None:
        channel = grpc.insecure_channel(address, options)
        self.channel = channel
        authorized = grpc.intercept_channel(channel, _Authorization(token)) if token else channel
        self.personas = PersonaServiceStub(authorized)
        self.projects = ProjectServiceStub(authorized)
        self.responses = ResponseServiceStub(authorized)
        self.library = LibraryServiceStub(authorized)
        self.simulations = SimulationServiceStub(authorized)
        self.comparison = ComparisonServiceStub(authorized)

    def close(self) -> None:
        """Close the connection."""
        self.channel.close()


class _Authorization(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    def __init__(self, token: str) -> None:
        self._pair = ("authorization", f"Bearer {token}")

    def _with(self, details: Any) -> Any:
        metadata = (*(details.metadata or ()), self._pair)
        return _Details(details.method, details.timeout, metadata, details.credentials)

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(self._with(details), request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        return continuation(self._with(details), request)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return continuation(self._with(details), requests)


class _Details(grpc.ClientCallDetails):
    def __init__(self, method: str, timeout: float | None, metadata: Any, credentials: Any) -> None:
        self.method = method
        self.timeout = timeout
        self.metadata = metadata
        self.credentials = credentials
        self.wait_for_ready = None
        self.compression = None


@contextmanager
def running_service(
    data: Path, *flags: str, env: dict[str, str] | None = None
) -> Iterator[Service]:
    """Run a service for a block."""
    service = Service(data, *flags, env=env)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
