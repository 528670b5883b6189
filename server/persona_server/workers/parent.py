"""The parent of workers: it holds the folder and the port, and runs the gateway and metrics."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from persona_server.identity.provider import LOOK_SECONDS, provider_of
from persona_server.process import supervisor
from persona_server.process.certificates import certificates_of
from persona_server.process.gateway_process import GatewayProcess
from persona_server.process.jobs import Job, JobRunner
from persona_server.process.signals import RELOAD, Wake
from persona_server.running.app import REST_SHARE
from persona_server.running.composing import (
    Addresses,
    StartError,
    gateway_to,
    identity_of,
    listen_for_metrics,
    opened,
    reachable,
    reachable_text,
    refused_to_calls,
)
from persona_server.running.observing import watch_database, watch_service
from persona_server.running.upgrading import upgrading
from persona_server.services.personas.page_cache import PageCache
from persona_server.services.personas.service import PersonaService
from persona_server.services.projects.service import ProjectService
from persona_server.settings.config import Settings
from persona_server.settings.reloading import read_again
from persona_server.settings.values import Address
from persona_server.storage.engine.folder import FILE_NAME, file_identity
from persona_server.telemetry import figures
from persona_server.telemetry.logs import LOGGER, STDERR, configure
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.sharing.counters import Counters, make_file
from persona_server.transport.watching import serving
from persona_server.workers.place import BEAT_SECONDS, Place
from persona_server.workers.port import Port
from persona_server.workers.process import Worker, WorkerError

_PARENT = -1  # its number among the workers: it counts nothing
_CONNECTIONS = 8  # of the gateway for each worker, so that each takes some


class Workers:
    """The service of several processes, as `app.App` is that of one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wake = Wake()
        self._failed = False
        self._certificates = certificates_of(settings)
        self._identity = identity_of(self._certificates)
        self._file = make_file(settings.workers)
        self._kept = [self._file]  # descriptors that workers inherit
        # Which migrates it before any worker looks; the lock is held until all have ended.
        self.store, self.key, tokens, self._lock = opened(settings, upgrading(settings), locks=True)
        if self._lock:
            self._kept += self._lock.descriptors
        self.metrics = Metrics()
        watch_database(self.metrics, self.store.database)
        watch_service(self.metrics, settings, self._processes)
        self.metrics.registry.register(serving(lambda: False))  # while there is no worker, nobody
        self.personas = PersonaService(self.store, tokens, PageCache(0))
        self.projects = ProjectService(self.store, tokens)
        self._counters = Counters(self._file, settings.workers, _PARENT)
        self._provider = provider_of(settings)  # each worker fetches for itself as well
        self._workers: list[Worker] = []
        self._gone: figures.Figures = {}  # what workers had counted that have ended
        self._counting = threading.Lock()
        self._gateway: GatewayProcess | None = None

    def start(self) -> Addresses:
        """Listen. Raises StartError or GatewayError naming the flag to change."""
        settings = self._settings
        self._wake.listen()
        self._port = self._bound(settings.listen)
        metrics = listen_for_metrics(settings, self._page, self._certificates)
        grpc = reachable(self._port.address)
        if settings.rest:
            connections = _CONNECTIONS * settings.workers
            self._gateway = gateway_to(grpc, settings, self._identity, connections=connections)
            self._gateway.watch(self._gateway_died)
        self._start_workers()
        JobRunner(Job("beats", BEAT_SECONDS, self._look_at_beats)).start()
        if self._provider:
            JobRunner(Job("identity provider", LOOK_SECONDS, self._provider.fetch_when_due)).start()
        rest = self._gateway.address if self._gateway else None
        addresses = Addresses(str(grpc), rest and reachable_text(rest), metrics)
        LOGGER.info("listening", extra={**addresses._asdict(), "workers": settings.workers})
        return addresses

    def run(self, load: Callable[[], Settings]) -> int:
        """Serve until a signal asks for the end, then stop; return the exit code.

        SIGHUP lets all of them read the settings again, here by `load`.
        """
        while (name := self._wake.wait()) == RELOAD:
            self._settings = read_again(self._settings, load)
            configure(self._settings.log_level)
            for worker in self._workers:
                worker.take(self._for_workers())
            if self._gateway:
                self._gateway.set_log_level(self._settings.log_level)
        self.stop(name)
        return 1 if self._failed else 0

    def stop(self, why: str = "") -> None:
        """Let all say NOT_SERVING, let REST and then gRPC end what is in flight."""
        supervisor.tell(supervisor.STOPPING)
        ends = time.monotonic() + self._settings.grace
        for worker in self._workers:
            worker.end_health()
        LOGGER.info("stopping", extra={"signal": why})
        if self._gateway:
            self._gateway.stop(self._settings.grace * REST_SHARE)
        for worker in self._workers:
            worker.end(max(ends - time.monotonic(), 0.0))
        for worker in self._workers:
            worker.wait(max(ends - time.monotonic(), 0.0))
        self._port.close()
        self.store.close()
        LOGGER.info("stopped")

    def _bound(self, address: Address) -> Port:
        try:
            return Port(address)
        except OSError:
            raise refused_to_calls(address) from None

    def _start_workers(self) -> None:
        count = self._settings.workers
        folder = None if self._settings.database else self._settings.data
        file = file_identity(folder / FILE_NAME) if folder else None
        secret = self._gateway.secret if self._gateway else ""
        certificate = self._identity.cert.decode() if self._identity else ""
        for number in range(count):
            place = Place(
                number=number,
                count=count,
                settings=self._for_workers(),
                file=file,
                secret=secret,
                certificate=certificate,
                published=None,
                counters=self._file,
                readable=os.isatty(STDERR),
            )
            self._workers.append(Worker(place, tuple(self._kept), self._worker_ended))
        try:
            for worker in self._workers:
                worker.require_ready()
        except WorkerError as error:
            for worker in self._workers:
                worker.kill()
            raise StartError(str(error)) from None

    def _for_workers(self) -> Settings:
        """Return the settings without what the parent does alone."""
        listen = self._port.address
        return replace(self._settings, listen=listen, rest=None, metrics=None, demo=False)

    def _processes(self) -> dict[str, int]:
        workers = {f"worker-{number}": each.pid for number, each in enumerate(self._workers)}
        gateway = {"gateway": self._gateway.pid} if self._gateway else {}
        return {"server": os.getpid(), **gateway, **workers}

    def _page(self) -> bytes:
        """Return the metrics of all workers added up, those that have ended too, and the rest."""
        with self._counting:
            pages = [self.metrics.page(), *(worker.page() for worker in self._workers)]
            if self._gateway:
                pages.append(self._gateway.figures())
            return figures.written(figures.added_up([self._gone, *map(figures.read, pages)]))

    def _worker_ended(self, number: int) -> None:
        """Keep what a worker has counted that is replaced now, and free what it had open."""
        worker = self._workers[number]
        with self._counting:
            last = figures.lasting(figures.read(worker.last_page))
            self._gone = figures.added_up([self._gone, last])
            worker.last_page = b""
        self._counters.forget(number)
        if self._provider:
            worker.know(self._provider.last)

    def _look_at_beats(self) -> None:
        for number, worker in enumerate(self._workers):
            worker.look(self._counters.beats(number))

    def _gateway_died(self) -> None:
        self._failed = True
        self._wake.ring()
