"""Call any RPC of the method table by its name and bytes, and keep all that comes back."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2

from persona_server.transport.methods import SERVICES, Method, methods_of
from support.errors import Problem, problem_of

METHODS: tuple[Method, ...] = tuple(m for s in SERVICES for m in methods_of(s))
BY_NAME = {method.name: method for method in METHODS}
WRITES = tuple(method for method in METHODS if method.has_request_id)
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
SECONDS = 30.0  # a call that takes longer has hung

Metadata = Sequence[tuple[str, str]]


class Answer(NamedTuple):
    """How a call ended: OK or its error, and the messages that came before."""

    messages: tuple[bytes, ...]
    error: grpc.RpcError | None

    @property
    def code(self) -> grpc.StatusCode:
        call: Any = self.error
        return grpc.StatusCode.OK if call is None else call.code()

    @property
    def text(self) -> str:
        call: Any = self.error
        return "" if call is None else str(call.details())

    @property
    def details(self) -> bytes:
        """The encoded google.rpc.Status of an error, b"" if there is none."""
        call: Any = self.error
        trailing = dict(call.trailing_metadata() or ()) if call is not None else {}
        return bytes(trailing.get("grpc-status-details-bin", b""))

    @property
    def problem(self) -> Problem:
        """The error's parts. Fails the test if there is no error, or a bare one."""
        assert self.error is not None, "the call succeeded"
        return problem_of(self.error)


def bearer(token: str) -> Metadata:
    """Return the metadata that carries a token."""
    return (("authorization", f"Bearer {token}"),)


def exchange(
    channel: grpc.Channel,
    path: str,
    requests: Iterable[bytes],
    metadata: Metadata = (),
    deadline: float = SECONDS,
) -> Answer:
    """Make a call of whatever kind: on the wire a unary call is a stream of one message."""
    method: Any = channel.stream_stream(path)
    call = method(iter(list(requests)), metadata=metadata, timeout=deadline)
    messages: list[bytes] = []
    try:
        for message in call:
            messages.append(message)
    except grpc.RpcError as error:
        return Answer(tuple(messages), error)
    return Answer(tuple(messages), None)


def send(
    channel: grpc.Channel,
    method: Method,
    requests: Iterable[Message],
    metadata: Metadata,
    deadline: float = SECONDS,
) -> Answer:
    """Call one of our methods with its messages."""
    raw = [request.SerializeToString() for request in requests]
    return exchange(channel, method.path, raw, metadata, deadline)


def response_of(method: Method) -> type[Message]:
    """Return the type of a method's answers."""
    (service,) = [s for s in SERVICES if s.full_name == method.service]
    return GetMessageClass(service.methods_by_name[method.name].output_type)


def start_of(request: Any) -> Any:
    """Return the message that names what a call is about: a request, or an import's start."""
    return request.start if hasattr(request, "start") else request


def fields_of(request: Any) -> Sequence[Any]:
    """Return the fields of what `start_of` returns, from the descriptor of the request."""
    start = request.fields_by_name.get("start")
    fields: Sequence[Any] = (request if start is None else start.message_type).fields
    return fields


def list_services() -> bytes:
    """Return the reflection request that asks which services there are."""
    return reflection_pb2.ServerReflectionRequest(list_services="*").SerializeToString()
