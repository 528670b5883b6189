"""The thread pools: which there are and how large. methods.py says which RPC runs in which."""

from collections.abc import Callable
from typing import Any

from persona_server.transport.arrivals import CallPool
from persona_server.transport.methods import PoolName
from persona_server.transport.streams import MAX_STREAMS

THREADS: dict[PoolName, int] = {
    "read": 8,  # more cost nothing on one core, and a slow filter holds only one up
    "write": 4,  # of their own: writers that wait for their turn must not hold up readers
    "stream": MAX_STREAMS + 4,  # the rest are free to refuse what is too much
    "health": 1,  # a busy pool can't hide that the server lives
}


class Pools:
    """The thread pools of a server."""

    def __init__(self) -> None:
        self._pools = {name: CallPool(count, name) for name, count in THREADS.items()}

    def __getitem__(self, name: PoolName) -> CallPool:
        return self._pools[name]

    @property
    def threads(self) -> int:
        """How many threads all pools have together."""
        return sum(THREADS.values())

    def bind(self, behaviour: Callable[..., Any], name: PoolName) -> Callable[..., Any]:
        """Let grpcio call a behaviour in a pool: it reads this attribute from what it is given."""
        behaviour.experimental_thread_pool = self[name]  # type: ignore[attr-defined]
        return behaviour

    def shutdown(self) -> None:
        """Start nothing any more; what runs is not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
