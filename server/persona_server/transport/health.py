"""The standard health service. It sends nothing while it holds a lock, and keeps no names."""

import threading
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from persona.v1 import errors_pb2
from persona_server import errors
from persona_server.errors import ServiceError
from persona_server.transport.entrance.calls import UnaryCall
from persona_server.transport.entrance.interceptor import EntranceInterceptor
from persona_server.transport.entrance.rates import network_of
from persona_server.transport.entrance.refusals import abort
from persona_server.transport.errors import shutting_down
from persona_server.transport.methods import SERVICES, Method, PoolName
from persona_server.transport.pools import ADDRESS_WATCHES, MAX_WATCHES, Pools
from persona_server.transport.rpc import ClientGone, Rpc, refusal_for
from persona_server.transport.streams import Streams
from persona_server.validation.unpacking import TooLongError, unpack

NAME = "grpc.health.v1.Health"
_NAME_BYTES = 255
_REQUEST_BYTES = 2 * _NAME_BYTES  # with what another version may say besides
_Status = health_pb2.HealthCheckResponse
_NAMES = frozenset(("", *(service.full_name for service in SERVICES)))


class Health:
    """Health of all and of each service, for which a busy pool can't hide that the server lives."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._serving = False
        self._ended = False
        self._closed = False
        self._watches = Streams(MAX_WATCHES, ADDRESS_WATCHES)

    def join(self, entrance: EntranceInterceptor, pools: Pools) -> None:
        """Answer the calls of a server. They are open, and not logged one by one."""
        checks, watches = pools.intake("health"), pools.intake("watch")

        def check(rpc: Rpc) -> Any:
            return UnaryCall(rpc, self._check, checks)

        def watch(rpc: Rpc) -> Any:
            return UnaryCall(rpc, self._watch, watches).streaming()

        entrance.add_open(_method("Check", "health"), checks, check)
        entrance.add_open(_method("Watch", "watch"), watches, watch)

    def serving(self, serving: bool) -> None:
        """Set what health says, overall and per service; nothing any more once it has ended."""
        with self._changed:
            self._serving = serving and not self._ended
            self._changed.notify_all()

    @property
    def is_serving(self) -> bool:
        """Whether it says SERVING."""
        return self._serving

    def end(self) -> None:
        """Say NOT_SERVING from now on, whatever is set later."""
        self._ended = True
        self.serving(False)

    def close(self) -> None:
        """End every Watch."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _check(self, rpc: Rpc, raw: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            if _name(raw) not in _NAMES:
                raise _not_found()
        except ServiceError as error:
            abort(context, refusal_for(error, rpc.request_id))
        return _answer(self._status())

    def _watch(self, rpc: Rpc, raw: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        try:
            answers = self._answers(_name(raw) in _NAMES, context)
            yield from self._watches.watched(network_of(rpc.peer), context.cancel, answers)
        except ClientGone:
            return
        except ServiceError as error:
            abort(context, refusal_for(error, rpc.request_id))

    def _answers(self, known: bool, context: grpc.ServicerContext) -> Iterator[bytes]:
        """Yield the latest status whenever it has changed since the last one that was sent."""
        gone = threading.Event()

        def leave() -> None:
            gone.set()
            with self._changed:
                self._changed.notify_all()

        told = None
        present = context.add_callback(leave)
        while present:
            with self._changed:
                while not (gone.is_set() or self._closed or self._status(known) != told):
                    self._changed.wait()
                status, closed = self._status(known), self._closed
            if gone.is_set():
                raise ClientGone
            if status != told:  # also if all has ended by now: who watches is told why
                told = status
                yield _answer(told)
            if closed:
                raise shutting_down()

    def _status(self, known: bool = True) -> Any:
        if not known:
            return _Status.SERVICE_UNKNOWN
        return _Status.SERVING if self._serving else _Status.NOT_SERVING


def _method(name: str, pool: PoolName) -> Method:
    return Method(NAME, name, pool, None, health_pb2.HealthCheckRequest, validated=False)


def _name(raw: bytes) -> str:
    """Return the name of the service that is asked for. Raises INVALID_FIELD."""
    try:
        raw = unpack(raw, _REQUEST_BYTES)
        if len(raw) > _REQUEST_BYTES:
            raise TooLongError(len(raw))
        name: str = health_pb2.HealthCheckRequest.FromString(raw).service
    except TooLongError:
        raise errors.invalid_field("request", f"must have at most {_REQUEST_BYTES} bytes") from None
    except DecodeError:
        raise errors.invalid_field("request", "is not a well-formed request") from None
    if len(name.encode()) > _NAME_BYTES:
        raise errors.invalid_field("service", f"must have at most {_NAME_BYTES} bytes")
    return name


def _not_found() -> ServiceError:
    reason = errors_pb2.ERROR_REASON_UNKNOWN_PATH
    return ServiceError(reason, "This server has no service of that name.")


def _answer(status: Any) -> bytes:
    return _Status(status=status).SerializeToString()
