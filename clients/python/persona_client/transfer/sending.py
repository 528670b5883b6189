"""Batches that are sent one after the other, a call each, from a source that may be slow."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Generic, TypeVar

from persona_client.transfer.batches import Batch, Batches, Filling, Item
from persona_client.transfer.outbox import Outbox

_LOOK_SECONDS = 60.0  # between looks whether there is nothing more, in case nobody says so

Result = TypeVar("Result")


def request_ids(base: str) -> Iterator[str]:
    """Yield an id for each batch of a call, from the call's own: the same ones every time."""
    base = base or str(uuid.uuid4())
    yield base
    for i in count(1):
        yield str(uuid.uuid5(uuid.UUID(base), str(i)))


def send_all(
    batches: Batches[Item, Batch],
    send: Callable[[Batch], Iterable[Result]],
    *,
    are_there: bool,
) -> list[Result]:
    """Send batches in order and return all that `send` returns.

    `are_there` says not to send what is old before it fills a batch, as the items take no time to
    be made, or must be in the same batches when they are sent again.
    """
    results: list[Result] = []
    if are_there:
        for batch in batches:
            results.extend(send(batch))
    else:
        send_in_time(batches, lambda batch: results.extend(send(batch)))
    return results


def is_there(items: Iterable[object]) -> bool:
    """Whether items need not be made first."""
    return isinstance(items, Sequence)


def send_in_time(batches: Batches[Item, Batch], send: Callable[[Batch], None]) -> None:
    """Send each batch when it is full, or its first item old; `send` is called by a thread.

    What the source raises is raised when all that it made before is sent, and what `send` raises
    when the source has made its next item; nothing is sent after that.
    """
    sender = _Sender(batches, send)
    try:
        for item in sender.made():
            sender.add(item)
        sender.finish()
    finally:
        sender.stop()


class _Sender(Generic[Item, Batch]):
    """The thread that sends, and what it is to send."""

    def __init__(self, batches: Batches[Item, Batch], send: Callable[[Batch], None]) -> None:
        self._items = batches.items
        self._send = send
        self._outbox: Outbox[Item, Batch]
        self._outbox = Outbox(Filling(batches.message_of), batches.batch_of, 1)
        self._stopped = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="persona-sender", daemon=True)
        self._thread.start()

    def made(self) -> Iterator[Item]:
        """Yield what the source makes; if it fails, send what it made before."""
        try:
            yield from self._items
        except Exception:
            self.finish()
            raise

    def add(self, item: Item) -> None:
        """Add an item, when there is room for it. Raises what sending has raised."""
        outbox = self._outbox
        with outbox.changed:
            outbox.changed.wait_for(lambda: self._failure or not outbox.is_full)
        self._raise_failure()
        outbox.add(item)

    def finish(self) -> None:
        """Send what is left. Raises what sending raises."""
        self._outbox.finish()
        self._thread.join()
        self._raise_failure()

    def stop(self) -> None:
        """Send no more batches; one that is under way is not waited for."""
        with self._outbox.changed:
            self._stopped = True
            self._outbox.changed.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not (self._stopped or self._is_done()):
                self._send_next()
        except Exception as error:  # noqa: BLE001 (the caller's thread raises it)
            with self._outbox.changed:
                self._failure = error
                self._outbox.changed.notify_all()

    def _is_done(self) -> bool:
        return self._outbox.is_over and self._outbox.is_empty

    def _send_next(self) -> None:
        outbox = self._outbox
        with outbox.changed:
            batch = outbox.wait_for_next(lambda: self._stopped, _LOOK_SECONDS)
        if batch is None:
            return
        self._send(batch)
        with outbox.changed:
            outbox.pending.popleft()
            outbox.changed.notify_all()
