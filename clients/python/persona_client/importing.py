"""One import: batches in flight on a stream that is opened again when it breaks."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from grpc import StatusCode

from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    ImportBatch,
    ImportPersonasRequest,
    ImportPersonasResponse,
)
from persona_client.errors import AlreadyExists, InvalidField, PersonaError
from persona_client.retry import Backoff
from persona_client.streams import ResponseStream

if TYPE_CHECKING:
    from grpc import _CallIterator

WINDOW = 4  # batches in flight: the server works on one while the next ones travel

Batch: TypeAlias = Sequence[Persona]
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
        batches: Iterator[Batch],
        resume_from: int,
        *,
        on_acknowledged: OnAcknowledged | None,
        on_refused: OnRefused | None,
    ) -> None:
        self._open = call
        self._first = first
        self._batches = batches
        self._on_acknowledged = on_acknowledged
        self._on_refused = on_refused
        # The sequence of _pending[i] is _done + 1 + i.
        self._done = resume_from
        self._pending: deque[Batch] = deque()

    def run(self, backoff: Backoff) -> ImportPersonasResponse:
        """Send everything and return the last acknowledgement. Raises PersonaError."""
        while True:
            try:
                return self._stream(backoff)
            except PersonaError as error:
                failure = error
            if not self._replace_refused(failure):
                backoff.wait(failure)

    def _stream(self, backoff: Backoff) -> ImportPersonasResponse:
        """Open a stream, resume where the service stands, and go on to the end."""
        requests: SimpleQueue[ImportPersonasRequest | None] = SimpleQueue()
        answers = ResponseStream(self._open(iter(requests.get, None)))
        try:
            requests.put(self._first)
            acknowledgement = self._acknowledged(answers)
            sent = 0
            while self._fill():
                for batch in list(self._pending)[sent:]:
                    sent += 1
                    requests.put(_request(self._done + sent, batch))
                before = self._done
                acknowledgement = self._acknowledged(answers)
                sent -= self._done - before
                backoff.reset()
            requests.put(None)
            with suppress(PersonaError):  # all is on disk: how the stream ends is of no account
                answers.next()
            return acknowledgement
        finally:
            requests.put(None)  # lets grpc's sending thread go
            answers.close()

    def _acknowledged(
        self, answers: ResponseStream[ImportPersonasResponse]
    ) -> ImportPersonasResponse:
        """Wait for an acknowledgement, and drop what it covers: it need not be sent again."""
        answer = answers.next()
        if answer is None:
            raise PersonaError(StatusCode.UNKNOWN, "The import stream ended without an answer.")
        self._advance(answer.committed_sequence)
        if self._on_acknowledged:
            self._on_acknowledged(answer)
        return answer

    def _advance(self, committed: int) -> None:
        """Drop batches up to `committed`, from the window first, then from the source."""
        while self._done < committed:
            if self._pending:
                self._pending.popleft()
            elif next(self._batches, None) is None:
                break  # the service has more than we were given: nothing is left to send
            self._done += 1

    def _fill(self) -> bool:
        """Take batches from the source up to the window; whether anything is pending."""
        while len(self._pending) < WINDOW:
            batch = next(self._batches, None)
            if batch is None:
                break
            self._pending.append(batch)
        return bool(self._pending)

    def _replace_refused(self, error: PersonaError) -> bool:
        """Put what the caller wants in place of a refused batch; whether it wants anything."""
        if self._on_refused is None or not isinstance(error, (AlreadyExists, InvalidField)):
            return False
        # Acknowledgements that were on their way tell no more than the error itself does.
        self._advance(int(error.metadata.get("committed_sequence", self._done)))
        if not self._pending:
            return False
        refused = self._pending.popleft()
        replacement = self._on_refused(refused, error)
        if len(replacement) >= len(refused):
            raise error
        if replacement:
            self._pending.appendleft(replacement)
        return True


def _request(sequence: int, batch: Batch) -> ImportPersonasRequest:
    return ImportPersonasRequest(batch=ImportBatch(sequence=sequence, personas=batch))
