"""Split personas and responses into batches that the service takes."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from google.protobuf.message import Message

from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response

MAX_ITEMS = 1000
MAX_REQUEST_BYTES = 3 << 20
# Room for the other fields of a request: three ids of 38 bytes, or an import's frame.
MAX_BATCH_BYTES = MAX_REQUEST_BYTES - 256

Item = TypeVar("Item")
Batch = TypeVar("Batch")
MessageT = TypeVar("MessageT", bound=Message)
MessageOf = Callable[[Item], Message]


class Filling(Generic[Item]):
    """The batch that is being filled. `since` is when its first item came, on the monotonic clock.

    `message_of` finds an item's message of the request, by whose size a batch is full.
    """

    def __init__(self, message_of: MessageOf[Item]) -> None:
        self._message_of = message_of
        self._items: list[Item] = []
        self._bytes = 0
        self.since = 0.0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item) -> list[Item]:
        """Add an item; return the batch before it, if that had no room for it."""
        size = element_bytes(self._message_of(item))
        full = len(self._items) == MAX_ITEMS or self._bytes + size > MAX_BATCH_BYTES
        batch = self.cut() if full else []
        if not self._items:
            self.since = time.monotonic()
        self._items.append(item)
        self._bytes += size
        return batch

    def cut(self) -> list[Item]:
        """Return what there is, and begin anew."""
        batch, self._items, self._bytes = self._items, [], 0
        return batch


class Batches(Iterator[Batch], Generic[Item, Batch]):
    """Items in batches of at most 1,000 whose request stays within 3 MiB, in order.

    Iterated, it fills each batch. A call that sends batches takes its `items` instead, so that it
    need not wait until a slow source has filled one. `batch_of` makes a batch of its items.
    """

    def __init__(
        self,
        items: Iterable[Item],
        message_of: MessageOf[Item],
        batch_of: Callable[[list[Item]], Batch],
    ) -> None:
        self.items = iter(items)
        self.message_of = message_of
        self.batch_of = batch_of
        self._filled = split_items(self.items, message_of)

    def __next__(self) -> Batch:
        return self.batch_of(next(self._filled))


def split_batches(personas: Iterable[Persona]) -> Batches[Persona, list[Persona]]:
    """Return personas in batches of at most 1,000 whose request stays within 3 MiB, in order."""
    return split_messages(personas)


def split_responses(responses: Iterable[Response]) -> Batches[Response, list[Response]]:
    """Return responses in batches of at most 1,000 whose request stays within 3 MiB, in order."""
    return split_messages(responses)


def split_messages(messages: Iterable[MessageT]) -> Batches[MessageT, list[MessageT]]:
    """Return messages in such batches, each copied when it comes: a source may change it again."""
    return Batches(map(_copied, messages), lambda message: message, list)


def split_items(items: Iterable[Item], message_of: MessageOf[Item]) -> Iterator[list[Item]]:
    """Yield full batches of whatever holds a message of the request, and what is left."""
    filling = Filling(message_of)
    for item in items:
        if batch := filling.add(item):
            yield batch
    if batch := filling.cut():
        yield batch


def _copied(message: MessageT) -> MessageT:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def element_bytes(message: Message) -> int:
    """Return a message's size as an element of a request: tag, length and message."""
    size = message.ByteSize()
    return 1 + max((size.bit_length() + 6) // 7, 1) + size
