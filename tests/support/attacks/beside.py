"""A good client beside an attack: how many of its calls are answered, how fast, and at what cost.

Each of both runs in a process of its own. The server has one core, they have the other.
"""

import multiprocessing
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from support.attacks.frames import DATA, WINDOW_UPDATE, Connection, frame, message, request
from support.waiting import eventually

NEIGHBOUR = "127.0.0.2"


class Seen(NamedTuple):
    """What became of a good client's calls: answered a second, not answered, the p99 in seconds."""

    rate: float
    failed: int
    p99: float


class Answered(Connection):
    """A connection that knows which of its calls were answered with a message."""

    def __init__(self, address: str, source: str) -> None:
        super().__init__(address, source, window=1 << 20)
        self.answered: set[int] = set()
        self.write(frame(WINDOW_UPDATE, 0, 0, (1 << 30).to_bytes(4, "big")))

    def _handle(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == DATA and payload:
            self.answered.add(stream)
        super()._handle(kind, flags, stream, payload)


def call_one_by_one(
    address: str, path: str, token: str, body: bytes, seconds: float, source: str = NEIGHBOUR
) -> Seen:
    """Make one call after the other; a call that takes 10 s has failed, and ends it all."""
    connection = Answered(address, source)
    block, whole = request(path, token), message(body)
    took: list[float] = []
    failed = 0
    started = time.monotonic()
    while (begun := time.monotonic()) - started < seconds:
        stream = connection.open(block)
        connection.data(stream, whole, end=True)
        while stream not in connection.over and time.monotonic() - begun < 10.0:
            connection.pump(0.05)
        if stream not in connection.answered:
            failed += 1
            if stream not in connection.over:
                break
        took.append(time.monotonic() - begun)
    connection.close()
    took.sort()
    p99 = took[int(len(took) * 0.99)] if took else 10.0
    return Seen((len(took) - failed) / (time.monotonic() - started), failed, p99)


def resident(pid: int) -> int:
    """Return the bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return the seconds of CPU that a process has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def calm(pid: int) -> None:
    """Wait until a process has worked off what came before."""

    def rests() -> bool:
        spent = cpu_seconds(pid)
        time.sleep(0.2)
        return cpu_seconds(pid) - spent <= 0.02

    eventually(rests)


def most_resident(pid: int, ended: Callable[[], bool]) -> int:
    """Return the most that a process holds until something has ended."""
    most = 0
    while not ended():
        most = max(most, resident(pid))
        time.sleep(0.02)
    return most


@contextmanager
def attackers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes for clients, on the last core that there is."""
    core = max(os.sched_getaffinity(0))
    spawn: Any = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, spawn, os.sched_setaffinity, (0, {core})) as pool:
        yield pool


def pin(pid: int) -> None:
    """Let a process run on the first core alone."""
    core = min(os.sched_getaffinity(0))
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended since
            os.sched_setaffinity(int(task.name), {core})


@contextmanager
def sink() -> Iterator[str]:
    """A socket that takes everything and says nothing: the base of a comparison."""
    with socket.create_server(("127.0.0.1", 0), backlog=1_000) as listener:
        swallowing = threading.Thread(target=_swallow, args=(listener,))
        swallowing.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            swallowing.join()


def _swallow(listener: socket.socket) -> None:
    """Take what comes until there is no listener: one thread, since thousands would be a load."""
    room = bytearray(1 << 20)
    with selectors.DefaultSelector() as ready, ExitStack() as taken:
        ready.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                one: Any = key.fileobj
                if one is not listener:
                    with suppress(OSError):
                        if one.recv_into(room):
                            continue
                    ready.unregister(one)
                    one.close()
                    continue
                try:
                    one, _ = listener.accept()
                except OSError:
                    return
                ready.register(taken.enter_context(one), selectors.EVENT_READ)


def beside(
    good: tuple[str, str, str, bytes], attack: Callable[..., Any], *arguments: Any, seconds: float
) -> Seen:
    """Return what a good client saw while an attack ran; `good` is for call_one_by_one."""
    with attackers(2) as pool:
        pool.submit(os.getpid).result()
        attacking = pool.submit(attack, *arguments)
        time.sleep(0.5)
        seen: Seen = pool.submit(call_one_by_one, *good, seconds=seconds).result()
        attacking.result()
    return seen
