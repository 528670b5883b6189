"""Who a call is from, as grpcio's server knows it before a thread has the call."""

from typing import Any

from persona_server.transport.auth import Authenticator
from persona_server.transport.sharing.turns import Caller

_EVENT = 1  # grpcio submits (function, event, …), and nothing tells the event but its attributes


class Callers:
    """Tells for whom work is that grpcio submits.

    What it hands over is not public: where it looks otherwise, and where the token was not verified
    in the last 30 seconds, nobody is known, and the call waits with all others like it.
    """

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def caller_of(self, arguments: tuple[Any, ...]) -> Caller:
        """Return for whom a call is. On the event thread: nothing is verified here."""
        try:
            event = arguments[_EVENT]
            details = event.call_details
            values = [value for key, value in event.invocation_metadata if key == "authorization"]
            rpc, deadline = details.method.decode(), float(details.deadline)
        except (AttributeError, IndexError, TypeError, ValueError):
            return Caller()
        known = self._authenticator.known(values)
        return Caller(known.tenant if known else "", rpc, deadline, known)
