"""Connections whose client asks for nothing but work: they are closed."""

import os
import socket
import stat
import threading
import time
from contextlib import suppress
from functools import lru_cache
from urllib.parse import unquote

from persona_server.telemetry.metrics import Metrics
from persona_server.transport.entrance.rates import Rates, network_of

A_SECOND, BURST = 500.0, 2_000.0  # calls of an address that are refused or taken back
DRAINED = 32  # megabytes at most that are taken away unread
PAUSE_SECONDS = 0.01  # between looks at all sockets


class Connections:
    """Counts the calls of each address that end in nothing, and closes the connection of too many.

    A client that keeps to its 100 calls at once, and reads its refusals, never gets there.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._rates = Rates(A_SECOND, BURST)
        self._offending: set[str] = set()
        self._some = threading.Event()
        threading.Thread(target=self._run, name="connections", daemon=True).start()

    def ended_in_nothing(self, peer: str) -> bool:
        """Count a call of a peer such as "[::1]:50051"; return whether its connection is closed.

        On the event thread alone.
        """
        if self._rates.take(network_of(peer), time.monotonic()):
            return False
        self._offending.add(peer)
        self._some.set()
        return True

    def _run(self) -> None:
        while self._some.wait():
            time.sleep(PAUSE_SECONDS)
            self._some.clear()
            peers, self._offending = self._offending, set()
            self._metrics.closed.inc(close_connections(peers))


@lru_cache(maxsize=4096)
def readable(peer: bytes | str) -> str:
    """Return "[::1]:50051" for a peer as gRPC's core names it, such as "ipv6:%5B::1%5D:50051"."""
    text = peer if isinstance(peer, str) else peer.decode()
    return unquote(text.partition(":")[2])


def close_connections(peers: set[str]) -> int:
    """Shut this process's connections with these peers, as a network would; return how many.

    gRPC's server has no call for it. Each socket is asked through a duplicate who is at its other
    end, so that it can't become another one between the question and the answer.
    """
    return sum(_closed(int(name), peers) for name in os.listdir("/dev/fd"))  # noqa: PTH208


def _closed(number: int, peers: set[str]) -> bool:
    try:
        if not _is_socket(number):
            return False
        copy = os.dup(number)
    except OSError:  # closed in the meantime
        return False
    # To close a copy of a database's file would give up the locks that this process has on it. So
    # what has become a file between the two looks, if that ever happens, stays open.
    if not _is_socket(copy):
        return False
    with socket.socket(fileno=copy) as found:
        return _closed_if_one_of(found, peers)


def _is_socket(number: int) -> bool:
    return stat.S_ISSOCK(os.fstat(number).st_mode)


def _closed_if_one_of(found: socket.socket, peers: set[str]) -> bool:
    try:
        host, port = found.getpeername()[:2]
        host = host.removeprefix("::ffff:")  # IPv4 at a socket that takes both
        if (f"[{host}]:{port}" if ":" in host else f"{host}:{port}") not in peers:
            return False
        found.shutdown(socket.SHUT_RDWR)
        _drain(found)
    except (OSError, ValueError):  # not connected, or of another kind
        return False
    return True


def _drain(found: socket.socket) -> None:
    """Take away what has come and was not read: else the server would still work on all of it."""
    with suppress(BlockingIOError):
        for _ in range(DRAINED):
            if not found.recv(1 << 20):
                return
