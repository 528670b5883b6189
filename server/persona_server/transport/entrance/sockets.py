"""The sockets of this process, which gRPC's core gives nobody: closed, or shut for addresses."""

import os
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from persona_server.transport.entrance.barrier import keep_out

DRAINED = 32  # megabytes at most that are taken away unread
# Where Linux says, in TCP_INFO, how many ms ago data last went or came; and states, its first byte:
_SENT, _RECEIVED = 44, 52
_OPEN = (1, 8)  # established, or closed by the other end alone


def close_connections(ports: set[int], goes: Callable[[str], bool]) -> set[str]:
    """Shut the connections at these ports whose peer goes, as a network would; return their peers.

    A peer is named such as "[::1]:50051".
    """
    return {
        peer
        for found in _sockets()
        if _port(found) in ports and (peer := _peer(found)) and goes(peer) and _shut(found)
    }


def connected(ports: set[int]) -> set[str]:
    """Return the peers of the connections at these ports, named likewise."""
    return {_peer(found) for found in _sockets() if _port(found) in ports}


def silences(ports: set[int]) -> dict[str, int]:
    """Return the same peers, and for how many ms nothing came of each or went to it.

    Without those that are closed already, and only core has yet to hear of it. Where the system
    does not say any of that, it is 0 for all.
    """
    return {
        peer: silence
        for found in _sockets()
        if _port(found) in ports and (peer := _peer(found)) and (silence := _silence(found)) >= 0
    }


def open_files() -> int:
    """Return how many files this process has open, its sockets among them: cheap.

    Where there is none left to look with, it is 0.
    """
    try:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208
    except OSError:
        return 0


def shut_out(networks: list[str], ports: set[int]) -> None:
    """Let nobody of these networks, as network_of() names them, connect at the ports any more.

    Whoever is connected stays so. Who was shut out before, and is not named again, may return.
    Where the kernel has no such thing, nobody is.
    """
    for found in _sockets():
        with suppress(OSError):
            if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and _port(found) in ports:
                keep_out(found, networks)


def _sockets() -> Iterator[socket.socket]:
    """Yield each through a duplicate: who asks it something and then acts on it has the same one.

    Each is open until the next one is asked for.
    """
    for name in os.listdir("/dev/fd"):  # noqa: PTH208
        with _duplicate(int(name)) as found:
            if found is not None:
                yield found


@contextmanager
def _duplicate(number: int) -> Iterator[socket.socket | None]:
    try:
        copy = os.dup(number) if _is_socket(number) else -1
        # To close a copy of a database's file would give up the locks that this process has on it.
        # So what has become a file between the two looks, if that ever happens, stays open.
        found = socket.socket(fileno=copy) if copy >= 0 and _is_socket(copy) else None
    except OSError:  # closed in the meantime
        found = None
    try:
        yield found
    finally:
        if found is not None:
            found.close()


def _is_socket(number: int) -> bool:
    return stat.S_ISSOCK(os.fstat(number).st_mode)


def _port(listening: socket.socket) -> int:
    try:
        name = listening.getsockname()
    except OSError:
        return 0
    return int(name[1]) if isinstance(name, tuple) else 0


def _peer(found: socket.socket) -> str:
    """Return who a socket is connected with, "" if with nobody."""
    try:
        host, port = found.getpeername()[:2]
    except (OSError, ValueError):  # not connected, or of another kind
        return ""
    host = host.removeprefix("::ffff:")  # IPv4 at a socket that takes both
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _silence(found: socket.socket) -> int:
    """Return for how many ms a connection has been silent, -1 if this end has closed it."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        raw = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED + 4)
    except OSError:  # a Unix socket
        return 0
    if raw[0] not in _OPEN:
        return -1
    return int(min(struct.unpack_from("I", raw, place)[0] for place in (_SENT, _RECEIVED)))


def _shut(found: socket.socket) -> bool:
    try:
        found.shutdown(socket.SHUT_RDWR)
        _drain(found)
    except OSError:  # the peer was faster
        return False
    return True


def _drain(found: socket.socket) -> None:
    """Take away what has come and was not read: else the server would still work on all of it."""
    with suppress(BlockingIOError):
        for _ in range(DRAINED):
            if not found.recv(1 << 20):
                return
