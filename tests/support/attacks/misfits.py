"""Attacks by what no client needs to send: control frames, large heads, bombs, nonsense."""

import gzip
import random
import socket
import struct
import time
from collections.abc import Callable

from support.attacks.floods import connected_again
from support.attacks.frames import PING, SETTINGS, Connection, frame, literals, request

_PING = frame(PING, 0, 0, b"12345678")
_SETTINGS = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535))


def _repeated(
    address: str,
    seconds: float,
    a_second: float,
    write: Callable[[Connection], None],
    source: str = "127.0.0.1",
) -> int:
    """Write something again and again, on a new connection whenever one is closed."""
    started = time.monotonic()
    connection = connected_again(address, source, started + seconds)
    made = 0
    while connection is not None and (past := time.monotonic() - started) < seconds:
        if connection.closed:
            connection.close()
            connection = connected_again(address, source, started + seconds)
            continue
        while made < past * a_second and connection.pending() < 262_144:
            write(connection)
            made += 1
        connection.pump(0.001)
    if connection is not None:
        connection.close()
    return made


def ping_flood(address: str, a_second: float, seconds: float) -> int:
    """Send PING."""
    return _repeated(address, seconds, a_second, lambda one: one.write(_PING))


def settings_flood(address: str, a_second: float, seconds: float) -> int:
    """Send SETTINGS."""
    return _repeated(address, seconds, a_second, lambda one: one.write(_SETTINGS))


def large_heads(
    address: str, path: str, a_second: float, seconds: float, source: str = "127.0.0.1"
) -> int:
    """Begin calls with 20 KB of metadata."""
    block = request(path) + literals([("x-one", "y" * 10_000), ("x-two", "z" * 10_000)])

    def write(connection: Connection) -> None:
        connection.open(block[:16_000], more=block[16_000:])

    return _repeated(address, seconds, a_second, write, source)


def bombs(address: str, path: str, token: str, seconds: float, source: str = "127.0.0.1") -> int:
    """Send messages of 100 KB that would be 100 MB; return how many calls have ended.

    It ends before when its connection is closed.
    """
    bomb = gzip.compress(bytes(100 << 20))
    whole = b"\1" + struct.pack(">I", len(bomb)) + bomb
    block = request(path, token) + literals([("grpc-encoding", "gzip")])
    connection = Connection(address, source)
    left: dict[int, int] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until and not connection.closed:
        if len(left) < 10:
            left[connection.open(block)] = 0
        for stream, sent in left.items():
            left[stream] += connection.data(stream, whole[sent : sent + 16_384])
        left = {s: n for s, n in left.items() if n < len(whole) and s not in connection.over}
        connection.pump(0.001)
    connection.close()
    return len(connection.over)


def nonsense(address: str, a_second: float, seconds: float, seed: int = 1) -> int:
    """Send frames of random kinds, flags, streams and sizes, true and false; return how many."""
    chance = random.Random(seed)

    def write(connection: Connection) -> None:
        payload = chance.randbytes(chance.choice((0, 1, 4, 5, 8, 30, 1_000)))
        raw = frame(chance.randrange(12), chance.randrange(256), chance.randrange(8), payload)
        connection.write(raw if chance.random() < 0.9 else raw[: chance.randrange(len(raw))])

    return _repeated(address, seconds, a_second, write)


def silent_sockets(address: str, count: int, seconds: float) -> int:
    """Connect and say nothing; return how many were taken."""
    host, _, port = address.rpartition(":")
    opened = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection((host, int(port)), 2.0))
    except OSError:
        pass
    time.sleep(seconds)
    for one in opened:
        one.close()
    return len(opened)
