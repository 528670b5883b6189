"""Streams hold a thread each, so they are counted, watched for silence, and ended at shutdown."""

import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.transport.errors import shutting_down, stream_idle
from persona_server.transport.rpc import ClientGone
from persona_server.transport.sharing.counters import STREAMS, Counters

MAX_STREAMS = 16
MAX_TENANT_STREAMS = 8
IDLE_SECONDS = 30.0
_ENDED_SECONDS = 5.0  # within which a stream that is idle ends by itself
_OVER_SECONDS = 2.0  # … or one whose token is taken no more
_LOOK_SECONDS = 1.0  # between two looks whether it is

_END, _STOP, _GONE = object(), object(), object()


EachOf = Callable[[str], int]


def _always() -> float:
    return time.monotonic()


class Caller(Protocol):
    """Whose stream it is."""

    @property
    def expires(self) -> float:
        """Until when what he came in with is taken, in seconds since 1970; revoked, long ago."""

    def require_in(self) -> None:
        """Raise why he may go on no more, if so."""


class _Anybody:
    """Of whom nobody needs to say who he is."""

    expires = math.inf

    def require_in(self) -> None:
        pass


_ANYBODY = _Anybody()


class Slot:
    """A place that an open stream holds, and since when its client has not taken an answer."""

    def __init__(self, holder: str, cancel: Callable[[], object], caller: Caller) -> None:
        self.holder = holder
        self.cancel = cancel
        self.caller = caller
        self.waiting_since: float | None = None
        self._over_since = math.inf

    def is_over(self) -> bool:
        """Return whether its token was seen to be taken no more a while ago."""
        if time.time() < self.caller.expires:
            return False
        self._over_since = min(self._over_since, time.monotonic())
        return time.monotonic() - self._over_since > _OVER_SECONDS

    def offered(self) -> None:
        """An answer is on its way to the client."""
        self.waiting_since = time.monotonic()

    def taken(self) -> None:
        """The client has room for another answer."""
        self.waiting_since = None


class Streams:
    """Open streams of a server: at most so many, and of one holder.

    A holder is a tenant, or an address where nobody needs to say who calls.
    """

    def __init__(
        self,
        most: int = MAX_STREAMS,
        each: int = MAX_TENANT_STREAMS,
        of: EachOf | None = None,
        idle: float = IDLE_SECONDS,
        counters: Counters | None = None,
    ) -> None:
        """Allow `most`, and of a holder `each`, or what `of` says of it.

        `idle` is how many seconds a stream may bring nothing new, or not be read. With `counters`
        those that a holder has open in other processes count too.
        """
        self.idle = idle
        self._counters = counters
        self._most = most
        self._each_of: EachOf = of or (lambda _: each)
        self._lock = threading.Lock()
        self._open: set[Slot] = set()
        self._readers: set[MessageReader] = set()
        threading.Thread(target=self._watch, name="stream-watch", daemon=True).start()

    @contextmanager
    def _slot(self, slot: Slot) -> Iterator[Slot]:
        """Hold one of the places for a block. Raises TOO_MANY_STREAMS."""
        each = self._each_of(slot.holder)
        with self._lock:
            of_holder = sum(1 for other in self._open if other.holder == slot.holder)
            if self._counters:
                of_holder += self._counters.elsewhere(slot.holder, STREAMS)
            if len(self._open) >= self._most or of_holder >= each:
                raise too_many(self._most, each)
            self._open.add(slot)
            self._tell(slot, 1)
        try:
            yield slot
        finally:
            with self._lock:
                self._open.discard(slot)
                self._tell(slot, -1)

    def _tell(self, slot: Slot, number: int) -> None:
        """Let the other processes know of a stream more or less. The lock is held."""
        if self._counters:
            self._counters.add(slot.holder, STREAMS, number)

    def watched(
        self,
        holder: str,
        cancel: Callable[[], object],
        answers: Iterator[bytes],
        caller: Caller = _ANYBODY,
    ) -> Iterator[bytes]:
        """Yield a stream's answers from one of the places.

        Raises TOO_MANY_STREAMS, and why its caller may go on no more. `cancel` ends the
        call; it is called when the client takes no answer, and nothing has ended the stream before.
        """
        with self._slot(Slot(holder, cancel, caller)) as slot:
            for answer in answers:
                caller.require_in()
                slot.offered()
                yield answer
                slot.taken()

    def _watch(self) -> None:
        """Cancel streams whose clients don't read: each holds a thread and one of few places."""
        while True:
            time.sleep(1.0)
            latest = time.monotonic() - self.idle - _ENDED_SECONDS
            with self._lock:
                slots = list(self._open)
            for slot in slots:
                since = slot.waiting_since
                if (since is not None and since < latest) or slot.is_over():
                    slot.cancel()

    @contextmanager
    def reader(
        self,
        messages: Iterator[bytes],
        caller: Caller = _ANYBODY,
        progressed_at: Callable[[], float] = _always,
    ) -> Iterator["MessageReader"]:
        """Read a client's messages for a block, with bounds on its silence and on its token.

        `progressed_at` tells when they brought something new, on the monotonic clock.
        """
        reader = MessageReader(messages, caller, progressed_at, self.idle)
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
    """Iterates over a client's messages.

    Raises STREAM_IDLE, SHUTTING_DOWN, ClientGone, and why its caller may go on no more.

    A blocked read has no timeout of its own, so a small thread reads and this waits on its queue.
    """

    def __init__(
        self,
        messages: Iterator[bytes],
        caller: Caller,
        progressed_at: Callable[[], float],
        idle: float,
    ) -> None:
        self._messages = messages
        self._progressed_at = progressed_at
        self._caller = caller
        self._idle = idle
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
            self._caller.require_in()
            yield message

    def _next(self) -> object:
        """Return the next message or mark. Raises STREAM_IDLE, or why its caller may not go on."""
        message = self._awaited(time.monotonic() + self._idle)
        if self._progressed_at() < time.monotonic() - self._idle:
            raise stream_idle("brought nothing new", self._idle)
        return message

    def _awaited(self, until: float) -> object:
        """Return what comes next, before `until` on the monotonic clock."""
        while (left := until - time.monotonic()) > 0:
            left = min(left, _LOOK_SECONDS, self._caller.expires - time.time())
            with suppress(queue.Empty):
                return self._queue.get(timeout=max(left, 0.0))
            self._caller.require_in()
        raise stream_idle("was silent", self._idle)

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
        except Exception as error:  # noqa: BLE001 (grpcio raises a bare one when the call is over)
            # grpcio keeps it with the call, which its frames name: a cycle, for the collector.
            error.__traceback__ = None
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


def too_many(most: int, each: int) -> ServiceError:
    """Return what is said to a stream that finds no place of `most`, or of its holder's `each`."""
    return ServiceError(
        errors_pb2.ERROR_REASON_TOO_MANY_STREAMS,
        f"At most {each} streams of a tenant, {most} in all, may be open at once. "
        "Try again when one has ended.",
        metadata={"quota": "streams", "limit": str(each)},
        retry_after=1.0,
    )
