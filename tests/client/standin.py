"""A gRPC server that answers as a test tells it, and keeps what it was asked."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from persona.v1 import (
    errors_pb2,
    library_service_pb2,
    persona_service_pb2,
    project_service_pb2,
    response_service_pb2,
)
from persona_server.errors import ServiceError
from persona_server.transport.errors import status_of
from support.ports import free_port

# An answer, a refusal with all its details, or a bare one as gRPC itself or a proxy gives it.
Answer: TypeAlias = Message | ServiceError | grpc.StatusCode
Stream: TypeAlias = Callable[[Iterator[Any]], Iterator[Answer]]

_MODULES = (persona_service_pb2, project_service_pb2, response_service_pb2, library_service_pb2)
UNAVAILABLE = ServiceError(errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE, "Not now.")


class Standin:
    """Answers each method from its queue; streams are functions from requests to answers."""

    def __init__(self) -> None:
        self.answers: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self.streams: defaultdict[str, deque[Stream]] = defaultdict(deque)
        self.requests: defaultdict[str, list[Any]] = defaultdict(list)
        self.metadata: list[dict[str, str]] = []
        self.deadlines: list[float] = []
        self._server = grpc.server(ThreadPoolExecutor(4))
        for module in _MODULES:
            for service in module.DESCRIPTOR.services_by_name.values():
                handlers = {method.name: self._handler(method) for method in service.methods}
                self._server.add_generic_rpc_handlers(
                    (grpc.method_handlers_generic_handler(service.full_name, handlers),)
                )
        # Of ports that are given to whoever asks for any, another test would have it after a stop.
        self.address = f"127.0.0.1:{free_port()}"
        self._server.add_insecure_port(self.address)
        self._server.start()

    def stop(self) -> None:
        """Stop listening, and leave the port to nobody."""
        self._server.stop(0).wait()

    def _handler(self, method: Any) -> "grpc.RpcMethodHandler[Any, Any]":
        name = method.name
        request = GetMessageClass(method.input_type)
        if method.client_streaming:
            return grpc.stream_stream_rpc_method_handler(
                lambda requests, context: self._stream(name, requests, context),
                request.FromString,
                _serialized,
            )
        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(
                lambda request, context: self._stream(name, iter([request]), context),
                request.FromString,
                _serialized,
            )
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._unary(name, request, context),
            request.FromString,
            _serialized,
        )

    def _unary(self, name: str, request: Message, context: grpc.ServicerContext) -> Message:
        self._note(context)
        self.requests[name].append(request)
        return _given(self.answers[name].popleft(), context)

    def _stream(
        self, name: str, requests: Iterator[Message], context: grpc.ServicerContext
    ) -> Iterator[Message]:
        self._note(context)
        answer = self.streams[name].popleft()
        for item in answer(self._noted(name, requests)):
            yield _given(item, context)

    def _noted(self, name: str, requests: Iterator[Message]) -> Iterator[Message]:
        for request in requests:
            self.requests[name].append(request)
            yield request

    def _note(self, context: grpc.ServicerContext) -> None:
        self.metadata.append({k: str(v) for k, v in context.invocation_metadata()})
        self.deadlines.append(context.time_remaining())


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


def _given(answer: Answer, context: grpc.ServicerContext) -> Message:
    if isinstance(answer, Message):
        return answer
    return _refused(answer, context)


def _refused(answer: ServiceError | grpc.StatusCode, context: grpc.ServicerContext) -> NoReturn:
    if isinstance(answer, ServiceError):
        context.abort_with_status(status_of(answer))
    else:
        context.abort(answer, "no details")
    raise AssertionError("abort returns never")
