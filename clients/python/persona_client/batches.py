"""Split personas and responses into batches that the service takes."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from google.protobuf.message import Message

from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response

MAX_ITEMS = 1000
MAX_REQUEST_BYTES = 3 << 20
# Room for the other fields of a request: three ids of 38 bytes, or an import's frame.
MAX_BATCH_BYTES = MAX_REQUEST_BYTES - 256

Item = TypeVar("Item")


def split_batches(personas: Iterable[Persona]) -> Iterator[list[Persona]]:
    """Yield lists of at most 1,000 personas whose request stays within 3 MiB, in order."""
    return split_items(personas, lambda persona: persona)


def split_responses(responses: Iterable[Response]) -> Iterator[list[Response]]:
    """Yield lists of at most 1,000 responses whose request stays within 3 MiB, in order."""
    return split_items(responses, lambda response: response)


def split_items(
    items: Iterable[Item], message_of: Callable[[Item], Message]
) -> Iterator[list[Item]]:
    """Yield batches of whatever holds a message of the request, by the message's size."""
    batch: list[Item] = []
    size = 0
    for item in items:
        added = element_bytes(message_of(item))
        if batch and (len(batch) == MAX_ITEMS or size + added > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += added
    if batch:
        yield batch


def element_bytes(message: Message) -> int:
    """Return a message's size as an element of a request: tag, length and message."""
    size = message.ByteSize()
    return 1 + max((size.bit_length() + 6) // 7, 1) + size
