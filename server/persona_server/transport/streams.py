"""Streams hold a thread each, so they are counted, watched for silence, and ended at shutdown."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.transport.auth import unauthenticated
from persona_server.transport.errors import shutting_down
from persona_server.transport.rpc import ClientGone, Rpc

MAX_STREAMS = 16
IDLE_SECONDS = 30.0

_END, _STOP, _GONE = object(), object(), object()


class Slot:
    """A place that an open stream holds, and since when its client has not taken an answer."""

    def __init__(self, tenant: str, expires: float, cancel: Callable[[], object]) -> None:
        self.tenant = tenant
        self.expires = expires
        self.cancel = cancel
        self.waiting_since: float | None = None

    def offered(self) -> None:
        """An answer is on its way to the client."""
        self.waiting_since = time.monotonic()

    def stalled(self) -> bool:
        """Return whether the client takes no answer, for too long or beyond its token's time."""
        since = self.waiting_since
        if since is None:
            return False
        return since < time.monotonic() - IDLE_SECONDS or self.expires <= time.time()

    def taken(self) -> None:
        """The client has room for another answer."""
        self.waiting_since = None


class Streams:
    """Open streams: at most `most`, of which a tenant may have what `most_of` says."""

    def __init__(self, most_of: Callable[[str], int], most: int = MAX_STREAMS) -> None:
        self._most_of = most_of
        self._most = most
        self._lock = threading.Lock()
        self._open: set[Slot] = set()
        self._readers: set[MessageReader] = set()
        threading.Thread(target=self._watch, name="stream-watch", daemon=True).start()

    @contextmanager
    def _slot(self, tenant: str, expires: float, cancel: Callable[[], object]) -> Iterator[Slot]:
        """Hold one of the places for a block. Raises TOO_MANY_STREAMS."""
        slot, most = Slot(tenant, expires, cancel), self._most_of(tenant)
        with self._lock:
            of_tenant = sum(1 for other in self._open if other.tenant == tenant)
            if len(self._open) >= self._most or of_tenant >= most:
                raise ServiceError(
                    errors_pb2.ERROR_REASON_TOO_MANY_STREAMS,
                    f"At most {most} streams of the tenant, {self._most} in all, may be open "
                    "at once. Try again when one has ended.",
                    metadata={"quota": "streams", "limit": str(most)},
                    retry_after=1.0,
                )
            self._open.add(slot)
        try:
            yield slot
        finally:
            with self._lock:
                self._open.discard(slot)

    def watched(
        self, rpc: Rpc, cancel: Callable[[], object], answers: Iterator[bytes]
    ) -> Iterator[bytes]:
        """Yield a stream's answers from one of the places, for as long as its token is valid.

        Raises TOO_MANY_STREAMS, and UNAUTHENTICATED when the token has expired.
        `cancel` ends the call; it is called when the client takes no answer for IDLE_SECONDS.
        """
        expires = rpc.expires
        with self._slot(rpc.tenant, expires, cancel) as slot:
            for answer in answers:
                _require_valid(expires)
                slot.offered()
                yield answer
                slot.taken()

    def _watch(self) -> None:
        """Cancel streams whose clients don't read: each holds a thread and one of few places."""
        while True:
            time.sleep(1.0)
            with self._lock:
                slots = list(self._open)
            for slot in slots:
                if slot.stalled():
                    slot.cancel()

    @contextmanager
    def reader(self, rpc: Rpc, messages: Iterator[bytes]) -> Iterator["MessageReader"]:
        """Read a client's messages for a block, with a bound on its silence."""
        reader = MessageReader(rpc, messages)
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
        # Outside of the lock, which a reader that ends needs, and each by itself: one whose queue
        # is full must not hold up the others.
        for reader in readers:
            threading.Thread(target=reader.stop, name="stream-stop", daemon=True).start()


class MessageReader:
    """Iterates over a client's messages, for as long as it sends some and they bring it on.

    Raises STREAM_IDLE, UNAUTHENTICATED when its token has expired, SHUTTING_DOWN and ClientGone.

    A blocked read has no timeout of its own, so a small thread reads and this waits on its queue.
    """

    def __init__(self, rpc: Rpc, messages: Iterator[bytes]) -> None:
        self._rpc = rpc
        self._begun = time.monotonic()
        self._messages = messages
        self._queue: queue.Queue[object] = queue.Queue(maxsize=2)
        self._closed = threading.Event()
        self._stopping = threading.Event()
        threading.Thread(target=self._read, name="stream-reader", daemon=True).start()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            message = self._next()
            if message is _END:
                return
            if message is _STOP:
                raise shutting_down()
            if message is _GONE:
                raise ClientGone
            assert isinstance(message, bytes)
            _require_valid(self._rpc.expires)
            yield message

    def _next(self) -> object:
        """Return the next message or mark. Raises STREAM_IDLE and UNAUTHENTICATED."""
        valid = max(self._rpc.expires - time.time(), 0.0)
        try:
            message = self._queue.get(timeout=min(IDLE_SECONDS, valid))
        except queue.Empty:
            _require_valid(self._rpc.expires)
            raise _idle("was silent") from None
        progressed_at = self._rpc.call.progressed_at if self._rpc.call else 0.0
        if progressed_at and progressed_at < time.monotonic() - IDLE_SECONDS:
            raise _idle("brought nothing new")
        return message

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
        end = _END
        try:
            for message in self._messages:
                if self._closed.is_set():
                    return
                if self._stopping.is_set():  # not the end: a dropped batch must not look imported
                    end = _STOP
                    return
                self._queue.put(message)
        except Exception:  # noqa: BLE001 (grpcio raises a bare one when the call is over)
            end = _GONE
        finally:
            self._offer(end)

    def _offer(self, mark: object) -> None:
        """Put a mark behind what is queued, unless nobody reads any more."""
        while not self._closed.is_set():
            try:
                self._queue.put(mark, timeout=1.0)
            except queue.Full:
                continue
            return


def _require_valid(expires: float) -> None:
    """Raises UNAUTHENTICATED once a token's time is over."""
    if expires <= time.time():
        raise unauthenticated("The token has expired, which ends the stream.")


def _idle(what: str) -> ServiceError:
    return ServiceError(
        errors_pb2.ERROR_REASON_STREAM_IDLE,
        f"The stream {what} for {IDLE_SECONDS:.0f} s. Open it again to resume.",
        retry_after=1.0,
    )
