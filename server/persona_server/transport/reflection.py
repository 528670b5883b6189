"""Reflection, which tells the contract to callers with a token."""

from collections.abc import Iterator
from typing import Any

from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from persona_server.transport.handlers import Handlers
from persona_server.transport.methods import SERVICES, Method
from persona_server.transport.rpc import Rpc

_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_NAMES = (*(service.full_name for service in SERVICES), _HEALTH, reflection.SERVICE_NAME)


def reflection_handler(handlers: Handlers, *, is_open: bool) -> Any:
    """Return the handler of ServerReflectionInfo; open, it answers callers without a token too."""
    method = Method(
        reflection.SERVICE_NAME,
        "ServerReflectionInfo",
        "stream",
        None if is_open else (),
        reflection_pb2.ServerReflectionRequest,
        streams_in=True,
        streams_out=True,
        validated=False,
    )
    servicer: Any = reflection.ReflectionServicer(_NAMES)

    def answers(_rpc: Rpc, requests: Iterator[Any]) -> Iterator[bytes]:
        for answer in servicer.ServerReflectionInfo(requests, None):
            yield answer.SerializeToString()

    return handlers.stream_stream(method, answers)
