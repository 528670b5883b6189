"""Reflection, which tells the contract to callers with a token."""

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection, reflection_pb2

from persona_server.transport import health
from persona_server.transport.handlers import Handlers, MakeHandler
from persona_server.transport.methods import SERVICES, Method
from persona_server.transport.pools import MAX_REFLECTIONS
from persona_server.transport.rpc import Rpc
from persona_server.transport.streams import Streams

# The versions differ in this name alone; common clients ask for the first and then for the other.
NAMES = ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)
_SERVICES = (*(service.full_name for service in SERVICES), health.NAME, reflection.SERVICE_NAME)
_TENANT_STREAMS = 2


class Reflection:
    """The reflection service in each of its versions. Its streams have places of their own."""

    def __init__(self, handlers: Handlers, *, is_open: bool) -> None:
        """Open, it answers callers without a token too."""
        self._handlers = handlers
        self._scopes: tuple[str, ...] | None = None if is_open else ()
        self._servicer: Any = reflection.ReflectionServicer(_SERVICES, _Symbols())
        self._streams = Streams(MAX_REFLECTIONS, _TENANT_STREAMS)

    def rows(self) -> Iterator[tuple[Method, MakeHandler]]:
        """Return each method with what makes its handlers."""
        for name in NAMES:
            method = Method(
                name,
                "ServerReflectionInfo",
                "reflection",
                self._scopes,
                reflection_pb2.ServerReflectionRequest,
                streams_in=True,
                streams_out=True,
                validated=False,
            )
            yield method, self._handlers.stream_stream(method, self._answers, self._streams)

    def _answers(self, _rpc: Rpc, requests: Iterator[Any]) -> Iterator[bytes]:
        for answer in self._servicer.ServerReflectionInfo(requests, None):
            yield answer.SerializeToString()

    def stop(self) -> None:
        """End every stream."""
        self._streams.stop()


class _Symbols:
    """protobuf's pool of descriptors, which knows no method by name, and what finds their files."""

    def __init__(self) -> None:
        self._pool: Any = descriptor_pool.Default()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 (protobuf's name)
        """Return the file that declares a symbol. Raises KeyError."""
        try:
            found: FileDescriptor = self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            owner = self._pool.FindServiceByName(service)
            found = owner.methods_by_name[method].containing_service.file
        return found
