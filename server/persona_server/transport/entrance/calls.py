"""Calls as they arrive: of one message, for which no thread waits, and of a stream of them."""

from typing import Any

import grpc
from grpc import _server
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from persona.v1 import errors_pb2
from persona_server import errors
from persona_server.errors import ServiceError
from persona_server.transport.entrance.intake import Arrival
from persona_server.transport.entrance.receipts import MESSAGE_BYTES, SECONDS
from persona_server.transport.errors import crowded
from persona_server.validation.unpacking import most_bytes

_TOKEN = "receive_message"  # noqa: S105 (grpcio's word for what a call still waits for)


class UnaryCall(Arrival):
    """A call of one message, and the place of that.

    With one answer it is its own RpcMethodHandler, of whose attributes grpcio reads these.
    """

    __slots__ = ()

    response_streaming = False
    request_deserializer = response_serializer = None

    @property
    def request_streaming(self) -> bool:
        """Whether grpcio gives an iterator: only of that can a thread's wait be ended."""
        return not self.experimental_thread_pool.early

    @property
    def unary_unary(self) -> "UnaryCall":
        """The call: see there."""
        return self

    stream_unary = unary_unary

    def streaming(self) -> Any:
        """Return the call's RpcMethodHandler if it has many answers."""
        if self.request_streaming:
            return grpc.stream_stream_rpc_method_handler(self)
        return grpc.unary_stream_rpc_method_handler(self)

    def _awaited(self, given: Any, context: grpc.ServicerContext) -> Any:
        raw = self.experimental_thread_pool.awaited.first(given, context)
        if raw is None:
            self._goes_on = True
            self._abort(context, _missing())
        return raw

    def let_in(self) -> None:
        """Wait for the message without a thread."""
        self.experimental_thread_pool.receipts.add(self)

    def receive(self) -> None:
        """Let the message come."""
        _, event, state, *_ = self._arguments
        with state.condition:
            # It may have been pushed out since it was its turn, and then is over already.
            if state.client != "cancelled" and not state.statused:
                receive = (cygrpc.ReceiveMessageOperation(0),)
                event.call.start_server_batch(receive, self._received)
                state.due.add(_TOKEN)

    def turn_away(self, *, late: bool) -> None:
        """Refuse the call, whose message has not come."""
        if late:
            self._refuse(_late())
        elif self.rpc.principal is None:
            self._refuse_counted(crowded())
        else:
            self._refuse(crowded())

    def _received(self, event: Any) -> Any:
        """Go on with a message, or without one if the client has sent none. On the event thread."""
        raw, state = event.batch_operations[0].message(), self._arguments[2]
        size = 0 if raw is None else most_bytes(raw, MESSAGE_BYTES)
        whole = self.experimental_thread_pool.receipts.whole(self, size)
        # No thread for what was taken back: a storm of such calls would keep all of them busy.
        if whole and state.client != "cancelled":
            if raw is None:
                self._refuse(_missing())
            else:
                self._submit(lambda: raw)
        with state.condition:
            return _server._possibly_finish_call(state, _TOKEN)


class StreamCall(Arrival):
    """A call of a stream of messages, which takes a thread at once."""

    __slots__ = ()

    def let_in(self) -> None:
        """Let a thread take it."""
        self._submit(self._arguments[4])

    def _full(self) -> None:
        self._refuse_counted(crowded())


def _late() -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED,
        f"The message was not whole {SECONDS:.0f} s after its call. Nothing was done.",
        retry_after=1.0,
    )


def _missing() -> ServiceError:
    return errors.invalid_field("request", "is missing")
