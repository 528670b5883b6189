"""How a thread of a pool answers a call of one message and one answer, both of bytes.

grpcio's own does more for each call than such a one needs: it imports names, makes a context by a
generator, and asks for serializers and what observes. Where the names that this uses are not there,
grpcio answers.
"""

import inspect
from collections.abc import Callable
from typing import Any

from grpc import _server
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from persona_server.telemetry.logs import LOGGER


def responder_of(given: Callable[..., Any]) -> Callable[..., Any]:
    """Return what answers a call in place of what grpcio has given for it."""
    return _respond if SUPPORTED and given is _server._unary_response_in_pool else given


def _respond(
    event: Any, state: Any, behaviour: Callable[..., bytes], message: Callable[[], bytes], *_: Any
) -> None:
    context: Any = _server._Context(event, state, None)
    try:
        answer = behaviour(message(), context)
    except Exception:  # noqa: BLE001 (whatever it is, the call must end)
        if not state.aborted:
            LOGGER.exception("unexpected error outside of a call")
        with state.condition:
            _server._abort(state, event.call, cygrpc.StatusCode.unknown, b"")
    else:
        _server._status(event, state, answer)


def _supported() -> bool:
    try:
        takes: dict[Any, list[str]] = {
            _server._Context: ["rpc_event", "state", "request_deserializer"],
            _server._abort: ["state", "call", "code", "details"],
            _server._status: ["rpc_event", "state", "serialized_response"],
            _server._unary_response_in_pool: [
                *("rpc_event", "state", "behavior", "argument_thunk"),
                *("request_deserializer", "response_serializer"),
            ],
        }
        found = {what: list(inspect.signature(what).parameters) for what in takes}
        state: Any = _server._RPCState()  # type: ignore[no-untyped-call]
        return found == takes and state.aborted is False and cygrpc.StatusCode.unknown is not None
    except (AttributeError, TypeError, ValueError):
        return False


SUPPORTED = _supported()
