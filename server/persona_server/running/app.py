"""The composition root: settings → database → services → server, and their end in reverse."""

import os
import sys
import threading
import time
from collections.abc import Callable

from persona_server.process import memory, supervisor
from persona_server.process.certificates import certificates_of
from persona_server.process.gateway_process import GatewayProcess
from persona_server.process.jobs import Job, JobRunner
from persona_server.process.signals import RELOAD, Wake
from persona_server.quotas import TenantQuotas
from persona_server.running.callers import Callers
from persona_server.running.composing import (
    Addresses,
    gateway_to,
    identity_of,
    listen_for_calls,
    listen_for_metrics,
    opened,
    policy_of,
    quota_of,
    reachable,
    reachable_text,
    replica_of,
    tracing_of,
)
from persona_server.running.condition import Condition
from persona_server.running.health import HealthLook
from persona_server.running.observing import watch_database, watch_service
from persona_server.running.services import Services, services_of
from persona_server.running.upgrading import upgrading
from persona_server.services.library.promoting import promote_waiting
from persona_server.services.personas.page_cache import PageCache
from persona_server.services.responses.voiding import settle_voids
from persona_server.settings.config import Settings
from persona_server.settings.reloading import read_again
from persona_server.storage import keys
from persona_server.storage.engine.database import shown
from persona_server.storage.engine.errors import refusing_to_open
from persona_server.telemetry import figures
from persona_server.telemetry.faults import FaultsMet
from persona_server.telemetry.logs import LOGGER, configure
from persona_server.telemetry.metrics import Metrics, PagesKept
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.recorder import Recorder
from persona_server.transport.server import PersonaServer, served_by
from persona_server.transport.sharing.counters import Counters
from persona_server.transport.sharing.use import Use
from persona_server.transport.steps import call_steps
from persona_server.transport.streams import Streams
from persona_server.transport.tracing import tracing_step
from persona_server.workers.place import Place

SWEEP_SECONDS = 600.0
HEALTH_SECONDS = 1.0
PROMOTION_SECONDS = VOIDING_SECONDS = 1.0
ANSWER_SECONDS = 30.0  # for the database to answer a statement, whoever waits for it
JOB_SECONDS = 1.0  # beyond the grace, for what a job has begun
SWITCH_SECONDS = 0.001  # a short call takes the interpreter several times from one that computes
REST_SHARE = 0.6  # of the grace, at most


