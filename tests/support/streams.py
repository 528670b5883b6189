"""An import that a test drives message by message."""

import queue
from collections.abc import Iterable, Iterator
from typing import Any

from persona.v1 import persona_service_pb2 as pb
from persona.v1.persona_pb2 import Persona
from support.data import Place, uid


class Import:
    """An open ImportPersonas stream. `ask` sends a message and returns its acknowledgement."""

    def __init__(self, place: Place, import_id: str = "") -> None:
        self.place = place
        self.import_id = import_id or uid()
        self.added = 0  # as the last acknowledgement says
        self._requests: queue.Queue[pb.ImportPersonasRequest | None] = queue.Queue()
        self.call: Any = place.caller.personas.ImportPersonas(self._sent(), timeout=60)

    def _sent(self) -> Iterator[pb.ImportPersonasRequest]:
        while (request := self._requests.get()) is not None:
            yield request

    def send(self, request: pb.ImportPersonasRequest) -> None:
        self._requests.put(request)

    def ask(self, request: pb.ImportPersonasRequest) -> tuple[int, int]:
        """Return (committed_sequence, persona_count). Raises the RpcError that ends the stream."""
        self.send(request)
        answer = next(self.call)
        self.added = answer.added_count
        return answer.committed_sequence, answer.persona_count

    def begin(self, **fields: Any) -> tuple[int, int]:
        """Send the first message."""
        given = {**self.place.ids, "import_id": self.import_id} | fields
        return self.ask(pb.ImportPersonasRequest(start=pb.ImportStart(**given)))

    def batch(self, sequence: int, personas: Iterable[Persona]) -> tuple[int, int]:
        """Send a batch."""
        batch = pb.ImportBatch(sequence=sequence, personas=personas)
        return self.ask(pb.ImportPersonasRequest(batch=batch))

    def end(self) -> None:
        """Close our side and read the end of theirs."""
        self._requests.put(None)
        assert list(self.call) == []

    def drop(self) -> None:
        """Leave, as a client that dies does."""
        self.call.cancel()
        self._requests.put(None)


def begun(place: Place, import_id: str = "") -> Import:
    """Return an import whose first message is acknowledged."""
    stream = Import(place, import_id)
    stream.begin()
    return stream
