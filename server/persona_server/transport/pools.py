"""The thread pools: which there are and how large. methods.py says which RPC runs in which."""

from persona_server.process.cores import cores
from persona_server.transport.entrance.connections import Connections
from persona_server.transport.entrance.intake import Intake
from persona_server.transport.entrance.places import Places
from persona_server.transport.entrance.receipts import MESSAGE_BYTES, ReceiptLimits, Receipts
from persona_server.transport.methods import PoolName
from persona_server.transport.pipeline import Pipeline
from persona_server.transport.sharing.callers import caller_of
from persona_server.transport.sharing.pool import FairPool
from persona_server.transport.sharing.turns import Load, PoolLimits
from persona_server.transport.streams import MAX_STREAMS


def streaming(threads: int) -> PoolLimits:
    """Return the limits of a pool of streams. Of those that are too many, few wait to be told."""
    return PoolLimits(threads, threads, waiting=200, waiting_each=100)


MAX_REFLECTIONS = 8
MAX_WATCHES, ADDRESS_WATCHES = 16, 4
LIMITS: dict[PoolName, PoolLimits] = {
    # More threads cost nothing on one core. A slow filter holds up few.
    "read": PoolLimits(8, costly=max(2, cores() - 1)),
    # Reads that are slow by their nature: a second one is for another tenant.
    "heavy": PoolLimits(2, costly=2),
    # Of their own: writers that wait for their turn must not hold up readers. Two for a tenant's
    # batches: while one comes to the disk, the next is checked.
    "write": PoolLimits(4, costly=3),
    # The rest are free to refuse what is too much.
    "stream": streaming(MAX_STREAMS + 4),
    "reflection": streaming(MAX_REFLECTIONS + 2),
    "health": PoolLimits(1, costly=1),  # a busy pool can't hide that the server lives
    "watch": streaming(MAX_WATCHES + 2),
}
# Health is open to everybody: a message that is slow to come makes room for the next one.
_OPEN = ReceiptLimits(most=8 * MESSAGE_BYTES, each=8 * MESSAGE_BYTES, pushing=True)


class Pools:
    """The thread pools of a server, and what brings them the calls whose message is whole.

    `early` is that of Intake. Memory for messages is what one of so many `workers` may take.
    """

    def __init__(
        self, pipeline: Pipeline, connections: Connections, *, early: bool, workers: int = 1
    ) -> None:
        self._receipts = Receipts(ReceiptLimits().part(workers))
        self._open_receipts = Receipts(_OPEN.part(workers))
        places: dict[PoolName, Places] = {"watch": Places(MAX_WATCHES, ADDRESS_WATCHES)}
        self._pools = {name: FairPool(name, limits, caller_of) for name, limits in LIMITS.items()}
        self._intakes = {
            name: Intake(
                pipeline, connections, self._receipts_of(name), pool, places.get(name), early=early
            )
            for name, pool in self._pools.items()
        }

    def __getitem__(self, name: PoolName) -> FairPool:
        return self._pools[name]

    def intake(self, name: PoolName) -> Intake:
        """Return where calls come in that a pool runs."""
        return self._intakes[name]

    def _receipts_of(self, name: PoolName) -> Receipts:
        return self._open_receipts if name in ("health", "watch") else self._receipts

    def load(self) -> dict[str, Load]:
        """Return how busy each pool is."""
        return {name: pool.load() for name, pool in self._pools.items()}

    @property
    def messages(self) -> tuple[int, int]:
        """How many bytes messages take, and how many calls wait for room for theirs."""
        return (
            self._receipts.bytes + self._open_receipts.bytes,
            self._receipts.waiting + self._open_receipts.waiting,
        )

    def tick(self, now: float) -> int:
        """End the calls whose message does not come; return how many."""
        late = self._receipts.tick(now) + self._open_receipts.tick(now)
        return late + sum(intake.awaited.tick(now) for intake in self._intakes.values())

    @property
    def threads(self) -> int:
        """How many threads all pools have together."""
        return sum(limits.threads for limits in LIMITS.values())

    def shutdown(self) -> None:
        """Start nothing any more; what runs is not waited for."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
