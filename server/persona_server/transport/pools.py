"""The thread pools: which there are and how large. methods.py says which RPC runs in which."""

import os
from collections.abc import Callable
from typing import Any

from persona_server.transport.methods import PoolName
from persona_server.transport.sharing.pool import FairPool
from persona_server.transport.sharing.turns import Caller, Limits
from persona_server.transport.sharing.use import Use
from persona_server.transport.streams import MAX_STREAMS


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


REFLECTIONS = 4  # streams of reflection at once
_STREAMS, _REFLECTIONS = MAX_STREAMS + 4, REFLECTIONS + 2  # the rest refuse what is too much
LIMITS: dict[PoolName, Limits] = {
    # More threads cost nothing on one core. A slow filter holds up few.
    "read": Limits(8, costly=max(2, cores() - 1)),
    # Reads that are slow by their nature: a second one is for another tenant.
    "dear": Limits(2, costly=2),
    # Of their own: writers that wait for their turn must not hold up readers.
    "write": Limits(4, costly=3),
    "stream": Limits(_STREAMS, costly=_STREAMS),
    "reflection": Limits(_REFLECTIONS, costly=_REFLECTIONS),
    # A busy pool can't hide that the server lives.
    "health": Limits(1, costly=1),
}


class Pools:
    """The thread pools of a server."""

    def __init__(self, use: Use, caller_of: Callable[[tuple[Any, ...]], Caller]) -> None:
        """Make them; `caller_of` tells for whom work is from the arguments of `submit`."""
        self._pools = {
            name: FairPool(name, limits, use, caller_of) for name, limits in LIMITS.items()
        }

    def __getitem__(self, name: PoolName) -> FairPool:
        return self._pools[name]

    def bind(self, behaviour: Callable[..., Any], name: PoolName) -> Callable[..., Any]:
        """Let grpcio call a behaviour in a pool: it reads this attribute from what it is given."""
        behaviour.experimental_thread_pool = self[name]  # type: ignore[attr-defined]
        return behaviour

    def shutdown(self) -> None:
        """Start nothing any more; what runs is not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
