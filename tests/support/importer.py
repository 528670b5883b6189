"""An import over the raw stub, with a client's journal of what was acknowledged."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona
from support.data import Place, uid
from support.service import Caller

LEAN = ("--rest", "off", "--grace", "1.5")  # flags of services that a test ends itself


class Importer:
    """Sends batches 1 … `batches` of `size` personas, over as many streams as it takes.

    `acknowledged` (batches) and `count` (personas) are what the service last confirmed.
    """

    def __init__(self, place: Place, batches: int, size: int, text: int = 500) -> None:
        self.project, self.group = place.project, place.group
        self.import_id, self.batches, self.size = uid(), batches, size
        self._text = "x" * text
        self.acknowledged = self.count = 0
        self.error: grpc.RpcError | None = None

    def batch(self, number: int) -> pb.ImportPersonasRequest:
        """Return a batch. A persona's name says which one it is, its id is the server's."""
        people = [
            Persona(full_name=self.name(number, i), digital_habits=self._text)
            for i in range(self.size)
        ]
        batch = pb.ImportBatch(sequence=number, personas=people)
        return pb.ImportPersonasRequest(batch=batch)

    def name(self, number: int, i: int) -> str:
        return f"{(number - 1) * self.size + i:08d}"

    def names(self, batches: int) -> list[str]:
        """Return the names of the personas in the first batches."""
        return [f"{i:08d}" for i in range(batches * self.size)]

    def begin(self) -> pb.ImportPersonasRequest:
        start = pb.ImportStart(
            project_id=self.project, group_id=self.group, import_id=self.import_id
        )
        return pb.ImportPersonasRequest(start=start)

    def run(self, caller: Caller, acknowledged: Callable[[int], object] = lambda _: None) -> bool:
        """Resume on one stream until all is acknowledged (True) or the stream fails (False).

        Sends ahead of the acknowledgements, as a fast client does.
        """
        self.error = None
        sent: queue.SimpleQueue[int] = queue.SimpleQueue()
        answers = caller.personas.ImportPersonas(self._messages(sent))
        try:
            for answer in answers:
                self._note(answer)
                if sent.empty():  # the first answer says where to go on
                    sent.put(answer.committed_sequence)
                acknowledged(answer.committed_sequence)
        except grpc.RpcError as error:
            self.error = error
            sent.put(self.batches)  # lets go of a stream that never began
            return False
        return self.acknowledged == self.batches

    def _messages(self, sent: "queue.SimpleQueue[int]") -> Iterator[pb.ImportPersonasRequest]:
        yield self.begin()
        start = sent.get()
        sent.put(start)
        for number in range(start + 1, self.batches + 1):
            yield self.batch(number)

    def _note(self, answer: Any) -> None:
        assert answer.committed_sequence >= self.acknowledged, "an acknowledgement was taken back"
        assert answer.persona_count == answer.committed_sequence * self.size
        self.acknowledged, self.count = answer.committed_sequence, answer.persona_count


class Background:
    """A function that runs beside the test; what it raises fails the test at the end."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 (told where it is waited for)
            self._error = error

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def __enter__(self) -> "Background":
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._thread.join(60 if kind is None else 1)
        if kind is None:
            assert not self._thread.is_alive(), "it hangs"
            if self._error is not None:
                raise self._error
