"""For whom a call is served, as its pool is told."""

from typing import Any

from persona_server.transport.rpc import Rpc
from persona_server.transport.sharing.turns import Caller

_BEHAVIOUR = 3  # grpcio submits (respond, event, state, behaviour, …); ours has the call


def caller_of(arguments: tuple[Any, ...]) -> Caller:
    """Return for whom a call is that is submitted with these arguments.

    Where they look otherwise than they do now, nobody is known, and all wait in one lane.
    """
    rpc = getattr(arguments[_BEHAVIOUR], "rpc", None) if len(arguments) > _BEHAVIOUR else None
    return caller(rpc) if isinstance(rpc, Rpc) else Caller()


def caller(rpc: Rpc) -> Caller:
    """Return for whom a call is."""
    return Caller(rpc.tenant, rpc.method.name)
