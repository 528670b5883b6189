"""A TCP proxy that cuts a connection after a number of bytes."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from support.peers.proxy import Link, Proxy

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Cut(NamedTuple):
    """Cut after so many bytes of the client ("up") or of the server ("down"); never if None."""

    direction: str = "up"
    after: int | None = None
    reset: bool = False  # else an orderly end


class CuttingProxy(Proxy):
    """Passes one connection on to a server and cuts it; every later one is refused."""

    def __init__(self, server: str, cut: Cut) -> None:
        self._cut = cut
        super().__init__(server)

    def _take(self, client: socket.socket) -> None:
        self._listener.close()
        super()._take(client)

    def _pass(self, data: bytes, link: Link, direction: str, target: socket.socket) -> bool:
        limit = self._cut.after if self._cut.direction == direction else None
        if limit is not None:
            data = data[: limit - self.passed[direction]]
        return super()._pass(data, link, direction, target) and self.passed[direction] != limit

    def _prepare_end(self, end: socket.socket) -> None:
        if self._cut.reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


@contextlib.contextmanager
def cutting(server: str, cut: Cut) -> Iterator[CuttingProxy]:
    """Run a proxy for a block."""
    proxy = CuttingProxy(server, cut)
    try:
        yield proxy
    finally:
        proxy.close()
