"""A TCP proxy that cuts a connection after a number of bytes."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


class Cut(NamedTuple):
    """Cut after so many bytes of the client ("up") or of the server ("down"); never if None."""

    direction: str = "up"
    after: int | None = None
    reset: bool = False  # else an orderly end


class CuttingProxy:
    """Passes one connection on to a server and cuts it; every later one is refused."""

    def __init__(self, server: str, cut: Cut) -> None:
        host, _, port = server.rpartition(":")
        self._server, self._cut = (host, int(port)), cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.passed = {"up": 0, "down": 0}
        self._ends: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            client, _ = self._listener.accept()
            self._listener.close()
            server = socket.create_connection(self._server)
            self._ends = [client, server]
            pumps = [
                threading.Thread(target=self._pump, args=(client, server, "up"), daemon=True),
                threading.Thread(target=self._pump, args=(server, client, "down"), daemon=True),
            ]
            for pump in pumps:
                pump.start()
            for pump in pumps:
                pump.join()

    def _pump(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                limit = self._cut.after if self._cut.direction == direction else None
                if limit is not None:
                    data = data[: limit - self.passed[direction]]
                target.sendall(data)
                self.passed[direction] += len(data)
                if self.passed[direction] == limit:
                    break
        self._end()

    def _end(self) -> None:
        for end in self._ends:
            with contextlib.suppress(OSError):
                if self._cut.reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)
                end.close()

    def close(self) -> None:
        """End the connection, and take none."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._end()
        self._thread.join(10)


@contextlib.contextmanager
def cutting(server: str, cut: Cut) -> Iterator[CuttingProxy]:
    """Run a proxy for a block."""
    proxy = CuttingProxy(server, cut)
    try:
        yield proxy
    finally:
        proxy.close()
