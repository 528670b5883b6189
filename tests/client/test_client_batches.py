"""Batches stay within what the service takes, by count and by bytes."""

from collections.abc import Iterator
from itertools import pairwise

from persona.v1.persona_service_pb2 import (
    BatchCreatePersonasRequest,
    ImportBatch,
    ImportPersonasRequest,
)
from persona_client import Persona, split_batches
from persona_client.transfer.batches import MAX_REQUEST_BYTES, element_bytes

UUID = "0190b5a4-0000-7000-8000-000000000001"


def test_a_batch_holds_at_most_1000_in_order() -> None:
    personas = [Persona(full_name=str(i)) for i in range(2500)]
    batches = list(split_batches(personas))
    assert [len(batch) for batch in batches] == [1000, 1000, 500]
    assert [persona for batch in batches for persona in batch] == personas


def test_nothing_makes_no_batch() -> None:
    assert list(split_batches([])) == []


def test_whole_requests_stay_within_3_mib() -> None:
    personas = [Persona(full_name="x", psychographic_notes="y" * (7000 + i)) for i in range(1000)]
    batches = list(split_batches(personas))
    assert [persona for batch in batches for persona in batch] == personas
    for batch in batches:
        create = BatchCreatePersonasRequest(
            project_id=UUID, group_id=UUID, personas=batch, request_id=UUID
        )
        assert create.ByteSize() <= MAX_REQUEST_BYTES
        last = ImportBatch(sequence=2**31 - 1, personas=batch)
        assert ImportPersonasRequest(batch=last).ByteSize() <= MAX_REQUEST_BYTES
    # They are as full as they can be: one more persona would not fit.
    assert all(
        ImportBatch(personas=[*batch, after[0]]).ByteSize() > MAX_REQUEST_BYTES - 256
        for batch, after in pairwise(batches)
    )


def test_sizes_are_those_of_the_wire() -> None:
    for length in (0, 1, 120, 125, 126, 127, 128, 16380, 16381, 16382, 16383, 16384, 70000):
        persona = Persona(full_name="x" * length)
        assert element_bytes(persona) == ImportBatch(personas=[persona]).ByteSize()


def test_batches_are_taken_from_a_source_as_they_are_wanted() -> None:
    taken = 0

    def personas() -> Iterator[Persona]:
        nonlocal taken
        while True:
            taken += 1
            yield Persona(full_name="x")

    next(split_batches(personas()))
    assert taken == 1001
