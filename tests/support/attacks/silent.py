"""Attacks that hold something: threads, memory, files."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from support.attacks.frames import DATA, WINDOW_UPDATE, Connection, frame, message, request
from support.waiting import eventually


@contextmanager
def connected(
    address: str, count: int, source: str = "127.0.0.1", window: int = 65_535
) -> Iterator[list[Connection]]:
    """Open so many connections for a block."""
    opened: list[Connection] = []
    try:
        for _ in range(count):
            opened.append(Connection(address, source, window))
        yield opened
    finally:
        for connection in opened:
            connection.close()


def pump_for(connections: list[Connection], seconds: float) -> None:
    """Serve connections for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for connection in connections:
            connection.pump()
        time.sleep(0.002)


def all_over(connection: Connection, streams: list[int]) -> None:
    """Wait until the server has ended these streams. Fails the test if it does not."""

    def over() -> bool:
        connection.pump(0.05)
        return connection.over >= set(streams)

    eventually(over)


def is_answered(connection: Connection, path: str) -> bool:
    """Make a call of an empty message; return whether an answer comes, or else the end."""
    stream = connection.open(request(path))
    connection.data(stream, message(b""), end=True)

    def over() -> bool:
        connection.pump(0.05)
        return stream in connection.over or connection.closed

    eventually(over)
    return connection.got[DATA] > 0


def idle(address: str, count: int, source: str) -> list[Connection]:
    """Open so many connections, or fewer if the server takes no more, and say hello."""
    opened: list[Connection] = []
    with suppress(OSError):
        for _ in range(count):
            opened.append(Connection(address, source, patience=0.5))
            opened[-1].pump()
    return opened


def headers_only(connection: Connection, path: str, token: str | None, count: int) -> list[int]:
    """Begin calls whose message never comes."""
    return [connection.open(request(path, token)) for _ in range(count)]


def hold_messages(
    connections: list[Connection],
    path: str,
    token: str | None,
    each: int,
    size: int,
    seconds: float,
) -> int:
    """Send messages but for their last byte, within flow control; return the bytes sent."""
    whole = message(bytes(size))[:-1]
    left = {(c, c.open(request(path, token))): 0 for c in connections for _ in range(each)}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for (connection, stream), sent in left.items():
            if (
                connection.pending() < 1 << 20
                and sent < len(whole)
                and stream not in connection.over
            ):
                left[connection, stream] += connection.data(stream, whole[sent : sent + 16_384])
        for connection in connections:
            connection.pump()
    return sum(left.values())


def unread(
    connections: list[Connection],
    path: str,
    token: str,
    each: int,
    seconds: float,
    window: int = 1 << 30,
    body: bytes = b"",
) -> None:
    """Call for answers and leave them: streams have a window of 0, connections a wide one."""
    for connection in connections:
        connection.write(frame(WINDOW_UPDATE, 0, 0, window.to_bytes(4, "big")))
        for _ in range(each):
            stream = connection.open(request(path, token))
            connection.data(stream, message(body), end=True)
    pump_for(connections, seconds)
