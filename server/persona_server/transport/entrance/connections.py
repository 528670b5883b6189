"""Connections whose client asks for nothing but work, or of a crowd: closed, and it stays away."""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

from persona_server.telemetry.logs import LOGGER
from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance.crowding import COUNT_SECONDS, Crowding
from persona_server.transport.entrance.rates import Rates, network_of
from persona_server.transport.entrance.sockets import (
    close_connections,
    connected,
    open_files,
    shut_out,
    silences,
)

A_SECOND, BURST = 1_000.0, 2_000.0  # what an address may cost by calls that end in nothing
OWN_A_SECOND, OWN_BURST = 1.0, 20.0  # and a connection of one that is over it
SERVED = 1.0  # what a call costs that was taken back after its message had come
UNSERVED = 4.0  # and one that was refused, or taken back before: nobody was waiting for it
LASTING = 10.0  # and one of those that last, such as a Watch: nobody needs many of them
WASTED = 10.0  # and one of a message that is too long, of which all was taken in
AWAY_SECONDS = 10.0  # how long an address that is over it can't connect
MOST_SERVED = 20_000  # peers that are remembered as such
_LOOKED_AT = 1_000  # of them, and twice those that stayed: then it is looked who is gone
PAUSE_SECONDS = 0.01  # between looks at all sockets


class Connections:
    """Counts the calls of each address that end in nothing, and closes the connection of too many.

    A client that keeps to its 100 calls at once, and reads its refusals, never gets there, nor does
    one that takes back half of what it asks. Several may share an address: who was served before
    and does nothing of the kind stays connected. Others of its connections are closed at once, like
    those that it would make now: a storm of many would go on until each of them has offended.

    The gateway's calls are not counted: they are its callers', of whom it bounds each itself, and
    to close its connection would stop all of them.

    Before all `places` are taken, connections of whoever has most are closed too: see crowding.py.
    """

    def __init__(self, metrics: Metrics, places: int) -> None:
        self.ports: set[int] = set()  # at which the server listens
        self._metrics = metrics
        self._crowding = Crowding(places)
        self._rates = Rates(A_SECOND, BURST)
        self._own_rates = Rates(OWN_A_SECOND, OWN_BURST)
        self._over: deque[str] = deque()  # networks, and of their peers those to close
        self._offending: deque[str] = deque()
        self._served: set[str] = set()  # peers
        self._look_at = _LOOKED_AT
        self._closed: dict[str, float] = {}  # peers, and until when they are remembered
        self._away: dict[str, float] = {}  # networks, and until when they can't connect
        self._some = threading.Event()
        threading.Thread(target=self._run, name="connections", daemon=True).start()

    def ended_in_nothing(self, peer: str, cost: float = UNSERVED) -> bool:
        """Count a call of a peer such as "[::1]:50051"; return whether its connection is closed.

        On the event thread, or by what is public of grpcio on those of the pools: at worst a count
        is lost between two of them.
        """
        network, now = network_of(peer), time.monotonic()
        # What still comes of closed ones counts too, and each is counted from its first: a storm of
        # many connections would else win back time for all of them with each one that is closed.
        is_within = self._rates.take(network, now, cost)
        if peer in self._closed:
            return True
        own_is_within = self._own_rates.take(peer, now, cost)
        if is_within:
            return False
        self._over.append(network)
        if not own_is_within:
            self._closed[peer] = now + AWAY_SECONDS
            self._offending.append(peer)
        self._some.set()
        return not own_is_within

    def served(self, peer: str) -> None:
        """Take note that a peer has made a call that a thread serves, or that it is the gateway."""
        if peer not in self._served:
            if len(self._served) >= MOST_SERVED:
                self._served.clear()  # rare: each is known again by its next call
            self._served.add(peer)

    def has_closed(self, peer: str) -> bool:
        """Return whether a call is one of those that had come before its connection was closed."""
        return peer in self._closed

    def _run(self) -> None:
        while True:
            self._some.wait(COUNT_SECONDS)
            self._some.clear()
            try:
                self._look(time.monotonic())
            except Exception:  # noqa: BLE001 (the next ones are to be closed all the same)
                LOGGER.exception("connections could not be closed")
            time.sleep(PAUSE_SECONDS)

    def _look(self, now: float) -> None:
        networks, peers = _taken(self._over), _taken(self._offending)
        if peers or networks:
            self._close_storming(peers, networks, now)
        if self._crowding.may_be(open_files(), now):
            networks |= self._make_room(now)
        away = {name: until for name, until in self._away.items() if until > now}
        away |= dict.fromkeys(networks, now + AWAY_SECONDS)
        if away.keys() != self._away.keys():
            shut_out(list(away), self.ports)
        self._away = away
        self._forget(now)

    def _close_storming(self, peers: set[str], networks: set[str], now: float) -> None:
        def goes(peer: str) -> bool:
            return peer in peers or (network_of(peer) in networks and peer not in self._served)

        self._close(goes, now)

    def _make_room(self, now: float) -> set[str]:
        """Close connections if there are too many; return the networks that are to be kept out."""
        found, files = silences(self.ports), open_files()
        self._crowding.counted(len(found), files)
        going = self._crowding.excess(found, self._served)
        if not going:
            return set()
        closed = self._close(going.__contains__, now)
        LOGGER.warning("connections closed for want of room", extra={"closed": len(closed)})
        return self._crowding.come_again(closed, now)

    def _close(self, goes: Callable[[str], bool], now: float) -> set[str]:
        closed = close_connections(self.ports, goes)
        self._closed |= dict.fromkeys(closed, now + AWAY_SECONDS)
        self._served -= closed
        self._metrics.closed.inc(len(closed))
        return closed

    def _forget(self, now: float) -> None:
        for peer, until in list(self._closed.items()):
            if until < now:
                del self._closed[peer]
        if len(self._served) > self._look_at:
            self._served &= connected(self.ports)  # who has come since is known by its next call
            self._look_at = _LOOKED_AT + 2 * len(self._served)


def _taken(queue: deque[str]) -> set[str]:
    return {queue.popleft() for _ in range(len(queue))}


@lru_cache(maxsize=4096)
def readable(peer: bytes | str) -> str:
    """Return "[::1]:50051" for a peer as gRPC's core names it, such as "ipv6:%5B::1%5D:50051"."""
    text = peer if isinstance(peer, str) else peer.decode()
    return unquote(text.partition(":")[2])
