"""The composition root: settings → database → services → server, and their end in reverse."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import fields
from typing import NamedTuple

from persona_server import supervisor
from persona_server.certificates import certificates_of, make_identity
from persona_server.config import Settings
from persona_server.gateway_process import GatewayProcess, command_of
from persona_server.identity.principal import Principal, TokenError
from persona_server.identity.tokens import LocalKey, local_key
from persona_server.jobs import Job, JobRunner
from persona_server.measures.individual.policy import Policy
from persona_server.opening import require_volume
from persona_server.quotas import Quota, TenantQuotas
from persona_server.reloading import read_again
from persona_server.services.comparison.service import ComparisonService
from persona_server.services.library.promoting import promote_waiting
from persona_server.services.library.service import LibraryService
from persona_server.services.paging import PageTokens
from persona_server.services.personas.page_cache import PageCache
from persona_server.services.personas.service import PersonaService
from persona_server.services.projects.service import ProjectService
from persona_server.services.responses.service import ResponseService
from persona_server.services.responses.voiding import settle_voids
from persona_server.services.simulations.service import SimulationService
from persona_server.setting_values import Address
from persona_server.storage import keys
from persona_server.storage.engine.database import shown
from persona_server.storage.engine.errors import refusing_to_open
from persona_server.storage.engine.folder import lock_file, make_private
from persona_server.storage.store import open_store
from persona_server.telemetry.logs import LOGGER
from persona_server.telemetry.metrics import Metrics, PagesKept
from persona_server.telemetry.metrics_port import MetricsPort
from persona_server.transport.auth import Authenticator
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.recorder import Recorder
from persona_server.transport.server import PersonaServer
from persona_server.transport.sharing.use import Use
from persona_server.transport.steps import call_steps
from persona_server.transport.streams import Streams
from persona_server.transport.tls import credentials_of

SWEEP_SECONDS = 600.0
HEALTH_SECONDS = 5.0
SWITCH_SECONDS = 0.001  # a short call takes the interpreter several times from one that computes
PROMOTION_SECONDS = VOIDING_SECONDS = 1.0
REST_SHARE = 0.6  # of the grace, at most
_PAGE_TOKEN_KEY = "page-token-key"  # noqa: S105 (the name of a secret, not one)


class StartError(Exception):
    """The service can't start as it is configured; the text says why and what to do."""


class Addresses(NamedTuple):
    """Where a started service listens; None where it does not."""

    grpc: str
    rest: str | None
    metrics: str | None


