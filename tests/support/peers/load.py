"""Callers that work beside a test, each with a journal of how its calls ended."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from persona.v1.persona_pb2 import Persona
from support.data import Place, persona, uid
from support.service import Caller


@dataclass
class Journal:
    """What became of calls. `failed` holds what nobody may see: neither done nor refused whole."""

    done: list[tuple[str, Persona]] = field(default_factory=list)
    refused: list[tuple[str, Persona]] = field(default_factory=list)
    failed: list[grpc.RpcError] = field(default_factory=list)
    reads: int = 0


class Load:
    """Creates and reads in one group until the service refuses, or until it is told to end."""

    def __init__(self, caller: Caller, place: Place) -> None:
        self.place = Place(caller, place.project, place.group)
        self.journal = Journal()
        self.ended = threading.Event()
        self.busy = threading.Event()

    def create(self) -> None:
        """Create personas with ids and request_ids of their own."""

        def one() -> None:
            request_id, wanted = uid(), persona(id=uid())
            try:
                made = self.place.create(wanted, request_id)
            except grpc.RpcError:
                self.journal.refused.append((request_id, wanted))
                raise
            self.journal.done.append((request_id, made))

        self._repeat(one)

    def read(self) -> None:
        """Walk the group's first page, and get its first persona."""

        def one() -> None:
            for found in self.place.page(page_size=5).personas[:1]:
                assert self.place.get(found.id) == found
            self.journal.reads += 1

        self._repeat(one)

    def _repeat(self, one: Callable[[], None]) -> None:
        for calls in range(1_000_000):
            if self.ended.is_set():
                return
            try:
                one()
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    self.journal.failed.append(error)
                return
            if calls == 3:
                self.busy.set()
