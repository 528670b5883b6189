"""The batches of an import that are in flight, or wait for it."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    ImportBatch,
    ImportPersonasRequest,
    ImportPersonasResponse,
)
from persona_client.transfer.batches import Filling
from persona_client.transfer.outbox import BATCH_SECONDS, Outbox

WINDOW = 4  # batches in flight: the server works on one while the next ones travel
QUIET_SECONDS = 10.0  # after which a stream without batches is ended: the server would do it at 30

Batch: TypeAlias = Sequence[Persona]


class Window(Outbox[Any, Batch]):
    """The batches of an import that are not on disk, and which of them the stream has.

    To a stream the sequence of `pending[i]` is `done` - `forgotten` + 1 + i.
    """

    def __init__(
        self, filling: Filling[Any], batch_of: Callable[[list[Any]], Batch], done: int
    ) -> None:
        super().__init__(filling, batch_of, WINDOW)
        self.done = done
        self.done_personas = self.done_added = 0
        # What is done that the stream does not count.
        self.forgotten, self.forgotten_personas, self.forgotten_added = 0, 0, 0
        self.is_quiet = False  # whether the stream was ended since nothing came
        self._is_open = False  # whether the service has said where it stands
        self._streams = 0
        self._sent: deque[float] = deque()  # when the first batches of `pending` were

    @property
    def taken(self) -> int:
        """How many batches the stream has."""
        return len(self._sent)

    @property
    def is_late(self) -> bool:
        """Whether a batch should have been acknowledged by now."""
        with self.changed:
            return bool(self._sent) and self._sent[0] < time.monotonic() - BATCH_SECONDS

    def requests(self, first: ImportPersonasRequest) -> Iterator[ImportPersonasRequest]:
        """Return the requests of a new stream, for gRPC's thread to wait for."""
        self.stop()
        return self._requests(first, self._streams)

    def stop(self) -> None:
        """Give nothing more to the stream."""
        with self.changed:
            self._streams += 1
            self._sent.clear()
            self._is_open = self.is_quiet = False
            self.changed.notify_all()

    def open(self) -> None:
        """Let the stream have what is not on disk, as the service has said."""
        with self.changed:
            self._is_open = True
            self.changed.notify_all()

    def count_from(self, opening: ImportPersonasResponse) -> None:
        """Let the stream count on from less than what is done."""
        with self.changed:
            self.forgotten = self.done - opening.committed_sequence
            self.forgotten_personas = self.done_personas - opening.persona_count
            self.forgotten_added = self.done_added - opening.added_count

    def advance(self, committed: int) -> None:
        """Drop the batches up to `committed`, as the stream counts them."""
        with self.changed:
            while self.pending and self.done - self.forgotten < committed:
                self.done_personas += len(self.pending.popleft())
                self.done += 1
                if self._sent:
                    self._sent.popleft()
            self.changed.notify_all()

    def _requests(
        self, first: ImportPersonasRequest, stream: int
    ) -> Iterator[ImportPersonasRequest]:
        yield first
        while (request := self._next(stream)) is not None:
            yield request

    def _next(self, stream: int) -> ImportPersonasRequest | None:
        """Wait for a batch; None when the stream should end."""

        def is_over() -> bool:
            return stream != self._streams

        with self.changed:
            self.changed.wait_for(lambda: self._is_open or is_over())
            batch = self.wait_for_next(is_over, QUIET_SECONDS)
            if batch is not None:
                self._sent.append(time.monotonic())
                sequence = self.done - self.forgotten + len(self._sent)
                return ImportPersonasRequest(batch=ImportBatch(sequence=sequence, personas=batch))
            self.is_quiet = not (is_over() or self.is_over)
            return None
