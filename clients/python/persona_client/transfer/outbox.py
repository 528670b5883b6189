"""Batches on their way from a source that may be slow: none waits until it is full."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic

from persona_client.transfer.batches import Batch, Filling, Item

BATCH_SECONDS = 1.0  # how old the first item of a batch may be when the batch is sent


class Outbox(Generic[Item, Batch]):
    """What a source has made and is not on disk yet.

    The caller's thread reads the source and adds items, or whole batches. Another one sends, and
    cuts off a batch that is old by `wait_for_next`. `changed` guards everything.
    """

    def __init__(
        self, filling: Filling[Item], batch_of: Callable[[list[Item]], Batch], most: int
    ) -> None:
        """Let `most` batches be `pending`; `batch_of` makes a batch of its items."""
        self.changed = threading.Condition()
        self.pending: deque[Batch] = deque()
        self.is_over = False
        self._filling = filling
        self._batch_of = batch_of
        self._most = most

    @property
    def is_full(self) -> bool:
        """Whether the source must wait."""
        return len(self.pending) >= self._most

    @property
    def is_empty(self) -> bool:
        """Whether everything is on disk."""
        return not (self.pending or self._filling)

    def add(self, item: Item) -> None:
        """Add an item to the batch that is being filled."""
        with self.changed:
            is_first = not self._filling
            if full := self._filling.add(item):
                self.pending.append(self._batch_of(full))
            if full or is_first:  # whoever sends waits for a batch, or for one to become old
                self.changed.notify_all()

    def put(self, batch: Batch) -> None:
        """Add a whole batch."""
        with self.changed:
            self.pending.append(batch)
            self.changed.notify_all()

    def finish(self) -> None:
        """Say that the source has no more."""
        with self.changed:
            self._cut()
            self.is_over = True
            self.changed.notify_all()

    @property
    def taken(self) -> int:
        """How many of `pending` are being sent."""
        return 0

    def wait_for_next(self, given_up: Callable[[], bool], seconds: float) -> Batch | None:
        """Return the first of `pending` that is not taken, when it is there; `changed` is held.

        None when no more will come, `given_up` says so, or there was nothing for so many seconds.
        """
        until = time.monotonic() + seconds
        while not given_up():
            if self.taken < len(self.pending):
                return self.pending[self.taken]
            if self.is_over:
                return None
            if self.is_full:  # whatever is old would not be sent any sooner
                self.changed.wait()
                continue
            due = self._filling.since + BATCH_SECONDS if self._filling else until
            if (left := due - time.monotonic()) > 0:
                self.changed.wait(left)
            elif self._filling:
                self._cut()
            else:
                return None
        return None

    def _cut(self) -> None:
        if items := self._filling.cut():
            self.pending.append(self._batch_of(items))
