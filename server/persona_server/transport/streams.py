"""Streams hold a thread each, so they are counted, watched for silence, and ended at shutdown."""

import queue
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.transport.interceptors import shutting_down

MAX_STREAMS = 16
MAX_TENANT_STREAMS = 8
STREAM_THREADS = MAX_STREAMS + 4  # the rest are free to refuse what is too much
IDLE_SECONDS = 30.0

_END, _STOP = object(), object()


class Streams:
    """The open streams of a server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._readers: set[Reader] = set()

    @contextmanager
    def slot(self, tenant: str) -> Iterator[None]:
        """Hold one of the places for a block. Raises TOO_MANY_STREAMS."""
        with self._lock:
            if self._open.total() >= MAX_STREAMS or self._open[tenant] >= MAX_TENANT_STREAMS:
                raise ServiceError(
                    errors_pb2.ERROR_REASON_TOO_MANY_STREAMS,
                    f"At most {MAX_TENANT_STREAMS} streams of a tenant, {MAX_STREAMS} in all, may "
                    "be open at once. Try again when one has ended.",
                    retry_after=1.0,
                )
            self._open[tenant] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[tenant] -= 1
                if not self._open[tenant]:
                    del self._open[tenant]

    @contextmanager
    def reader(self, messages: Iterator[bytes]) -> Iterator["Reader"]:
        """Read a client's messages for a block, with a bound on its silence."""
        reader = Reader(messages)
        with self._lock:
            self._readers.add(reader)
        try:
            yield reader
        finally:
            with self._lock:
                self._readers.discard(reader)
            reader.close()

    def stop(self) -> None:
        """End every client stream with SHUTTING_DOWN, after what it has sent."""
        with self._lock:
            readers = list(self._readers)
        for reader in readers:  # outside of the lock, which a reader that ends needs
            reader.stop()


class Reader:
    """Iterates over a client's messages. Raises STREAM_IDLE and SHUTTING_DOWN.

    A blocked read has no timeout of its own, so a small thread reads and this waits on its queue.
    """

    def __init__(self, messages: Iterator[bytes]) -> None:
        self._messages = messages
        self._queue: queue.Queue[object] = queue.Queue(maxsize=2)
        self._closed = threading.Event()
        self._stopping = threading.Event()
        threading.Thread(target=self._read, name="stream-reader", daemon=True).start()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                message = self._queue.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                raise ServiceError(
                    errors_pb2.ERROR_REASON_STREAM_IDLE,
                    f"The stream was silent for {IDLE_SECONDS:.0f} s. Open it again to resume.",
                    retry_after=1.0,
                ) from None
            if message is _END:
                return
            if message is _STOP:
                raise shutting_down()
            assert isinstance(message, bytes)
            yield message

    def stop(self) -> None:
        """Let the reader raise SHUTTING_DOWN next."""
        self._stopping.set()
        self._offer(_STOP)

    def close(self) -> None:
        """Let the thread go: what it still has to hand over is dropped."""
        self._closed.set()
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return

    def _read(self) -> None:
        try:
            for message in self._messages:
                if self._closed.is_set() or self._stopping.is_set():
                    return
                self._queue.put(message)
        except Exception:  # noqa: BLE001 (the call is over: cancelled, or the connection is gone)
            return
        finally:
            self._offer(_END)

    def _offer(self, mark: object) -> None:
        """Put a mark behind what is queued, unless nobody reads any more."""
        while not self._closed.is_set():
            try:
                self._queue.put(mark, timeout=1.0)
            except queue.Full:
                continue
            return