class App:
    """The service of one process, or of one worker: then `place` is its place among them."""

    def __init__(self, settings: Settings, place: Place | None = None) -> None:
        memory.keep_freed()
        self._settings = settings
        self._is_worker = place is not None
        workers = place.count if place else 1
        self._stop = threading.Event()
        self.wake = Wake()
        self._failed = False
        self._tracing = tracing_of(settings)
        self._certificates = certificates_of(settings)
        self._gateway_identity = place.gateway if place else identity_of(self._certificates)
        # For workers their parent has the lock.
        self.store, self.key, tokens, self._lock = opened(
            settings, upgrading(settings), locks=place is None, file=place.file if place else None
        )
        self._counters = self._counting_with(place) if place else None
        self._condition = Condition(self._counters.condition if self._counters else None)
        pages = PageCache(settings.page_cache_bytes // workers)
        self.metrics = self._measuring(pages)
        self._replica = replica_of(settings)
        self._policy = policy_of(settings)
        if settings.promotion:
            self.store.promotes()
        services = services_of(self.store, tokens, pages, self._replica, self._policy)
        self.personas, self.projects = services.personas, services.projects
        self._callers = Callers(self.store, settings, place.published if place else None)
        self._quotas = TenantQuotas(quota_of(settings), self.store.own_quotas)
        self.store.most_stored = lambda tenant: self._quotas.known(tenant).stored_bytes
        self._guards = Guards(workers)
        self._guards.gateway.secret = place.secret if place else ""
        self._server = self._serving(services, place)
        self._health = HealthLook(self.store, self._condition, self._server.serving)
        # Each with a thread and a connection of its own: a long sweep must not freeze health.
        self._jobs = [JobRunner(job, self._condition.meet) for job in self._repeated()]
        self._condition.worsened = self._jobs[0].wake
        self._gateway: GatewayProcess | None = None
        # Now, since connections of callers may take every file descriptor later.
        with refusing_to_open(shown(settings.place)):
            self.store.database.open_ahead(self._server.threads + len(self._jobs))
        self.store.database.answer_within(ANSWER_SECONDS)

    def _counting_with(self, place: Place) -> Counters:
        """Return what all workers count together; one database file they write in turn."""
        counters = Counters(place.counters, place.count, place.number)
        if not self.store.database.has_many_writers:
            self.store.database.share()
            self.store.id_generator.share(counters.last_id)
        return counters

    def _measuring(self, pages: PageCache) -> Metrics:
        """Return the metrics of this process, and of the whole service where it is alone."""
        rank = self._counters.rank if self._counters else None
        metrics = Metrics(self._settings.metrics_tenants, rank)
        metrics.registry.register(FaultsMet(self._condition.met))
        watch_database(metrics, self.store.database)
        if not self._is_worker:
            watch_service(metrics, self._settings, self._processes)
        metrics.registry.register(PagesKept(pages))
        return metrics

    def _serving(self, services: Services, place: Place | None) -> PersonaServer:
        """Return the server of all services, whose calls take all steps."""
        settings, quotas = self._settings, self._quotas
        recorder, use = Recorder(self.metrics), Use(quotas.known, self._counters)
        tracing = [tracing_step(self._tracing)] if self._tracing else []
        authenticator, told = self._callers.authenticator, self._condition.meet
        steps = call_steps(self._guards, authenticator, recorder, quotas, use, told, *tracing)
        streams = Streams(
            of=lambda tenant: quotas.known(tenant).streams,
            idle=settings.stream_idle_seconds,
            counters=self._counters,
        )
        return PersonaServer(
            served_by(*services),
            Pipeline(steps),
            self._guards,
            self.metrics,
            streams,
            open_reflection=settings.open_reflection,
            public_grpcio=settings.public_grpcio,
            workers=place.count if place else None,
        )

    def _repeated(self) -> list[Job]:
        """Return what is done again and again, health first."""
        jobs = [
            Job("health", HEALTH_SECONDS, self._health.look),
            self._callers.job,
            Job("sweep", SWEEP_SECONDS, self._sweep),
            Job("voiding", VOIDING_SECONDS, self._once(self._settle)),
        ]
        if self._settings.promotion:
            jobs.append(Job("promotion", PROMOTION_SECONDS, self._once(self._promote)))
        return jobs

    def start(self) -> Addresses:
        """Listen. Raises StartError or GatewayError naming the flag to change."""
        settings = self._settings
        sys.setswitchinterval(SWITCH_SECONDS)
        self.wake.listen()
        grpc = listen_for_calls(
            self._server, settings.listen, self._certificates, self._gateway_identity
        )
        metrics = listen_for_metrics(settings, self._page, self._certificates)
        self._callers.fetch()
        self._server.start()
        self._health.look()
        for job in self._jobs:
            job.start()
        if settings.rest:
            self._gateway = gateway_to(reachable(grpc), settings, self._gateway_identity)
            self._guards.gateway.secret = self._gateway.secret
            self._gateway.watch(self._gateway_died)
        rest = self._gateway.address if self._gateway else None
        addresses = Addresses(str(reachable(grpc)), rest and reachable_text(rest), metrics)
        if not self._is_worker:
            LOGGER.info("listening", extra=addresses._asdict())
        return addresses

    def run(self, load: Callable[[], Settings]) -> int:
        """Serve until a signal asks for the end, then stop; return the exit code.

        SIGHUP lets the settings be read again, by `load`.
        """
        while (name := self.wake.wait()) == RELOAD:
            self.reload(load)
        self.stop(name)
        return 1 if self._failed else 0

    def reload(self, load: Callable[[], Settings]) -> None:
        """Read the settings again, and take those that may change while the service runs."""
        self.take(read_again(self._settings, load))

    def take(self, settings: Settings) -> None:
        """Heed settings of which only those differ that may change while the service runs."""
        self._settings = settings
        configure(settings.log_level)
        self._quotas.set_defaults(quota_of(settings))
        if self._gateway:
            self._gateway.set_log_level(self._settings.log_level)

    def beat(self) -> None:
        """Show the parent of workers that this one still runs."""
        if self._counters:
            self._counters.beat()

    def end_health(self) -> None:
        """Say NOT_SERVING from now on."""
        self._server.end_health()

    def stop(self, why: str = "", grace: float | None = None) -> None:
        """Say NOT_SERVING, let REST and then gRPC end what is in flight, close the database.

        `grace` is how many seconds that may take, if not what is set.
        """
        if not self._is_worker:
            supervisor.tell(supervisor.STOPPING)
        ends = time.monotonic() + (self._settings.grace if grace is None else grace)
        self.end_health()  # before anything else that could take its time
        LOGGER.info("stopping", extra={"signal": why})
        self._stop.set()
        if self._gateway:  # a stalled reader of REST must leave gRPC a part of the grace
            self._gateway.stop(self._settings.grace * REST_SHARE)
        self._server.stop(max(ends - time.monotonic(), 0.0))
        for job in self._jobs:
            job.stop(ends + JOB_SECONDS - time.monotonic())
        if self._replica:
            self._replica.close()
        self.store.close()
        if self._tracing:
            self._tracing.close()
        LOGGER.info("stopped")

    def _processes(self) -> dict[str, int]:
        gateway = {"gateway": self._gateway.pid} if self._gateway else {}
        return {"server": os.getpid(), **gateway}

    def _page(self) -> bytes:
        """Return the metrics of this process and of the gateway."""
        if self._gateway is None:
            return self.metrics.page()
        return figures.joined([self.metrics.page(), self._gateway.figures()])

    def _once(self, run: Callable[[], None]) -> Callable[[], None]:
        """Return the job that runs in one of all processes."""

        def run_here() -> None:
            if self._counters is None or self._counters.runs_jobs():
                run()

        return run_here

    def _sweep(self) -> None:
        memory.give_back()  # of this process
        self._once(self._purge)()  # first: retention must not depend on what notes may raise
        self._callers.note_uses()  # of this process

    def _purge(self) -> None:
        retention = int(self._settings.retention * 1_000_000)
        removed = self.store.sweeper.sweep(keys.now(), retention, self._stop.is_set)
        self.metrics.swept.inc(removed)
        if removed:
            LOGGER.info("swept", extra={"rows": removed})

    def _settle(self) -> None:
        count = settle_voids(self.store, self._stop.is_set)
        if count:
            LOGGER.info("voided", extra={"responses": count})

    def _promote(self) -> None:
        promoted = promote_waiting(self.store, self._policy, self._stop.is_set)
        self.metrics.promoted.inc(promoted)
        if promoted:
            LOGGER.info("promoted", extra={"personas": promoted})

    def _gateway_died(self) -> None:
        self._failed = True
        self.wake.ring()