class App:
    """The service of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        # What ends the service is written here, and the main thread reads it. A signal that another
        # thread takes would not wake a wait for a lock; the interpreter writes it here from any.
        self._wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._failed = False
        self._healthy = False
        self._certificates = certificates_of(settings)
        self._gateway_identity = make_identity("persona-gateway") if self._certificates else None
        require_volume(settings)
        with refusing_to_open(shown(settings.place)):
            if not settings.database:  # a file is one server's
                make_private(settings.data)
                self._lock = lock_file(settings.data)  # held until the process ends
            self.store = open_store(settings.place)
            self.key: LocalKey = local_key(self.store)
            secret = self.store.secrets.ensure(_PAGE_TOKEN_KEY, _random_key, keys.now())
        if self.store.created:
            LOGGER.info("database made", extra={"place": shown(settings.place)})
        tokens = PageTokens(secret)
        self.metrics = Metrics()
        pages = PageCache(settings.page_cache_bytes)
        self.metrics.registry.register(PagesKept(pages))
        self.personas = PersonaService(self.store, tokens, pages)
        self.projects = ProjectService(self.store, tokens)
        self._policy = policy_of(settings)
        self.simulations = SimulationService(self.store, tokens)
        self.responses = ResponseService(self.store, tokens, queues=settings.promotion)
        self.library = LibraryService(
            self.store, tokens, self._policy, automatic=settings.promotion
        )
        self.comparison = ComparisonService(self.store, tokens)
        authenticator = Authenticator(
            self._refuse if settings.local_tokens is False else self.key.verify
        )
        self._guards = Guards()
        self._quotas = quotas = TenantQuotas(quota_of(settings), self.store.own_quotas)
        self.store.most_stored = lambda tenant: quotas.known(tenant).stored_bytes
        recorder, use = Recorder(self.metrics), Use(quotas.known)
        steps = call_steps(self._guards, authenticator, recorder, quotas, use)
        self._server = PersonaServer(
            {
                "persona.v1.PersonaService": self.personas,
                "persona.v1.ProjectService": self.projects,
                "persona.v1.ResponseService": self.responses,
                "persona.v1.LibraryService": self.library,
                "persona.v1.SimulationService": self.simulations,
                "persona.v1.ComparisonService": self.comparison,
            },
            Pipeline(steps),
            self._guards,
            self.metrics,
            Streams(
                of=lambda tenant: quotas.known(tenant).streams, idle=settings.stream_idle_seconds
            ),
            open_reflection=settings.open_reflection,
            public_grpcio=settings.public_grpcio,
        )
        # Each with a thread and a connection of its own: a long sweep must not freeze health.
        self._jobs = [
            JobRunner(Job("health", HEALTH_SECONDS, self._check_health)),
            JobRunner(Job("sweep", SWEEP_SECONDS, self._sweep)),
            JobRunner(Job("voiding", VOIDING_SECONDS, self._settle)),
        ]
        if settings.promotion:
            self._jobs.append(JobRunner(Job("promotion", PROMOTION_SECONDS, self._promote)))
        self._gateway: GatewayProcess | None = None
        # Now, since connections of callers may take every file descriptor later.
        with refusing_to_open(shown(settings.place)):
            self.store.database.open_ahead(self._server.threads + len(self._jobs))

    def start(self) -> Addresses:
        """Listen. Raises StartError or GatewayError naming the flag to change."""
        settings = self._settings
        sys.setswitchinterval(SWITCH_SECONDS)
        signal.set_wakeup_fd(self._waker.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _noted)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(signal.SIGHUP, _noted)
        grpc_port = self._listen("--listen", settings.listen)
        metrics = self._serve_metrics()
        self._server.start()
        self._check_health()
        for job in self._jobs:
            job.start()
        grpc = Address(settings.listen.host, grpc_port)
        if settings.rest:
            self._gateway = GatewayProcess(
                command_of(settings, settings.rest, _reachable(grpc)),
                self._gateway_identity.pem if self._gateway_identity else b"",
            )
            self._guards.gateway.secret = self._gateway.secret
            self._gateway.watch(self._gateway_died)
        rest = self._gateway.address if self._gateway else None
        addresses = Addresses(str(_reachable(grpc)), rest and reachable_text(rest), metrics)
        LOGGER.info("listening", extra=addresses._asdict())
        return addresses

    def run(self, load: Callable[[], Settings]) -> int:
        """Serve until a signal asks for the end, then stop; return the exit code.

        SIGHUP lets the settings be read again, by `load`.
        """
        while (number := self._wake.recv(1)[0]) == signal.SIGHUP:
            self._settings = read_again(self._settings, load)
            self._quotas.set_defaults(quota_of(self._settings))
        self.stop(signal.Signals(number).name if number else "")
        return 1 if self._failed else 0

    def stop(self, why: str = "") -> None:
        """Say NOT_SERVING, let REST and then gRPC end what is in flight, close the database."""
        supervisor.tell(supervisor.STOPPING)
        ends = time.monotonic() + self._settings.grace
        self._server.end_health()  # before anything else that could take its time
        LOGGER.info("stopping", extra={"signal": why})
        self._stop.set()
        if self._gateway:  # a stalled reader of REST must leave gRPC a part of the grace
            self._gateway.stop(self._settings.grace * REST_SHARE)
        self._server.stop(max(ends - time.monotonic(), 0.0))
        for job in self._jobs:
            job.stop()
        self.store.close()
        LOGGER.info("stopped")

    def _listen(self, flag: str, address: Address) -> int:
        credentials = None
        if self._certificates and self._gateway_identity:
            credentials = credentials_of(self._certificates, self._gateway_identity.cert)
        try:
            return self._server.listen(str(address), credentials)
        except OSError:
            raise StartError(
                f"gRPC can't listen on {address}: the port is taken or not allowed. "
                f"Name another with {flag} HOST:PORT."
            ) from None

    def _serve_metrics(self) -> str | None:
        address = self._settings.metrics
        if address is None:
            return None
        certificates = self._certificates
        context = (lambda: certificates.current().context) if certificates else None
        try:
            port = MetricsPort(address.host, address.port, self.metrics.page, context).port
        except OSError:
            raise StartError(
                f"Metrics can't listen on {address}: the port is taken or not allowed. "
                "Name another with --metrics HOST:PORT, or --metrics off."
            ) from None
        return str(Address(address.host, port))

    def _check_health(self) -> None:
        """Set what health says, and log it when that changes."""
        try:
            self.store.ping()
        except Exception as error:  # noqa: BLE001 (whatever it is, the database does not answer)
            if self._healthy:
                LOGGER.error("the database does not answer", exc_info=error)
            self._healthy = False
        else:
            if not self._healthy:
                LOGGER.info("the database answers")
            self._healthy = True
        self._server.serving(self._healthy)

    def _sweep(self) -> None:
        retention = int(self._settings.retention * 1_000_000)
        removed = self.store.sweeper.sweep(keys.now(), retention, self._stop.is_set)
        self.metrics.swept.inc(removed)
        if removed:
            LOGGER.info("swept", extra={"rows": removed})

    def _settle(self) -> None:
        count = settle_voids(self.store, self._stop.is_set, queues=self._settings.promotion)
        if count:
            LOGGER.info("voided", extra={"responses": count})

    def _promote(self) -> None:
        promoted = promote_waiting(self.store, self._policy, self._stop.is_set)
        self.metrics.promoted.inc(promoted)
        if promoted:
            LOGGER.info("promoted", extra={"personas": promoted})

    def _gateway_died(self) -> None:
        LOGGER.error(
            "the REST gateway has ended by itself: stopping, so that a supervisor restarts"
        )
        self._failed = True
        self._waker.send(b"\0")

    @staticmethod
    def _refuse(_token: str) -> Principal:
        raise TokenError("This server takes no tokens of its local key (local_tokens is off).")


def policy_of(settings: Settings) -> Policy:
    """Return the limits of all measures as they are set."""
    return Policy(**{field.name: getattr(settings, field.name) for field in fields(Policy)})


def quota_of(settings: Settings) -> Quota:
    """Return what a tenant may use that has no values of its own."""
    return Quota(**{name: getattr(settings, f"quota_{name}") for name in Quota._fields})


def _noted(_number: int, _frame: object) -> None:
    """Take a signal; that it came has been written to the wake-up descriptor."""


def reachable_text(address: str) -> str:
    """Return HOST:PORT by which this machine reaches a listener, whatever it listens on."""
    host, _, port = address.rpartition(":")
    return str(_reachable(Address(host.strip("[]"), int(port))))


def _reachable(listen: Address) -> Address:
    """Return the address by which this machine reaches a listener on all interfaces."""
    return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host), listen.port)  # noqa: S104


def _random_key() -> bytes:
    return os.urandom(32)
