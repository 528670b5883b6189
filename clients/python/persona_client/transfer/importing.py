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
from persona_client.errors import AlreadyExists, ImportConflict, InvalidField, PersonaError
from persona_client.retry import Backoff, is_retryable
from persona_client.transfer.batches import Batches, Filling
from persona_client.transfer.outbox import BATCH_SECONDS
from persona_client.transfer.streams import ResponseStream
from persona_client.transfer.window import Batch, Window

if TYPE_CHECKING:
    from grpc import _CallIterator

LOOK_SECONDS = 0.01  # between looks at the stream, which cost more than a persona

OnAcknowledged: TypeAlias = Callable[[ImportPersonasResponse], None]
OnRefused: TypeAlias = Callable[[Batch, PersonaError], Batch]
OpenStream: TypeAlias = Callable[
    [Iterator[ImportPersonasRequest]], "_CallIterator[ImportPersonasResponse]"
]


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
        self._forgets = False  # whether a new stream knows nothing of what was checked before
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
            self._pieces, self._add = iter(batches), self._put

    def run(self, backoff: Backoff) -> ImportPersonasResponse:
        """Send everything and return the last acknowledgement. Raises PersonaError."""
        try:
            with self._turn:
                self._go_on(backoff)
                self._skip()
                self._forgets = self._first.start.validate_only
            threading.Thread(target=self._tend, name="persona-import", daemon=True).start()
            looked = time.monotonic()
            for piece in self._made(backoff):
                with self._turn:
                    if (now := time.monotonic()) > looked + LOOK_SECONDS:
                        self._go_on(backoff)  # a slow source's stream may be over
                        looked = now
                    self._add(piece)
                    if self._window.is_full:
                        self._go_on(backoff)
            self._finish(backoff)
            return self._last
        finally:
            self._is_done.set()
            self._close()  # whoever waits for an answer waits no more
            with self._turn:
                self._close()

    def _put(self, batch: Batch) -> None:
        """Add a batch of the caller's own. Raises TypeError for what is none."""
        if not (isinstance(batch, Sequence) and all(isinstance(one, Persona) for one in batch)):
            raise TypeError("batches are lists of personas; split_batches makes them of personas.")
        self._window.put(batch)

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
                if self._may_tend():
                    self._try(to_end=False)

    def _may_tend(self) -> bool:
        if self._window.is_empty or self._is_done.is_set():
            return False
        return self._failure is None or is_retryable(self._failure)

    def _finish(self, backoff: Backoff) -> None:
        """Bring what is left to disk, and let the stream end."""
        with self._turn:
            self._window.finish()
            if not self._window.is_empty:
                self._go_on(backoff, to_end=True)
            self._tell()  # what came to disk while the source made its caller wait
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
        """Open a stream if there is none, and wait as far as needed; `_failure` is what fails."""
        self._failure = None
        try:
            if self._is_cut_off():
                self._open()
            while self._must_wait(to_end):
                self._note(self._answer())
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
        opening = self._answer()
        if self._forgets:
            self._window.count_from(opening)
        self._note(opening)
        self._window.open()

    def _close(self) -> None:
        self._window.stop()  # lets gRPC's thread go
        if self._is_open:
            self._answers.close()
        self._is_open = False

    def _answer(self) -> ImportPersonasResponse:
        """Wait for an acknowledgement."""
        answer = self._answers.next()
        if answer is None:
            raise PersonaError(StatusCode.UNKNOWN, "The import stream ended without an answer.")
        return answer

    def _note(self, answer: ImportPersonasResponse) -> None:
        """Drop what an acknowledgement covers, and let it count what other streams have checked."""
        window = self._window
        window.advance(answer.committed_sequence)
        answer.committed_sequence += window.forgotten
        answer.persona_count += window.forgotten_personas
        answer.added_count += window.forgotten_added
        window.done_added = answer.added_count
        self._last = answer
        self._untold.append(answer)

    def _skip(self) -> None:
        """Take from the source what is on disk since an earlier call.

        Those are so many batches of the caller's, or so many items: batches that are cut when they
        are old are not the same each time. Raises ImportConflict where that can't be told.
        """
        on_disk, before = self._last.committed_sequence, self._window.done
        self._window.done_personas = self._last.persona_count
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
        window.advance(int(error.metadata.get("committed_sequence", 0)))
        added = int(error.metadata.get("added_count", 0)) + window.forgotten_added
        self._last.added_count = window.done_added = added
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
