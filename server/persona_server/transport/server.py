"""The gRPC server: services behind one port, with health and reflection, and how it stops."""

import threading
import time
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from persona_server.transport.handlers import Handlers
from persona_server.transport.health import Health
from persona_server.transport.methods import SERVICES, methods_of
from persona_server.transport.options import OPTIONS
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.pools import Pools
from persona_server.transport.reflection import reflection_handler
from persona_server.transport.steps import Draining
from persona_server.transport.streams import Streams

DRAIN_SECONDS = 0.25


class PersonaServer:
    """A gRPC server for services given as {service name: object with one method per RPC}.

    `draining` is the one whose step is in the pipeline.
    """

    def __init__(
        self,
        services: dict[str, object],
        pipeline: Pipeline,
        draining: Draining,
        *,
        open_reflection: bool = False,
    ) -> None:
        self._draining = draining
        self._streams = Streams()
        self._pools = Pools()
        self._health = Health(self._pools)
        # Every behaviour names its pool; this one is for what grpcio asks of it beside them.
        self._server = grpc.server(self._pools["read"], options=OPTIONS)
        handlers = Handlers(pipeline, self._pools, self._streams)
        for descriptor in SERVICES:
            service = services[descriptor.full_name]
            self._add(
                descriptor.full_name,
                {
                    method.name: handlers.handler(method, getattr(service, method.attribute))
                    for method in methods_of(descriptor)
                },
            )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        information = reflection_handler(handlers, is_open=open_reflection)
        self._add(reflection.SERVICE_NAME, {"ServerReflectionInfo": information})

    @property
    def threads(self) -> int:
        """How many threads serve calls, at most."""
        return self._pools.threads

    def listen(self, address: str) -> int:
        """Bind an address and return its port; 0 picks a free one. Raises OSError if taken."""
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(str(error)) from None
        if not port:
            raise OSError(f"can't listen on {address}")
        return port

    def start(self) -> None:
        """Accept calls. Health answers NOT_SERVING until `serving(True)`."""
        self._server.start()

    def serving(self, serving: bool) -> None:
        """Set what health says, overall and per service; nothing any more once it has ended."""
        self._health.serving(serving)

    def end_health(self) -> None:
        """Say NOT_SERVING from now on, whatever is set later."""
        self._health.enter_graceful_shutdown()

    def stop(self, grace: float) -> None:
        """Refuse new calls, let those in flight end within `grace` seconds, cancel the rest."""
        self.end_health()
        # gRPC's core cancels, bare, what it has received and not yet handed over when it stops. So
        # callers are told first, by a status that says to try again, and have left by then.
        self._draining.begun = True
        drain = min(DRAIN_SECONDS, grace / 10)
        time.sleep(drain)
        grace -= drain
        last_call = threading.Timer(max(grace - 1.0, 0.0), self._streams.stop)
        last_call.start()
        self._server.stop(grace).wait()
        last_call.cancel()
        self._pools.shutdown()

    def _add(self, service: str, handlers: dict[str, Any]) -> None:
        generic = grpc.method_handlers_generic_handler(service, handlers)
        self._server.add_generic_rpc_handlers((generic,))
