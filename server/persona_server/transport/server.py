"""The gRPC server: handlers made from the method table, health, reflection, options, stop."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from persona_server.transport.interceptors import Interceptors, Rpc, decoded, parsed
from persona_server.transport.methods import SERVICES, Method, methods_of
from persona_server.transport.arrivals import CallPool
from persona_server.transport.streams import STREAM_THREADS, ClientGone, Streams

READ_THREADS = 8  # more cost nothing on one core, and a slow filter holds only one up
WRITE_THREADS = 4  # of their own: writers that wait for their turn must not hold up readers
DRAIN_SECONDS = 0.25

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.max_metadata_size", 12_288),
    ("grpc.absolute_max_metadata_size", 16_384),
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_connection_age_ms", 1_800_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    ("grpc.max_connection_idle_ms", 600_000),
    ("grpc.so_reuseport", 0),  # on by default: a second server would bind silently
)

_REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]
_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_NAMES = (*(service.full_name for service in SERVICES), _HEALTH, reflection.SERVICE_NAME)

_Status = health_pb2.HealthCheckResponse


class PersonaServer:
    """A gRPC server for services given as {service name: object with one method per RPC}."""

    def __init__(
        self,
        services: dict[str, object],
        interceptors: Interceptors,
        *,
        open_reflection: bool = False,
    ) -> None:
        self._interceptors = interceptors
        self._streams = Streams()
        self._reads = CallPool(READ_THREADS, "read")
        self._writes = CallPool(WRITE_THREADS, "write")
        self._stream_pool = CallPool(STREAM_THREADS, "stream")
        self._health_pool = CallPool(1, "health")
        self._health = _Health(self._health_pool)
        self.serving(False)
        self._server = grpc.server(self._reads, options=OPTIONS)
        for descriptor in SERVICES:
            service = services[descriptor.full_name]
            methods = methods_of(descriptor)
            handlers = {m.name: self._handler(m, getattr(service, m.attribute)) for m in methods}
            self._add(descriptor.full_name, handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._add(
            reflection.SERVICE_NAME, {"ServerReflectionInfo": self._reflection(open_reflection)}
        )

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
        status = _Status.SERVING if serving else _Status.NOT_SERVING
        for name in (health.OVERALL_HEALTH, *(service.full_name for service in SERVICES)):
            self._health.set(name, status)

    def end_health(self) -> None:
        """Say NOT_SERVING from now on, whatever is set later."""
        self._health.enter_graceful_shutdown()

    def stop(self, grace: float) -> None:
        """Refuse new calls, let those in flight end within `grace` seconds, cancel the rest."""
        self.end_health()
        # gRPC's core cancels, bare, what it has received and not yet handed over when it stops. So
        # callers are told first, by a status that says to try again, and have left by then.
        self._interceptors.draining = True
        drain = min(DRAIN_SECONDS, grace / 10)
        time.sleep(drain)
        grace -= drain
        last_call = threading.Timer(max(grace - 1.0, 0.0), self._streams.stop)
        last_call.start()
        self._server.stop(grace).wait()
        last_call.cancel()
        for pool in (self._reads, self._writes, self._stream_pool, self._health_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    def _add(self, service: str, handlers: dict[str, Any]) -> None:
        generic = grpc.method_handlers_generic_handler(service, handlers)
        self._server.add_generic_rpc_handlers((generic,))

    def _handler(self, method: Method, serve: Callable[..., Any]) -> Any:
        """Return the handler of an RPC. Without serializers: bytes in, bytes out."""
        if method.streams_in:
            return self._stream_in(method, serve)
        if method.streams_out:
            return self._stream_out(method, serve)
        behaviour = self._unary(method, serve)
        if method.writes:
            behaviour = self._pooled(behaviour, self._writes)
        return grpc.unary_unary_rpc_method_handler(behaviour)

    @staticmethod
    def _pooled(behaviour: Callable[..., Any], pool: CallPool) -> Callable[..., Any]:
        # grpcio reads this attribute from the behaviour that it is given.
        behaviour.experimental_thread_pool = pool  # type: ignore[attr-defined]
        return behaviour

    def _unary(self, method: Method, serve: Callable[..., bytes]) -> Callable[..., Any]:
        chain = self._interceptors

        def behaviour(raw: bytes, context: grpc.ServicerContext) -> bytes:
            rpc = Rpc(method, context)
            try:
                chain.enter(rpc)
                request = parsed(rpc, raw)
                return serve(rpc.call(), request)
            except Exception as error:  # noqa: BLE001 (that is what a shield is for)
                chain.shield(rpc, error)
            finally:
                chain.leave(rpc)

        return behaviour

    def _streaming(
        self, method: Method, serve: Callable[[Rpc, Any], Iterator[bytes]]
    ) -> Callable[..., Any]:
        """The same chain for as long as a stream lives; `serve` takes what came in, raw."""
        chain = self._interceptors

        def behaviour(raw: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
            rpc = Rpc(method, context)
            try:
                chain.enter(rpc)
                tenant = rpc.principal.tenant if rpc.principal else ""
                with self._streams.slot(tenant, context.cancel) as slot:
                    for answer in serve(rpc, raw):
                        slot.offered()
                        yield answer
                        slot.taken()
                if not context.is_active():  # grpcio may take a cancelled stream for one at its end
                    rpc.code = "CANCELLED"
            except GeneratorExit:  # the client has left while it was answered
                rpc.code = "CANCELLED"
                raise
            except ClientGone:
                rpc.code = "CANCELLED"
            except Exception as error:  # noqa: BLE001 (likewise)
                chain.shield(rpc, error)
            finally:
                chain.leave(rpc)

        return self._pooled(behaviour, self._stream_pool)

    def _stream_out(self, method: Method, serve: Callable[..., Iterator[bytes]]) -> Any:
        def answers(rpc: Rpc, raw: bytes) -> Iterator[bytes]:
            request = parsed(rpc, raw)
            yield from serve(rpc.call(), request)

        return grpc.unary_stream_rpc_method_handler(self._streaming(method, answers))

    def _stream_in(self, method: Method, serve: Callable[..., Iterator[bytes]]) -> Any:
        def answers(rpc: Rpc, messages: Iterator[bytes]) -> Iterator[bytes]:
            with self._streams.reader(messages) as reader:
                yield from serve(rpc.call(), (parsed(rpc, raw) for raw in reader))

        return grpc.stream_stream_rpc_method_handler(self._streaming(method, answers))

    def _reflection(self, is_open: bool) -> Any:
        """Return the handler of reflection, which tells the contract to callers with a token."""
        method = Method(
            _REFLECTION.full_name,
            "ServerReflectionInfo",
            None if is_open else (),
            reflection_pb2.ServerReflectionRequest,
            streams_in=True,
            streams_out=True,
        )
        servicer = reflection.ReflectionServicer(_NAMES)

        def answers(rpc: Rpc, messages: Iterator[bytes]) -> Iterator[bytes]:
            with self._streams.reader(messages) as reader:
                requests: Iterator[Any] = (decoded(method, raw) for raw in reader)
                for answer in servicer.ServerReflectionInfo(requests, rpc.context):
                    yield answer.SerializeToString()

        return grpc.stream_stream_rpc_method_handler(self._streaming(method, answers))


class _Health(health.HealthServicer):
    """The standard health service, for which a busy pool can't hide that the server lives.

    Check has a thread of its own. Watch passes as it is: only then does it hold no thread.
    """

    def __init__(self, pool: CallPool) -> None:
        super().__init__(experimental_non_blocking=True)
        answer = super().Check

        def check(request: Any, context: Any) -> Any:
            return answer(request, context)

        # grpcio reads this attribute from the behaviour, which must be this server's own.
        check.experimental_thread_pool = pool  # type: ignore[attr-defined]
        self.Check = check  # type: ignore[method-assign]
