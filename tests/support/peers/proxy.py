"""A TCP proxy: what stands between two programs, and may stand in their way."""

import contextlib
import socket
import threading
from typing import NamedTuple


class Link(NamedTuple):
    """A connection of a client, and the one to the server that is made for it."""

    client: socket.socket
    server: socket.socket


class Proxy:
    """Passes connections on to a server, each way by a thread of its own, and counts the bytes."""

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._server = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.passed = {"up": 0, "down": 0}
        self._links: list[Link] = []
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._take(client)

    def _take(self, client: socket.socket) -> None:
        link = Link(client, socket.create_connection(self._server))
        self._links.append(link)
        for direction in ("up", "down"):
            pump = threading.Thread(target=self._pump, args=(link, direction), daemon=True)
            self._threads.append(pump)
            pump.start()

    def _pump(self, link: Link, direction: str) -> None:
        source, target = link if direction == "up" else reversed(link)
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._pass(data, link, direction, target):
                    break
            self._before_end(link)
        self._end(link)

    def _pass(self, data: bytes, _link: Link, direction: str, target: socket.socket) -> bool:
        """Pass some bytes on; return whether more may follow."""
        target.sendall(data)
        self.passed[direction] += len(data)
        return True

    def _before_end(self, link: Link) -> None:
        """Return as soon as the other side may hear of the end of one."""

    def _end(self, link: Link) -> None:
        for end in link:
            with contextlib.suppress(OSError):
                self._prepare_end(end)
                end.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                end.close()

    def _prepare_end(self, end: socket.socket) -> None:
        """Say how a connection ends: in order, if nothing else is said."""

    def close(self) -> None:
        """End all connections, and take none."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            self._end(link)
        for thread in self._threads:
            thread.join(10)
