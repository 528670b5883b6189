"""GET /metrics: one thread for all connections, however silent or slow their clients are."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

from prometheus_client.exposition import CONTENT_TYPE_LATEST

SECONDS = 5.0  # that a connection may last: one scrape is one connection
CONNECTIONS = 32  # at once; a new one ends the oldest, so that no silent crowd keeps a scrape out
_HEAD = 8 << 10  # bytes of a request


class MetricsPort:
    """An HTTP server of one page, which `page` makes anew for each scrape."""

    def __init__(
        self,
        host: str,
        port: int,
        page: Callable[[], bytes],
        context: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """Listen, and answer from a thread. Raises OSError if the port is taken.

        `context` gives what a connection's TLS is made with; without it there is none.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        is_both = host == "::" and socket.has_dualstack_ipv6()  # as gRPC and REST have it
        self._socket = socket.create_server((host, port), family=family, dualstack_ipv6=is_both)
        self.port: int = self._socket.getsockname()[1]
        self._page = page
        self._context = context
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}  # oldest first
        threading.Thread(target=self._run, name="metrics", daemon=True).start()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, sock=self._socket, limit=_HEAD)
        await server.serve_forever()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= CONNECTIONS:
            oldest = next(iter(self._open))
            del self._open[oldest]
            oldest.transport.abort()
        if self._context:
            _wait_for_tls(writer)
        task = asyncio.ensure_future(self._connection(reader, writer))
        self._open[writer] = task
        task.add_done_callback(lambda _: self._open.pop(writer, None))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            try:
                async with asyncio.timeout(SECONDS):
                    if self._context:
                        await writer.start_tls(self._context())
                    writer.write(self._answer(await reader.readuntil(b"\r\n\r\n")))
                    writer.close()
                    await writer.wait_closed()
            finally:
                writer.transport.abort()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics":
            return _response("404 Not Found", "text/plain", b"Metrics are at /metrics.\n")
        if method != b"GET":
            return _response("405 Method Not Allowed\r\nAllow: GET", "text/plain", b"")
        return _response("200 OK", CONTENT_TYPE_LATEST, self._page())


def _wait_for_tls(writer: asyncio.StreamWriter) -> None:
    """Let nothing be read before the handshake, which would be lost for it."""
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()


def _response(status: str, kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
