"""The gRPC server: services behind one port, with health and reflection, and how it stops."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import grpc

from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance.connections import Connections
from persona_server.transport.entrance.door import Door, keep_ticking
from persona_server.transport.entrance.guards import Guards
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
        door = Door(pipeline, self._refusals)
        handlers = Handlers(pipeline, self._pools, self._streams, guards, early=early)
        for descriptor in SERVICES:
            for method in methods_of(descriptor):
                handler = handlers.handler(method, serving(method))
                door.add(method, self._pools.intake(method.pool), handler)
        self._reflection = Reflection(handlers, is_open=open_reflection)
        for method, handler in self._reflection.rows():
            door.add(method, self._pools.intake(method.pool), handler)
        self._health.join(door, self._pools)
        # Every behaviour names its pool; this one is for what grpcio asks of it beside them.
        port = (
            "grpc.so_reuseport",
            int(workers is not None),
        )  # else a second server would bind silently
        options = (*OPTIONS, port, ("grpc.max_allowed_incoming_connections", places))
        self._server = grpc.server(self._pools["read"], interceptors=[door], options=options)
        door.register(self._server)

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
        keep_ticking(self._refusals.tick, self._end_late)

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
