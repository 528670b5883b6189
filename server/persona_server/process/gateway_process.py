"""The process of the REST gateway: a child of the server, which starts, watches and stops it."""

import json
import os
import secrets
import select
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from persona_server.process.gateway_channel import GatewayChannel
from persona_server.settings.config import Settings
from persona_server.settings.values import Address
from persona_server.telemetry import logs

PROGRAM = "persona-gateway"
SECRET_VARIABLE = "PERSONA_GATEWAY_SECRET"  # noqa: S105 (the name of a variable, not a secret)
IDENTITY_VARIABLE = "PERSONA_GATEWAY_IDENTITY"
START_SECONDS = 10.0
LAST_WORDS_SECONDS = 1.0
LONGEST_LINE = 64 << 10  # bytes


class GatewayError(Exception):
    """The gateway can't run; the text says why, unless the gateway has said so on stderr."""


class GatewayProcess:
    """A running gateway. It exits when its stdin closes: a killed server leaves no orphan.

    `secret` comes with each of its calls, so that the server knows them and believes the address of
    the caller that they name.
    """

    def __init__(self, command: Sequence[str], identity: bytes = b"") -> None:
        """Start it, and wait until it listens. Raises GatewayError if it does not.

        `identity` is a certificate and its key, PEM, for a server that wants one of its clients.
        """
        program = command[0]
        self.secret = secrets.token_urlsafe(32)
        try:
            # Its own process group: a Ctrl-C at the terminal is the server's to pass on, in order.
            self._process = subprocess.Popen(  # noqa: S603 (our own program)
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ
                | {SECRET_VARIABLE: self.secret, IDENTITY_VARIABLE: identity.decode()},
                start_new_session=True,
            )
        except OSError as error:
            raise GatewayError(f"Can't start {program}: {error.strerror}. {_HELP}") from None
        self._stopping = False
        self._log = threading.Thread(target=self._pass_log, name="gateway-log", daemon=True)
        self._log.start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._channel = GatewayChannel(self._process.stdin, self._process.stdout)
        try:
            self.address = self._listening_address(program)
        except GatewayError:
            self._process.kill()
            self._ended()
            raise

    def _listening_address(self, program: str) -> str:
        """Return the address that the gateway's first line tells."""
        stdout = self._process.stdout
        assert stdout is not None
        said, _, _ = select.select([stdout], [], [], START_SECONDS)
        line = stdout.readline() if said else b"nothing"
        if not line:
            code = self._process.wait()
            # It has said why itself, on stderr: a taken port (1), or flags that can't be (2).
            said_so = code in (1, 2)
            raise GatewayError("" if said_so else f"{program} ended with code {code}. {_HELP}")
        try:
            return str(json.loads(line)["listening"])
        except (ValueError, KeyError, TypeError):
            raise GatewayError(f"{program} does not answer as a persona-gateway. {_HELP}") from None

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def figures(self) -> bytes:
        """Return its page of metrics; b"" before it has given any."""
        return self._channel.page()

    def set_log_level(self, level: str) -> None:
        """Let it log from now on as the server does."""
        self._channel.order("level", level)

    def watch(self, died: Callable[[], None]) -> None:
        """Call `died` if the gateway ends by itself, which is logged. One that hangs is ended."""

        def wait() -> None:
            self._channel.run(self._end_hanging)
            self._process.wait()
            if not self._stopping:
                logs.LOGGER.error(_DIED)
                died()

        threading.Thread(target=wait, name="gateway-watch", daemon=True).start()

    def stop(self, grace: float) -> None:
        """Let requests in flight end within `grace` seconds, then end the process."""
        self._stopping = True
        self._channel.close()
        try:
            self._process.wait(grace + 1.0)  # it keeps the grace by itself; this is for one stuck
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._ended()

    def _end_hanging(self) -> None:
        if not self._stopping:
            logs.LOGGER.error("the REST gateway does not answer: it is ended")
            self._process.kill()

    def _ended(self) -> None:
        """Wait for the process, and for its last words to be in the log."""
        self._process.wait()
        self._log.join(LAST_WORDS_SECONDS)

    def _pass_log(self) -> None:
        """Pass the gateway's lines on to the server's log, so that nobody waits for a reader."""
        assert self._process.stderr is not None
        while line := self._process.stderr.readline(LONGEST_LINE):
            logs.write_line(line)


_DIED = "the REST gateway has ended by itself: stopping, so that a supervisor restarts"
_HELP = "Build it with `make setup`, name it with --gateway-program, or say --rest off."


def command_of(settings: Settings, grpc: Address, connections: int) -> list[str]:
    """Return the command of the gateway: of a flag that comes twice the last one counts.

    So --gateway-options may change the number of `connections`, and nothing that the server says.
    Raises GatewayError if the program is nowhere.
    """
    program = find_program(settings.gateway_program)
    command = [program, "--connections", str(connections), *settings.gateway_options]
    command += ["--listen", str(settings.rest), "--grpc", str(grpc)]
    command += ["--grace", f"{settings.grace:g}", "--log-level", settings.log_level]
    for origin in settings.cors_origin:
        command += ["--cors-origin", origin]
    return [*command, "--trusted-proxies", settings.trusted_proxies, *_tls_flags(settings)]


def _tls_flags(settings: Settings) -> list[str]:
    """Return what the gateway is told of TLS: the server's files, by which it knows it too."""
    if not settings.tls_cert:
        return []
    flags = ["--tls-cert", str(settings.tls_cert), "--tls-key", str(settings.tls_key)]
    if settings.tls_client_ca:
        flags += ["--tls-client-ca", str(settings.tls_client_ca)]
    return [*flags, "--grpc-ca", str(settings.tls_cert)]


def find_program(named: str) -> str:
    """Return the gateway's path: as named, else beside the `persona` command, else on PATH.

    Raises GatewayError if it is nowhere.
    """
    if named:
        return named
    beside = Path(sys.argv[0]).resolve().parent / PROGRAM
    if beside.is_file():
        return str(beside)
    found = shutil.which(PROGRAM)
    if found is None:
        raise GatewayError(f"{PROGRAM}, which serves REST, is not there. {_HELP}")
    return found
