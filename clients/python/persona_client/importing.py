"""One import: batches in flight on a stream that is opened again when it breaks, or was idle.

The caller's thread reads the source and the acknowledgements, and calls the callbacks. While the
source makes it wait, gRPC's thread for requests sends, and another one sees to it that there is a
stream.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from grpc import StatusCode

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import ImportPersonasRequest, ImportPersonasResponse
from persona_client.batches import Batches, Filling
from persona_client.errors import AlreadyExists, ImportConflict, InvalidField, PersonaError
from persona_client.outbox import BATCH_SECONDS, Outbox
from persona_client.retry import Backoff, is_retryable
from persona_client.streams import ResponseStream

if TYPE_CHECKING:
    from grpc import _CallIterator

WINDOW = 4  # batches in flight: the server works on one while the next ones travel
QUIET_SECONDS = 10.0  # after which a stream without batches is ended: the server would do it at 30

Batch: TypeAlias = Sequence[Persona]
OnAcknowledged: TypeAlias = Callable[[ImportPersonasResponse], None]
OnRefused: TypeAlias = Callable[[Batch, PersonaError], Batch]
OpenStream: TypeAlias = Callable[
    [Iterator[ImportPersonasRequest]], "_CallIterator[ImportPersonasResponse]"
]


class Window(Outbox[Any, Batch]):
    """The batches of an import that are not on disk, and which of them the stream has.

    The sequence of `pending[i]` is `done` + 1 + i.
    """

    def __init__(
        self, filling: Filling[Any], batch_of: Callable[[list[Any]], Batch], done: int
    ) -> None:
        super().__init__(filling, batch_of, WINDOW)
        self.done = done
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

    def advance(self, committed: int) -> None:
        """Drop the batches up to `committed`."""
        with self.changed:
            while self.pending and self.done < committed:
                self.pending.popleft()
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
                sequence = self.done + len(self._sent)
                return ImportPersonasRequest(sequence=sequence, personas=batch)
            self.is_quiet = not (is_over() or self.is_over)
            return None


class Importer:
    """What of an import is on disk, and what was taken from the source but is not yet."""

    def __init__(
        self,
        call: OpenStream,
        first: ImportPersonasRequest,
        batches: Iterable[Batch],
        resume_from: int,
        *,
        on_acknowledged: OnAcknowledged | None,
        on_refused: OnRefused | None,
    ) -> None:
        self._call = call
        self._first = first
        self._on_acknowledged = on_acknowledged
        self._on_refused = on_refused
        self._answers: ResponseStream[ImportPersonasResponse]
        self._is_open = False
        self._failure: PersonaError | None = None  # of the stream, which is closed then
        self._last = ImportPersonasResponse()
        self._told = 0  # the last sequence that the caller knows of
        self._untold: deque[ImportPersonasResponse] = deque()
        self._turn = threading.Lock()  # held by who uses the stream
        self._is_done = threading.Event()
        self._splits = isinstance(batches, Batches)
        self._pieces: Iterator[Any]
        self._add: Callable[[Any], None]
        if isinstance(batches, Batches):
            filling = Filling(batches.message_of)
            self._window = Window(filling, batches.batch_of, resume_from)
            self._pieces, self._add = batches.items, self._window.add
        else:
            self._window = Window(Filling(_no_item), list, resume_from)
            self._pieces, self._add = iter(batches), self._window.put

    def run(self, backoff: Backoff) -> ImportPersonasResponse:
        """Send everything and return the last acknowledgement. Raises PersonaError."""
        try:
            with self._turn:
                self._go_on(backoff)
                self._skip()
            threading.Thread(target=self._tend, name="persona-import", daemon=True).start()
            for piece in self._made(backoff):
                with self._turn:
                    self._go_on(backoff)  # the stream may be over: the source may have been slow
                    self._add(piece)
                    self._go_on(backoff)
            self._finish(backoff)
            return self._last
        finally:
            self._is_done.set()
            self._close()

    def _made(self, backoff: Backoff) -> Iterator[Any]:
        """Yield the items or batches of the source; if it fails, bring what it made to disk."""
        try:
            yield from self._pieces
        except Exception:
            self._finish(backoff)
            raise

    def _tend(self) -> None:
        """Have a stream for what is not on disk while the source makes its caller wait."""
        while not self._is_done.wait(BATCH_SECONDS):
            with self._turn:
                if not self._window.is_empty and (
                    self._failure is None or is_retryable(self._failure)
                ):
                    self._try(to_end=False)
        self._close()

    def _finish(self, backoff: Backoff) -> None:
        """Bring what is left to disk, and let the stream end."""
        with self._turn:
            self._window.finish()
            if not self._window.is_empty:
                self._go_on(backoff, to_end=True)
            with suppress(PersonaError):  # all is on disk: how the stream ends is of no account
                self._answers.next()

    def _go_on(self, backoff: Backoff, *, to_end: bool = False) -> None:
        """Have a stream, and room for more, or nothing left that is not on disk."""
        while True:
            if self._failure is None:
                self._try(to_end=to_end)
            if self._tell():
                backoff.reset()
            if (failure := self._failure) is None:
                return
            if not self._replace_refused(failure):
                backoff.wait(failure)
            self._failure = None

    def _try(self, *, to_end: bool) -> None:
        """Open a stream if there is none, and wait as far as is needed; `_failure` is what fails."""
        self._failure = None
        try:
            if self._is_cut_off():
                self._open()
            while self._must_wait(to_end):
                self._acknowledged()
        except PersonaError as error:
            self._failure = error
            self._close()

    def _tell(self) -> bool:
        """Tell the caller what was acknowledged; whether the import got ahead."""
        ahead = False
        while self._untold:
            answer = self._untold.popleft()
            ahead = ahead or answer.committed_sequence > self._told
            self._told = answer.committed_sequence
            if self._on_acknowledged:
                self._on_acknowledged(answer)
        return ahead

    def _is_cut_off(self) -> bool:
        if not self._is_open or self._window.is_quiet:
            return True
        return not self._window.pending and self._answers.is_over

    def _must_wait(self, to_end: bool) -> bool:
        window = self._window
        return window.is_full or window.is_late or (to_end and bool(window.pending))

    def _open(self) -> None:
        """Open a stream, and go on where the service stands."""
        self._close()
        self._answers = ResponseStream(self._call(self._window.requests(self._first)))
        self._is_open = True
        self._acknowledged()
        self._window.open()

    def _close(self) -> None:
        self._window.stop()  # lets gRPC's thread go
        if self._is_open:
            self._answers.close()
        self._is_open = False

    def _acknowledged(self) -> None:
        """Wait for an acknowledgement, and drop what it covers: it need not be sent again."""
        answer = self._answers.next()
        if answer is None:
            raise PersonaError(StatusCode.UNKNOWN, "The import stream ended without an answer.")
        self._last = answer
        self._window.advance(answer.committed_sequence)
        self._untold.append(answer)

    def _skip(self) -> None:
        """Take from the source what is on disk since an earlier call.

        Those are so many batches of the caller's, or so many items: batches that are cut when they
        are old are not the same each time. Raises ImportConflict where that can't be told.
        """
        on_disk, before = self._last.committed_sequence, self._window.done
        if on_disk <= before:
            return
        if not self._splits:
            self._drop(on_disk - before)
        elif before:
            raise _conflict(on_disk, before)
        else:
            self._drop(self._last.persona_count)
        self._window.done = on_disk

    def _drop(self, pieces: int) -> None:
        for _ in islice(self._pieces, pieces):
            pass

    def _replace_refused(self, error: PersonaError) -> bool:
        """Put what the caller wants in place of a refused batch; whether it wants anything."""
        if self._on_refused is None or not isinstance(error, (AlreadyExists, InvalidField)):
            return False
        window = self._window
        # Acknowledgements that were on their way tell no more than the error itself does.
        window.advance(int(error.metadata.get("committed_sequence", window.done)))
        if not window.pending:
            return False
        refused = window.pending.popleft()
        replacement = self._on_refused(refused, error)
        if len(replacement) >= len(refused):
            raise error
        if replacement:
            window.pending.appendleft(replacement)
        return True


def _no_item(item: Any) -> Any:
    """Say that the caller's batches have no items to fill others with."""
    raise TypeError(f"{item!r} is a batch")


def _conflict(on_disk: int, before: int) -> ImportConflict:
    return ImportConflict(
        StatusCode.ABORTED,
        f"{on_disk} batches are on disk already, not {before}: resume from there.",
        reason="IMPORT_CONFLICT",
        metadata={"committed_sequence": str(on_disk)},
    )
