"""Places for connections: before all are taken, those go whose network has most."""

import heapq
from collections import Counter
from collections.abc import Collection

from persona_server.transport.entrance.rates import network_of

FULL, KEPT = 3 / 4, 1 / 2  # of all places: more are taken than so many, then so many stay
AGAIN_SECONDS = 30.0  # who fills the room within them that was made by closing his is kept out
_SHARE = 10  # of what is closed, a network's part from which it is one that fills the room
COUNT_SECONDS = 0.25  # between counts


class Crowding:
    """Whether it is crowded, and who is to go then. For one thread."""

    def __init__(self, places: int) -> None:
        self._full, self._kept = int(places * FULL), int(places * KEPT)
        self._most_others = places // 8
        self._others = 0  # files that are no connections, as far as is known
        self._count_at = 0.0
        self._closed: dict[str, float] = {}  # networks, and until when they are remembered

    def may_be(self, files: int, now: float) -> bool:
        """Return whether so many open files may be too many connections, which are to be counted.

        Not at each look: to ask thousands of sockets takes a tenth of a second.
        """
        if now < self._count_at or files - self._others <= self._full:
            return False
        self._count_at = now + COUNT_SECONDS
        return True

    def counted(self, connections: int, files: int) -> None:
        """Take note of how many connections there are among so many open files.

        Both were counted one after the other, so by a storm of them the rest may seem many; to
        believe all of it would hide those that come.
        """
        self._others = min(files - connections, self._most_others)

    def excess(self, silences: dict[str, int], served: Collection[str]) -> set[str]:
        """Return the peers that are to go, of all with how long nothing was heard of each.

        Of the network that has most, again and again: those go first on which nothing was served
        yet, and of these who has been silent longest. So a crowd of one address costs it alone.
        """
        if len(silences) <= self._full:
            return set()
        order = {peer: (peer in served, -silence) for peer, silence in silences.items()}
        of_network: dict[str, list[str]] = {}
        for peer in sorted(order, key=order.__getitem__, reverse=True):
            of_network.setdefault(network_of(peer), []).append(peer)
        largest = [(-len(peers), order[peers[-1]], name) for name, peers in of_network.items()]
        heapq.heapify(largest)
        going = set()
        for _ in range(len(silences) - self._kept):
            size, _, name = heapq.heappop(largest)
            peers = of_network[name]
            going.add(peers.pop())
            if peers:
                heapq.heappush(largest, (size + 1, order[peers[-1]], name))
        return going

    def come_again(self, closed: Collection[str], now: float) -> set[str]:
        """Take note of peers that were closed; return the networks that are to be kept out."""
        self._closed = {name: until for name, until in self._closed.items() if until > now}
        counts = Counter(network_of(peer) for peer in closed)
        filling = {name for name, count in counts.items() if _SHARE * count >= len(closed)}
        again = filling & self._closed.keys()
        self._closed |= dict.fromkeys(filling, now + AGAIN_SECONDS)
        return again
