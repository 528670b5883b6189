"""Messages that a thread waits for, where no public name of grpcio lets them come without one."""

import time
from collections.abc import Iterator
from typing import Any

import grpc

from persona_server.transport.entrance.receipts import SECONDS
from persona_server.transport.entrance.refusals import abort
from persona_server.transport.rpc import Refusal

_CANCELLED = Refusal(grpc.StatusCode.CANCELLED, "", ())  # which the client has from core already


class Awaited:
    """Ends calls whose message does not come: all that is public is to cancel them, bare."""

    def __init__(self) -> None:
        self._since: dict[grpc.ServicerContext, float] = {}

    def first(self, messages: Iterator[Any], context: grpc.ServicerContext) -> Any:
        """Return a call's first message, or None if there is none.

        Raises what grpcio does if the call is over before, by `tick` too.
        """
        self._since[context] = time.monotonic()
        try:
            message = next(messages, None)
        finally:
            is_ended = self._since.pop(context, None) is None
        if is_ended:  # and grpcio has seen the end of its messages before that of the call
            abort(context, _CANCELLED)
        return message

    def tick(self, now: float) -> int:
        """Cancel the calls whose message was waited for too long; return how many."""
        late = [one for one, since in self._since.copy().items() if since < now - SECONDS]
        for context in late:
            self._since.pop(context, None)
            context.cancel()
        return len(late)
