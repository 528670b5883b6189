"""Callers that want to take everything, and a good one beside them."""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from rest.processes import Gateway

from support.attacks.beside import cpu_seconds

ATTACKER, NEIGHBOUR = "127.0.0.1", "127.0.0.2"
TIMEOUT = 60.0
MOST_MEMORY = 100 << 20  # bytes more than before, whoever asks


def dial(gateway: Gateway, source: str = ATTACKER) -> socket.socket:
    """Open a connection from an address of this machine."""
    url = urlsplit(gateway.base)
    assert url.hostname
    assert url.port
    return socket.create_connection((url.hostname, url.port), TIMEOUT, (source, 0))


def start(verb: str, path: str, token: str | None, *headers: str) -> bytes:
    """Return a request up to its body."""
    lines = [f"{verb} {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


def post(path: str, token: str | None, body: bytes) -> bytes:
    """Return a whole POST."""
    return start("POST", path, token, f"Content-Length: {len(body)}") + body


def send(connection: socket.socket, data: bytes) -> None:
    """Send as much as the other side takes before it closes."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(data)


def pour(connection: socket.socket, data: bytes) -> None:
    """Send what fits into the buffers on the way, without waiting for it to be read."""
    connection.setblocking(False)
    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
        connection.send(data)
    connection.settimeout(TIMEOUT)


def status(connection: socket.socket) -> int:
    """Read an answer's first bytes and return its status; 0 for a connection that was cut."""
    try:
        first = connection.recv(4096)
    except ConnectionResetError:
        return 0
    return int(first.split(b" ", 2)[1]) if first else 0


def call(gateway: Gateway, request: bytes, source: str = ATTACKER) -> int:
    """Send a request on a connection of its own and return the status."""
    with dial(gateway, source) as connection:
        send(connection, request)
        return status(connection)


def hold(
    stack: contextlib.ExitStack,
    gateway: Gateway,
    number: int,
    request: bytes,
    source: str = ATTACKER,
) -> list[socket.socket]:
    """Send a request on so many connections, which stay open."""
    connections = [stack.enter_context(dial(gateway, source)) for _ in range(number)]
    for connection in connections:
        send(connection, request)
    return connections


def at_once(number: int, call: Callable[[], int]) -> Counter[int]:
    """Call in so many threads; return how often each status came."""
    with ThreadPoolExecutor(number) as pool:
        return Counter(future.result() for future in [pool.submit(call) for _ in range(number)])


def cpu_of_calls(gateway: Gateway, path: str, token: str, number: int) -> float:
    """Read a path so often on one connection; return the seconds of CPU that took the gateway."""
    spent = cpu_seconds(gateway.process.pid)
    source = (NEIGHBOUR, 0)
    client = HTTPConnection(urlsplit(gateway.base).netloc, timeout=TIMEOUT, source_address=source)
    for _ in range(number):
        client.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        assert client.getresponse().read()
    client.close()
    return cpu_seconds(gateway.process.pid) - spent


class Neighbour:
    """A good caller that reads one thing over and over, from an address of its own."""

    def __init__(self, gateway: Gateway, path: str, token: str) -> None:
        self.answered = 0
        self.failed: list[int | str] = []
        self._request = (gateway, path, {"Authorization": f"Bearer {token}"})
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                found = self._call()
            except (OSError, HTTPException) as error:
                self.failed.append(repr(error))
            else:
                self.answered += found == 200
                self.failed += [found] if found != 200 else []

    def _call(self) -> int:
        gateway, path, headers = self._request
        host = urlsplit(gateway.base).netloc
        connection = HTTPConnection(host, timeout=TIMEOUT, source_address=(NEIGHBOUR, 0))
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def answers_again(self) -> None:
        """Wait for two more answers: the second was asked for after this call."""
        enough, ends = self.answered + 2, time.monotonic() + TIMEOUT
        while self.answered < enough and not self.failed:
            assert time.monotonic() < ends, "the neighbour is not answered"
            self._ended.wait(0.01)

    def end(self) -> None:
        """Stop calling."""
        self._ended.set()
        self._thread.join()


@contextlib.contextmanager
def bounded(gateway: Gateway, path: str, token: str) -> Iterator[Neighbour]:
    """Attack in this block: a neighbour is answered meanwhile, and the memory stays bounded."""
    neighbour = Neighbour(gateway, path, token)
    try:
        neighbour.answers_again()
        before = gateway.memory("VmRSS")
        yield neighbour
        neighbour.answers_again()
    finally:
        neighbour.end()
    assert neighbour.failed == []
    assert gateway.memory("VmHWM") - before < MOST_MEMORY
