"""The gRPC server: services behind one port, with health and reflection, and how it stops."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import grpc

from persona_server.telemetry.logs import LOGGER
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance.connections import Connections
from persona_server.transport.entrance.guards import Guards
from persona_server.transport.entrance.interceptor import EntranceInterceptor
from persona_server.transport.entrance.refusals import Refusals
from persona_server.transport.handlers import Handlers
from persona_server.transport.health import Health
from persona_server.transport.methods import SERVICES, Method, methods_of
from persona_server.transport.options import OPTIONS, connections
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.pools import Pools
from persona_server.transport.reflection import Reflection
from persona_server.transport.streams import Streams
from persona_server.transport.watching import watch_entrance

DRAIN_SECONDS = 0.25
_TICK_SECONDS = 0.1

# What finds, of an RPC, the function that serves its calls.
FindServing: TypeAlias = Callable[[Method], Callable[..., Any]]


def served_by(*services: object) -> FindServing:
    """Return what finds an RPC in the services, whose classes have the names of the contract.

    It raises KeyError for an RPC of a service that is not among them.
    """
    named = {type(service).__name__: service for service in services}
    return lambda method: getattr(named[method.service.rpartition(".")[2]], method.attribute)


class PersonaServer:
    """A gRPC server of every RPC that the contract has; `serving` finds what serves each.

    `guards` are those whose steps are in the pipeline. With `public_grpcio`, nothing of grpcio is
    used that is not public. With `workers`, so many processes of the service share its port, and
    what memory messages may take.
    """

    def __init__(
        self,
        serving: FindServing,
        pipeline: Pipeline,
        guards: Guards,
        metrics: Metrics,
        streams: Streams,
        *,
        open_reflection: bool = False,
        public_grpcio: bool = False,
        workers: int | None = None,
    ) -> None:
        early = not public_grpcio
        self._guards = guards
        self._metrics = metrics
        self._streams = streams
        places = connections()
        self._connections = Connections(metrics, places)
        self._pools = Pools(pipeline, self._connections, early=early, workers=workers or 1)
        self._health = Health()
        watch_entrance(metrics.registry, self._health, self._pools, guards.answers)
        self._refusals = Refusals(pipeline, self._connections, metrics)
        handlers = Handlers(pipeline, self._pools, self._streams, guards, early=early)
        self._reflection = Reflection(handlers, is_open=open_reflection)
        entrance = EntranceInterceptor(pipeline, self._refusals)
        self._add_methods(entrance, handlers, serving)
        # A second server would else bind the port silently; workers are to share it.
        shared = ("grpc.so_reuseport", int(workers is not None))
        options = (*OPTIONS, shared, ("grpc.max_allowed_incoming_connections", places))
        # Every behaviour names its pool; this one is for what grpcio asks of it beside them.
        self._server = grpc.server(self._pools["read"], interceptors=[entrance], options=options)
        entrance.register(self._server)

    def _add_methods(
        self, entrance: EntranceInterceptor, handlers: Handlers, serving: FindServing
    ) -> None:
        """Add every RPC of the contract, of reflection and of health."""
        for descriptor in SERVICES:
            for method in methods_of(descriptor):
                handler = handlers.handler(method, serving(method))
                entrance.add(method, self._pools.intake(method.pool), handler)
        for method, handler in self._reflection.rows():
            entrance.add(method, self._pools.intake(method.pool), handler)
        self._health.join(entrance, self._pools)

    @property
    def threads(self) -> int:
        """How many threads serve calls, at most."""
        return self._pools.threads

    def listen(self, address: str, credentials: grpc.ServerCredentials | None = None) -> int:
        """Bind an address and return its port; 0 picks a free one. Raises OSError if taken.

        With `credentials`, callers are served by TLS alone.
        """
        try:
            if credentials:
                port = self._server.add_secure_port(address, credentials)
            else:
                port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(str(error)) from None
        if not port:
            raise OSError(f"can't listen on {address}")
        self._connections.ports.add(port)
        return port

    def start(self) -> None:
        """Accept calls. Health answers NOT_SERVING until `serving(True)`."""
        self._server.start()
        _keep_ticking(self._refusals.tick, self._end_late)

    def serving(self, serving: bool) -> None:
        """Set what health says, overall and per service; nothing any more once it has ended."""
        self._health.serving(serving)

    def end_health(self) -> None:
        """Say NOT_SERVING from now on, whatever is set later."""
        self._health.end()

    def stop(self, grace: float) -> None:
        """Refuse new calls, let those in flight end within `grace` seconds, cancel the rest."""
        self.end_health()
        # gRPC's core cancels, bare, what it has received and not yet handed over when it stops. So
        # callers are told first, by a status that says to try again, and have left by then.
        self._guards.draining.begun = True
        drain = min(DRAIN_SECONDS, grace / 10)
        time.sleep(drain)
        grace -= drain
        self._health.close()
        self._reflection.stop()
        last_call = threading.Timer(max(grace - 1.0, 0.0), self._streams.stop)
        last_call.start()
        self._server.stop(grace).wait()
        last_call.cancel()
        self._pools.shutdown()

    def _end_late(self, now: float) -> None:
        """End the calls whose message does not come, or whose answer nobody takes."""
        self._metrics.late_messages.inc(self._pools.tick(now))
        self._metrics.unread_answers.inc(self._guards.answers.tick(now))
        self._guards.unread.tick(now)


def _keep_ticking(*ticks: Callable[[float], object]) -> None:
    """Call each of these ten times a second, with time.monotonic(), until the process ends."""

    def tick() -> None:
        while True:
            time.sleep(_TICK_SECONDS)
            for one in ticks:
                try:
                    one(time.monotonic())
                except Exception:  # noqa: BLE001 (the other calls need it)
                    LOGGER.exception("calls could not be watched")

    threading.Thread(target=tick, name="calls-watch", daemon=True).start()
