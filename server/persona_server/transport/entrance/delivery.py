"""Answers of streams, each sent with a bound on how long its client takes to make room for it.

grpcio's server lets a thread wait for as long as a client does not read, and could only cancel
the call, bare. So this sends by names of grpcio that are not public, as intake.py receives, and
ends the stream behind what is on its way: whoever reads on gets that, and then our error. Where
the names are not there, as `SUPPORTED` tells, grpcio sends, and streams.py cancels.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Any, NamedTuple

from grpc import _server
from grpc._cython import cygrpc  # type: ignore[attr-defined]

from persona_server.transport.errors import stream_idle
from persona_server.transport.rpc import ClientGone, Rpc
from persona_server.transport.streams import Streams

MOST = 8 << 20  # bytes of ended streams, in all, that are kept for their readers
SECONDS = 900.0  # how long they are


def _supported() -> bool:
    try:
        state: Any = _server._RPCState()  # type: ignore[no-untyped-call]
        names = (
            cygrpc.SendMessageOperation,
            cygrpc.Call.cancel,
            _server._get_initial_metadata_operation,
            _server._send_message,
            _server._SEND_INITIAL_METADATA_AND_SEND_MESSAGE_TOKEN,
            _server._SEND_MESSAGE_TOKEN,
            state.initial_metadata_allowed,
        )
        return all(names) and state.due == set() and _server._is_rpc_state_active(state)
    except (AttributeError, TypeError):
        return False


SUPPORTED = _supported()


class _Kept(NamedTuple):
    size: int
    since: float
    cancel: Callable[[], object]


class Unread:
    """What gRPC's core keeps of streams that ended since nobody read them, the oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Rpc, _Kept] = {}
        self._total = 0

    def keep(self, rpc: Rpc, size: int, context: Any) -> None:
        """Let the end of a stream wait for its reader, behind an answer of this size."""
        kept = _Kept(size, time.monotonic(), partial(_cancel, context._rpc_event.call))
        with self._lock:
            if context.add_callback(partial(self._over, rpc)):
                self._kept[rpc] = kept
                self._total += size
        self.tick(kept.since)

    def tick(self, now: float) -> None:
        """End for good what waits too long, or has no room any more."""
        late: list[_Kept] = []
        with self._lock:
            while self._kept:
                rpc, oldest = next(iter(self._kept.items()))
                if self._total <= MOST and oldest.since >= now - SECONDS:
                    break
                self._take(rpc)
                late.append(oldest)
        for kept in late:
            kept.cancel()

    def _over(self, rpc: Rpc) -> None:
        with self._lock:
            self._take(rpc)

    def _take(self, rpc: Rpc) -> None:
        kept = self._kept.pop(rpc, None)
        self._total -= kept.size if kept else 0


class Delivery:
    """Sends the answers of streams; if not `early`, or without the names it needs, grpcio does."""

    def __init__(self, unread: Unread, *, early: bool) -> None:
        self._unread = unread
        self._early = early and SUPPORTED

    def send(
        self, rpc: Rpc, answers: Generator[bytes, None, None], context: Any, streams: Streams
    ) -> Iterator[bytes]:
        """Send every answer; yield those that grpcio must send.

        Raises into `answers`: STREAM_IDLE if one is not taken within what `streams` allows,
        ClientGone, and why the caller may go on no more.
        """
        with closing(answers), suppress(StopIteration):
            for answer in answers:
                if not self._early:
                    yield answer
                    continue
                try:
                    if not _taken(answer, context, min(streams.idle, rpc.expires - time.time())):
                        self._unread.keep(rpc, len(answer), context)
                        rpc.require_in()
                        raise stream_idle("was not read", streams.idle)
                except Exception as error:  # noqa: BLE001 (it is for the steps of the call)
                    answers.throw(error)


def _taken(answer: bytes, context: Any, seconds: float) -> bool:
    """Send an answer; return whether there is room for another within so many seconds.

    Raises ClientGone.
    """
    event, state = context._rpc_event, context._state
    operations = [cygrpc.SendMessageOperation(answer, 0)]
    token = _server._SEND_MESSAGE_TOKEN
    with state.condition:
        if not _server._is_rpc_state_active(state):
            raise ClientGone
        if state.initial_metadata_allowed:
            operations.insert(0, _server._get_initial_metadata_operation(state, None))
            state.initial_metadata_allowed = False
            token = _server._SEND_INITIAL_METADATA_AND_SEND_MESSAGE_TOKEN
        event.call.start_server_batch(tuple(operations), _server._send_message(state, token))
        state.due.add(token)
        limit = min(max(seconds, 0.0), threading.TIMEOUT_MAX)
        taken = bool(state.condition.wait_for(lambda: token not in state.due, limit))
        if taken and not _server._is_rpc_state_active(state):
            raise ClientGone
        return taken


def _cancel(call: Any) -> None:
    """End a call at once, and tell its client to come again; core can't send details with that."""
    call.cancel(cygrpc.StatusCode.unavailable, "The stream was not read. Open it again to resume.")
