"""The thread pools: which there are and how large. methods.py says which RPC runs in which."""

from persona_server.transport.arrivals import CallPool
from persona_server.transport.entrance.connections import Connections
from persona_server.transport.entrance.intake import Intake
from persona_server.transport.entrance.receipts import MESSAGE_BYTES, Limits, Receipts
from persona_server.transport.methods import PoolName
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.streams import MAX_STREAMS

MAX_REFLECTIONS = 8
MAX_WATCHES = 16
THREADS: dict[PoolName, int] = {
    "read": 8,  # more cost nothing on one core, and a slow filter holds only one up
    "write": 4,  # of their own: writers that wait for their turn must not hold up readers
    "stream": MAX_STREAMS + 4,  # the rest are free to refuse what is too much
    "reflection": MAX_REFLECTIONS + 2,
    "health": 1,  # a busy pool can't hide that the server lives
    "watch": MAX_WATCHES + 2,
}
# Health is open to everybody: a message that is slow to come makes room for the next one.
_OPEN = Limits(most=8 * MESSAGE_BYTES, each=8 * MESSAGE_BYTES, pushing=True)


class Pools:
    """The thread pools of a server, and what brings them the calls whose message is whole."""

    def __init__(self, pipeline: Pipeline, connections: Connections) -> None:
        self.receipts = Receipts(Limits())
        self.open_receipts = Receipts(_OPEN)
        self._pools = {name: CallPool(count, name) for name, count in THREADS.items()}
        self._intakes = {
            name: Intake(pipeline, connections, self._receipts_of(name), pool)
            for name, pool in self._pools.items()
        }

    def __getitem__(self, name: PoolName) -> CallPool:
        return self._pools[name]

    def intake(self, name: PoolName) -> Intake:
        """Return where calls of one message wait for it, to run in a pool then."""
        return self._intakes[name]

    def _receipts_of(self, name: PoolName) -> Receipts:
        return self.open_receipts if name in ("health", "watch") else self.receipts

    def shutdown(self) -> None:
        """Start nothing any more; what runs is not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
